"""64-bit mixing that is the same on every interpreter, and fast where it can be.

`mix64` is the output function of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
2014): a bijection on 64-bit words. On PyPy words are machine integers, signed; elsewhere Python ints, unsigned.
`signed` and `unsigned` turn one form into the other; `stream` derives an independent offset for a purpose and a seed.
"""

from __future__ import annotations

import hashlib
import struct

GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB
MASK = 0xFFFFFFFFFFFFFFFF
_SIGNED, _UNSIGNED = struct.Struct("<q"), struct.Struct("<Q")


def signed(word: int) -> int:
    """The 64-bit word as a signed integer."""
    # By way of struct: on PyPy the outcome of arithmetic on long integers stays one, and costs 50 ns at each use.
    value: int = _SIGNED.unpack(_UNSIGNED.pack(word & MASK))[0]
    return value


def unsigned(word: int) -> int:
    """The 64-bit word as an unsigned integer."""
    return word & MASK


def stream(seed: int, purpose: str) -> int:
    """An unsigned 64-bit starting point for one purpose of one seed; other purposes and seeds are unrelated."""
    digest = hashlib.blake2b(f"{seed}:{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


try:
    from __pypy__ import intop

    INTOP = True
except ImportError:
    INTOP = False

if INTOP:
    _mul = intop.int_mul
    _add = intop.int_add
    _shift = intop.uint_rshift
    _GOLDEN, _MIX_1, _MIX_2 = signed(GOLDEN), signed(MIX_1), signed(MIX_2)

    def mix64(start: int, number: int) -> int:
        """The number-th word of the stream that begins at `start` (signed on PyPy, where start must be signed)."""
        z = _add(start, _mul(number, _GOLDEN))
        z = _mul(z ^ _shift(z, 30), _MIX_1)
        z = _mul(z ^ _shift(z, 27), _MIX_2)
        word: int = z ^ _shift(z, 31)
        return word

    native = signed
else:

    def mix64(start: int, number: int) -> int:
        """The number-th word of the stream that begins at `start` (unsigned off PyPy)."""
        z = (start + number * GOLDEN) & MASK
        z = ((z ^ (z >> 30)) * MIX_1) & MASK
        z = ((z ^ (z >> 27)) * MIX_2) & MASK
        return z ^ (z >> 31)

    native = unsigned

"""The gaps of a Poisson process, the same on every interpreter.

A gap is drawn from a table of 65536 equally likely ones: entry j is the mean of the exponential distribution between
its quantiles j/65536 and (j+1)/65536, in whole 2^-20ths of the mean gap. The entries add up to exactly 65536 mean gaps,
so the rate is right. Logarithms come from a series of additions, multiplications and divisions, which round alike
everywhere, unlike libm's. Which entry is next is read from SHAKE-128 of (seed, part, stream, block), 16 bits a gap: it
runs in C wherever it is found, where a 64-bit mixing function in plain Python costs ten times as much.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from functools import lru_cache

ENTRIES = 65536
ONE = 1 << 20  # a mean gap
BLOCK = 4096  # gaps drawn at once


def _logarithms() -> list[float]:
    """ln of 1 to ENTRIES, at their index, each from the one before: ln(m+1) = ln(m) + 2 atanh(1 / (2m+1))."""
    logarithms = [0.0, 0.0]
    for m in range(1, ENTRIES):
        z = 1.0 / (2 * m + 1)
        square = z * z
        power, divisor, total = z, 1, z
        while power > total * 1e-17:
            power *= square
            divisor += 2
            total += power / divisor
        logarithms.append(logarithms[m] + 2.0 * total)
    return logarithms


@lru_cache(maxsize=1)
def _sums() -> list[int]:
    """The longest m of the table's gaps added up, for m from 0 to ENTRIES.

    The integral of -ln(q) over the share q of gaps that are longer, from 0 to q, is q - q ln(q).
    """
    logarithms = _logarithms()
    whole = logarithms[ENTRIES]
    return [int(m * (1.0 + whole - logarithms[m]) * ONE + 0.5) for m in range(ENTRIES)] + [ENTRIES * ONE]


@lru_cache(maxsize=4)
def gap_table(factor: float = 1.0) -> list[int]:
    """The table with every gap multiplied: in ns, where the factor is the mean gap in ns / ONE. Made in some 50 ms.

    The sums are rounded, not their differences, so that rounding does not change the mean.
    """
    sums = [int(each * factor + 0.5) for each in _sums()]
    return [sums[m + 1] - sums[m] for m in range(ENTRIES - 1, -1, -1)]


def draws(seed: int, part: int, stream: int, block: int) -> array[int]:
    """BLOCK random indexes into the table."""
    name = f"cqlsurge arrivals {seed} {part} {stream} {block}".encode()
    found = array("H", hashlib.shake_128(name).digest(2 * BLOCK))
    if sys.byteorder == "big":
        found.byteswap()
    return found

"""Pools: seeded bytes and texts of which blobs and texts are slices.

A longer pool begins with the shorter one, so that how long it was made changes nothing.
"""

from __future__ import annotations

import hashlib

from cqlsurge.load.workload.mixing import stream, unsigned

#: a slice begins at one of so many places
POOL_OFFSETS = 1 << 16
TEXT_WORD = "surge "

ALPHABETS = {
    "text": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _",
    "hex": "0123456789abcdef",
    "ascii": "".join(chr(32 + code % 95) for code in range(256)),
}


def pool(seed: int, alphabet: str, size: int) -> bytes:
    """`size` bytes of an alphabet: `bytes` (any byte), `text`, `ascii`, `hex`, `repeating` (words, which shrink)."""
    if alphabet == "repeating":
        repeated = (TEXT_WORD + str(unsigned(stream(seed, "text"))) + " ").encode()
        return (repeated * (size // len(repeated) + 1))[:size]
    if alphabet == "bytes":
        return hashlib.shake_256(b"cqlsurge pool %d" % seed).digest(size)
    letters = ALPHABETS[alphabet]
    table = bytes([ord(letters[code % len(letters)]) for code in range(256)])
    return hashlib.shake_256(b"cqlsurge %s %d" % (alphabet.encode(), seed)).digest(size).translate(table)

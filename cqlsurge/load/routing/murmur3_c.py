"""The murmur3 token by the C extension of scylla-driver or cassandra-driver: about 0.1 us a key on CPython.

Importing it raises ImportError where neither driver is installed with its extension.
"""

from __future__ import annotations

import struct

from cassandra.cmurmur3 import murmur3

_INT64_MIN = -(1 << 63)
_INT64_MAX = (1 << 63) - 1
_BLOCK = struct.Struct("<QQ")
_MASK = 0xFFFFFFFFFFFFFFFF


def token(key: bytes) -> int:
    """The partitioner's token of a routing key: signed 64 bits, never the smallest; 0 for an empty key."""
    h: int = murmur3(key)
    return _INT64_MAX if h == _INT64_MIN else h


def token_of_halves(first: int, second: int) -> int:
    """The token of a 16-byte key given as its two little-endian 64-bit halves (signed or not)."""
    return token(_BLOCK.pack(first & _MASK, second & _MASK))

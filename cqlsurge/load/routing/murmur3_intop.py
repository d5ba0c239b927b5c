"""The murmur3 token on PyPy: wrapping machine integers, about 10 ns for a 16-byte key once compiled.

Importing it raises ImportError on other interpreters. The algorithm and its signed tail: see murmur3_ints.
"""

from __future__ import annotations

import struct
from typing import Callable

from __pypy__ import intop

_Wrapping = Callable[[int, int], int]
int_add: _Wrapping = intop.int_add
int_mul: _Wrapping = intop.int_mul
int_lshift: _Wrapping = intop.int_lshift
uint_rshift: _Wrapping = intop.uint_rshift

_C1 = 0x87C37B91114253D5 - (1 << 64)
_C2 = 0x4CF5AD432745937F
_F1 = 0xFF51AFD7ED558CCD - (1 << 64)
_F2 = 0xC4CEB9FE1A85EC53 - (1 << 64)
_INT64_MIN = -(1 << 63)
_INT64_MAX = (1 << 63) - 1
_BLOCK = struct.Struct("<qq")


def _rotate(x: int, bits: int) -> int:
    return int_lshift(x, bits) | uint_rshift(x, 64 - bits)


def _scatter1(k1: int) -> int:
    return int_mul(_rotate(int_mul(k1, _C1), 31), _C2)


def _scatter2(k2: int) -> int:
    return int_mul(_rotate(int_mul(k2, _C2), 33), _C1)


def _avalanche(h: int) -> int:
    h = int_mul(h ^ uint_rshift(h, 33), _F1)
    h = int_mul(h ^ uint_rshift(h, 33), _F2)
    return h ^ uint_rshift(h, 33)


def _finish(h1: int, h2: int, length: int) -> int:
    h2 ^= length
    h1 = int_add(h1 ^ length, h2)
    h2 = int_add(h2, h1)
    h = int_add(_avalanche(h1), _avalanche(h2))
    return _INT64_MAX if h == _INT64_MIN else h


def token_of_halves(first: int, second: int) -> int:
    """The token of a 16-byte key given as its two little-endian 64-bit halves, signed."""
    h1 = _scatter1(first)
    h1 = int_add(int_mul(_rotate(h1, 27), 5), 0x52DCE729)
    h2 = _scatter2(second)
    h2 = int_add(int_mul(int_add(_rotate(h2, 31), h1), 5), 0x38495AB5)
    return _finish(h1, h2, 16)


def absorb(h: tuple[int, int], k1: int, k2: int) -> tuple[int, int]:
    """The state of the hash after 16 more bytes of a key, given as two little-endian words."""
    h1, h2 = h
    h1 = _rotate(h1 ^ _scatter1(k1), 27)
    h1 = int_add(int_mul(int_add(h1, h2), 5), 0x52DCE729)
    h2 = _rotate(h2 ^ _scatter2(k2), 31)
    return h1, int_add(int_mul(int_add(h2, h1), 5), 0x38495AB5)


def finish(h: tuple[int, int], k1: int, k2: int, length: int) -> int:
    """The token of a key of `length` bytes, the last 0 to 15 of which are in two words filled up with zeros."""
    h1, h2 = h
    return _finish(h1 ^ _scatter1(_signs(k1)), h2 ^ _scatter2(_signs(k2)), length)


def _signs(word: int) -> int:
    """What comes of XORing a word's bytes one by one, each with its sign spread over all bits above it."""
    signs = uint_rshift(word, 7) & 0x0101010101010101
    signs ^= int_lshift(signs, 8)
    signs ^= int_lshift(signs, 16)
    signs ^= int_lshift(signs, 32)
    return word ^ int_mul(int_lshift(signs, 8), 0xFF)


def _token_of_any(key: bytes) -> int:
    h1 = h2 = 0
    length = len(key)
    whole = length & ~15
    for at in range(0, whole, 16):
        k1, k2 = _BLOCK.unpack_from(key, at)
        h1 = _rotate(h1 ^ _scatter1(k1), 27)
        h1 = int_add(int_mul(int_add(h1, h2), 5), 0x52DCE729)
        h2 = _rotate(h2 ^ _scatter2(k2), 31)
        h2 = int_add(int_mul(int_add(h2, h1), 5), 0x38495AB5)
    if whole != length:
        k1 = k2 = 0
        for at in range(length - 1, whole - 1, -1):
            byte = key[at] if key[at] < 128 else key[at] - 256
            if at - whole < 8:
                k1 ^= int_lshift(byte, 8 * (at - whole))
            else:
                k2 ^= int_lshift(byte, 8 * (at - whole - 8))
        h1 ^= _scatter1(k1)
        h2 ^= _scatter2(k2)
    return _finish(h1, h2, length)


def token(key: bytes) -> int:
    """The partitioner's token of a routing key: signed 64 bits, never the smallest; 0 for an empty key."""
    if len(key) == 16:
        first, second = _BLOCK.unpack(key)
        return token_of_halves(first, second)
    return _token_of_any(key)

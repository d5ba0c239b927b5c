"""Murmur3 tokens and shards of many 16-byte keys at once, with numpy: some 40 ns a key on CPython.

Importing it raises ImportError where numpy is not installed; `murmur3.token` is the fallback, key by key.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # numpy.ndarray; its own types need newer Python than load processes may have

_U = np.uint64
_C1 = _U(0x87C37B91114253D5)
_C2 = _U(0x4CF5AD432745937F)
_F1 = _U(0xFF51AFD7ED558CCD)
_F2 = _U(0xC4CEB9FE1A85EC53)
_TOP = _U(1 << 63)
_INT64_MIN = -(1 << 63)
_INT64_MAX = (1 << 63) - 1


def _rotate(x: Array, bits: int) -> Array:
    return (x << _U(bits)) | (x >> _U(64 - bits))


def _avalanche(h: Array) -> Array:
    h = (h ^ (h >> _U(33))) * _F1
    h = (h ^ (h >> _U(33))) * _F2
    return h ^ (h >> _U(33))


def tokens_of_halves(first: Array, second: Array) -> Array:
    """int64 tokens, shape (n,), of 16-byte keys given as two uint64 arrays (n,): their little-endian halves."""
    h1 = _rotate(_rotate(first * _C1, 31) * _C2, 27) * _U(5) + _U(0x52DCE729)
    h2 = (_rotate(_rotate(second * _C2, 33) * _C1, 31) + h1) * _U(5) + _U(0x38495AB5)
    h2 = h2 ^ _U(16)
    h1 = (h1 ^ _U(16)) + h2
    h2 = h2 + h1
    tokens = (_avalanche(h1) + _avalanche(h2)).view(np.int64)
    tokens[tokens == _INT64_MIN] = _INT64_MAX
    return tokens


def absorb(h: tuple[Array, Array], k1: Array, k2: Array) -> tuple[Array, Array]:
    """The states of many hashes, two uint64 arrays, after 16 more bytes of each key: its little-endian words."""
    h1, h2 = h
    h1 = (_rotate(h1 ^ (_rotate(k1 * _C1, 31) * _C2), 27) + h2) * _U(5) + _U(0x52DCE729)
    return h1, (_rotate(h2 ^ (_rotate(k2 * _C2, 33) * _C1), 31) + h1) * _U(5) + _U(0x38495AB5)


def finish(h: tuple[Array, Array], k1: Array, k2: Array, length: int) -> Array:
    """int64 tokens of keys of `length` bytes, the last 0 to 15 of which are in words filled up with zeros."""
    h1 = h[0] ^ (_rotate(_signs(k1) * _C1, 31) * _C2)
    h2 = h[1] ^ (_rotate(_signs(k2) * _C2, 33) * _C1) ^ _U(length)
    h1 = (h1 ^ _U(length)) + h2
    h2 = h2 + h1
    tokens = (_avalanche(h1) + _avalanche(h2)).view(np.int64)
    return np.where(tokens == _INT64_MIN, _INT64_MAX, tokens)


def _signs(words: Array) -> Array:
    """What comes of XORing a word's bytes one by one, each with its sign spread over all bits above it."""
    signs = (words >> _U(7)) & _U(0x0101010101010101)
    signs = signs ^ (signs << _U(8))
    signs = signs ^ (signs << _U(16))
    signs = signs ^ (signs << _U(32))
    return words ^ ((signs << _U(8)) * _U(0xFF))


def tokens_of_keys(keys: Array) -> Array:
    """int64 tokens, shape (n,), of 16-byte keys in a contiguous buffer: bytes, or a uint8 array of shape (n, 16)."""
    halves = np.frombuffer(keys, dtype="<u8").reshape(-1, 2)
    return tokens_of_halves(halves[:, 0].copy(), halves[:, 1].copy())


def shards_of_tokens(tokens: Array, shard_count: int, ignore_msb: int = 12) -> Array:
    """int64 shards, shape (n,), of int64 tokens; `sharding.shard_of_token` for arrays."""
    biased = (tokens.view(np.uint64) ^ _TOP) << _U(ignore_msb)
    low = (biased & _U(0xFFFFFFFF)) * _U(shard_count)
    high = (biased >> _U(32)) * _U(shard_count)
    return (((low >> _U(32)) + high) >> _U(32)).view(np.int64)

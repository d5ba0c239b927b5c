"""The key-value workload: `key uuid PRIMARY KEY, value blob`, written or read by whole key.

key(index): 16 bytes, two mixed words of (seed, index), little-endian, with the version and variant bits of a random
uuid. value(index, version): where it fits, its first 16 bytes are the key, so that a row handed to the wrong request
cannot pass; the rest is a slice of a pool of random bytes (or of text), at an offset that depends on key and version.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from cqlsurge.load.workload.mixing import INTOP, MASK, mix64, native, stream, unsigned
from cqlsurge.load.workload.model import Column, Kind, Workload

POOL_OFFSETS = 1 << 16
TEXT_WORD = b"surge "

# Byte 6's high nibble is the uuid's version (4), byte 8's top bits its variant (RFC 9562 section 5.4); in little-endian
# words these are bits 52-55 of the first and bits 6-7 of the second.
_FIRST_KEEP, _FIRST_SET = native(MASK ^ (0xF0 << 48)), 0x40 << 48
_SECOND_KEEP, _SECOND_SET = native(MASK ^ 0xC0), 0x80
_HALVES = struct.Struct("<qq" if INTOP else "<QQ")

MODES = ("write", "read", "mixed")
#: values of text that are at least so long shrink to three quarters or less
SHRINKING_BYTES = 64


class KeyValue(Workload):
    """Operations over a population of `keys` partitions of one row each, from `key_offset` on.

    Mode `write` and `read` go through the population in order; `mixed` writes in order and reads at random, reads being
    the share `read_ratio` of the operations.
    """

    def __init__(
        self,
        *,
        seed: int,
        keyspace: str,
        table: str,
        mode: str,
        keys: int,
        key_offset: int = 0,
        blob_size: int = 1000,
        read_ratio: float = 0.5,
        consistency: str = "LOCAL_QUORUM",
        fill: str = "random",
    ) -> None:
        self.seed = seed
        self.mode = mode
        self.keys = keys
        self.key_offset = key_offset
        self.blob_size = blob_size
        # Short ones are key for the most part.
        self.shrinks = fill == "text" and blob_size >= SHRINKING_BYTES
        self.kinds = _kinds(keyspace, table, consistency)
        # A share of 53 random bits, exact for 0 and 1 too.
        shares = {"write": 0, "read": 1 << 53}
        self.read_below = shares.get(mode, int(read_ratio * (1 << 53)))
        self.mixed = mode == "mixed"
        self.only_kind = 1 if mode == "read" else 0
        self.first_stream = native(stream(seed, "key first half"))
        self.second_stream = native(stream(seed, "key second half"))
        self.kind_stream = native(stream(seed, "kind"))
        self.draw_stream = native(stream(seed, "population draw"))
        self.tail_size = max(0, blob_size - 16) if blob_size >= 16 else blob_size
        self.pool = _pool(seed, fill, POOL_OFFSETS + self.tail_size)

    def locate(self, number: int) -> tuple[int, int, int]:
        """See Workload: kind 0 is `write`, kind 1 is `read`; each partition has the one row 0."""
        if not self.mixed:
            return self.only_kind, self.key_offset + number % self.keys, 0
        if (mix64(self.kind_stream, number) >> 11) & 0x1FFFFFFFFFFFFF < self.read_below:
            drawn = (mix64(self.draw_stream, number) >> 1) & 0x7FFFFFFFFFFFFFFF
            return 1, self.key_offset + drawn % self.keys, 0
        return 0, self.key_offset + number % self.keys, 0

    def halves(self, partition: int) -> tuple[int, int]:
        """The key as two words: signed machine integers on PyPy, unsigned Python ints elsewhere."""
        first = mix64(self.first_stream, partition) & _FIRST_KEEP | _FIRST_SET
        second = mix64(self.second_stream, partition) & _SECOND_KEEP | _SECOND_SET
        return first, second

    def routing_key(self, partition: int) -> bytes:
        """The 16 bytes of the key's uuid."""
        return _HALVES.pack(*self.halves(partition))

    def pool_offset(self, second: int, version: int = 0) -> int:
        """Where in the pool the value's tail begins, from the key's second word."""
        return ((second >> 20) + version * 40503) & (POOL_OFFSETS - 1)

    def value(self, partition: int, version: int = 0) -> bytes:
        """The blob of a key: `blob_size` bytes."""
        first, second = self.halves(partition)
        offset = self.pool_offset(second, version)
        tail = self.pool[offset : offset + self.tail_size]
        return _HALVES.pack(first, second) + tail if self.blob_size >= 16 else tail

    def values(self, kind: int, partition: int, row: int) -> list[bytes]:
        """[key, value] of a write, [key] of a read."""
        first, second = self.halves(partition)
        key = _HALVES.pack(first, second)
        if kind:
            return [key]
        offset = self.pool_offset(second)
        tail = self.pool[offset : offset + self.tail_size]
        return [key, key + tail if self.blob_size >= 16 else tail]

    def expected(self, kind: int, partition: int, row: int) -> list[bytes] | None:
        """[key, value] of a read; None for a write."""
        return [self.routing_key(partition), self.value(partition)] if kind else None


def _kinds(keyspace: str, table: str, consistency: str) -> tuple[Kind, ...]:
    key, value = Column("key", "uuid"), Column("value", "blob")
    where = f'"{keyspace}"."{table}"'
    return (
        Kind(
            name="write",
            statement=f"INSERT INTO {where} (key, value) VALUES (?, ?)",
            binds=(key, value),
            writes=True,
            timestamp=True,
            consistency=consistency,
        ),
        Kind(
            name="read",
            statement=f"SELECT key, value FROM {where} WHERE key = ?",
            binds=(key,),
            returns=(key, value),
            consistency=consistency,
            rows_expected=1,
        ),
    )


def _pool(seed: int, fill: str, size: int) -> bytes:
    """`size` bytes that depend on the seed: random ones, which do not shrink, or words, which do."""
    if fill == "text":
        word = TEXT_WORD + str(unsigned(stream(seed, "text"))).encode() + b" "
        return (word * (size // len(word) + 1))[:size]
    return hashlib.shake_256(b"cqlsurge pool %d" % seed).digest(size)


def from_parameters(parameters: dict[str, Any]) -> KeyValue:
    """The workload from a plan's parameters."""
    return KeyValue(**parameters)

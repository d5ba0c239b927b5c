"""The values that the null server reads back: of the asked size, beginning with the key where it fits."""

from __future__ import annotations

from cqlsurge.load.workload.kv import KeyValue

FILLER = 0x2A


class NullValues:
    """With a seed, `value(key)` is what a run with that seed wrote under a 16-byte key; else key and filler."""

    def __init__(self, blob_size: int, seed: int | None) -> None:
        self.blob_size = blob_size
        self.with_key = blob_size >= 16
        self.workload = None
        self.filler = bytes([FILLER]) * (blob_size - 16 if self.with_key else blob_size)
        if seed is not None:
            self.workload = KeyValue(seed=seed, keyspace="", table="", mode="read", keys=1, blob_size=blob_size)

    def tail(self, second: int) -> bytes:
        """What follows the key in its value; `second` is the key's second little-endian word."""
        if self.workload is None:
            return self.filler
        offset = self.workload.pool_offset(second)
        return self.workload.pool[offset : offset + self.workload.tail_size]

    def value(self, key: bytes) -> bytes:
        if len(key) != 16:
            return bytes([FILLER]) * self.blob_size
        tail = self.tail(int.from_bytes(key[8:], "little", signed=True))
        return key + tail if self.with_key else tail

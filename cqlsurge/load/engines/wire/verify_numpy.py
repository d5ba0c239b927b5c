"""Whether many reads gave what their keys say: the answers that should have come, made by the block and compared."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from cqlsurge.load.cql.frames import HEADER_BYTES
from cqlsurge.load.engines.wire.connection import KIND_BITS
from cqlsurge.load.engines.wire.verify import ALL
from cqlsurge.load.workload import kv_numpy
from cqlsurge.load.workload.kv import POOL_OFFSETS

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection_numpy import Inbox
    from cqlsurge.load.workload.kv import KeyValue

Array = Any  # numpy.ndarray

#: so many bytes of answers are compared at a time: they should stay in the core's cache
MATRIX_BYTES = 1 << 16
#: where the part to be compared begins in a frame: behind kind and flags, with the number of columns
_ROW_AT = HEADER_BYTES + 8
#: shorter values do not hold a key and more
LEAST_BLOB = 17


class RowChecker:
    """Checks answers to reads of the key-value workload, those of a sample: `check_below` of 65536 numbers."""

    def __init__(self, workload: KeyValue, check_below: int) -> None:
        self.workload, self.check_below = workload, check_below
        length = struct.pack(">i", workload.blob_size)
        row = struct.pack(">iii", 2, 1, 16) + bytes(16) + length + bytes(workload.blob_size)
        key_at = 12
        value_at = key_at + 16 + 4
        fields = {
            "first": ("<u8", key_at),
            "second": ("<u8", key_at + 8),
            "first_again": ("<u8", value_at),
            "second_again": ("<u8", value_at + 8),
            "tail": (f"V{workload.tail_size}", value_at + 16),
        }
        formats, offsets = zip(*fields.values())
        dtype = np.dtype({"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": len(row)})
        self._size = len(row)
        self._rows = max(1, MATRIX_BYTES // self._size)
        self._wanted: Array = np.frombuffer(bytearray(row * self._rows), np.uint8)
        self._columns: Array = self._wanted.view(dtype)
        self._tails: Array = np.ndarray((POOL_OFFSETS,), f"V{workload.tail_size}", workload.pool, strides=(1,))

    def right(self, inbox: Inbox, starts: Array, sizes: Array, ops: Array) -> bool:
        """Whether all of these reads' answers are right: plain frames that lie at `starts`, without a paging state."""
        numbers = ops >> KIND_BITS
        if self.check_below < ALL:
            chosen = (numbers * 40503 ^ numbers >> 16) & 0xFFFF < self.check_below
            starts, sizes, numbers = starts[chosen], sizes[chosen], numbers[chosen]
        if not (sizes == _ROW_AT + self._size).all():
            return False
        starts = starts + _ROW_AT
        first, second = kv_numpy.halves(self.workload, kv_numpy.partitions_read(self.workload, numbers))
        offsets = kv_numpy.pool_offsets(second)
        rows: Array = np.ndarray((inbox.size - self._size + 1,), f"V{self._size}", inbox.bytes, strides=(1,))
        for at in range(0, len(starts), self._rows):
            part = slice(at, at + self._rows)
            count = len(starts[part])
            columns = self._columns[:count]
            columns["first"] = columns["first_again"] = first[part]
            columns["second"] = columns["second_again"] = second[part]
            columns["tail"] = self._tails[offsets[part]]
            if (rows[starts[part]].view(np.uint8) != self._wanted[: count * self._size]).any():
                return False
        return True

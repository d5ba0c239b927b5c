"""Batches: their parts are made by the plain interpreter, one operation at a time, and written as a BATCH frame.

The first of a batch's statements is prepared, the others go as text. An id is known once a node has prepared the
statement; all nodes of a cluster give it the same one, and where they do not the first statement goes as text too.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from cqlsurge.load.cql.primitives import Consistency, write_long_string, write_short_bytes, write_value
from cqlsurge.load.cql.requests import FLAG_SERIAL_CONSISTENCY, FLAG_TIMESTAMP, BatchType

if TYPE_CHECKING:
    from cqlsurge.load.workload.model import Kind, Operation

_SHORT = struct.Struct(">H")
_TAIL = struct.Struct(">HB")
MOST_PARTS = 65_535


class BatchBody:
    """Writes the parts of one kind's operations."""

    def __init__(self, kind: Kind) -> None:
        self._texts = [b"\0" + write_long_string(text) for text in (kind.statement, *kind.further)]
        self._heads = list(self._texts)
        self._id = b""

    def prepared(self, statement_id: bytes) -> None:
        """A node's id of the first statement; one of zeros stands for none."""
        if not statement_id.strip(b"\0"):
            return
        same = self._id in {b"", statement_id}
        self._id = statement_id
        self._heads[0] = b"\1" + write_short_bytes(statement_id) if same else self._texts[0]

    def __call__(self, operation: Operation) -> bytes:
        """The number of parts, and the parts."""
        found = [_SHORT.pack(len(operation.batch))]
        for index, cells in operation.batch:
            found += [self._heads[index], _SHORT.pack(len(cells)), *map(write_value, cells)]
        return b"".join(found)


def before_parts(kind: Kind) -> bytes:
    """What stands before the number of parts in a BATCH body."""
    return bytes([BatchType[kind.batch.upper()]])


def behind_parts(kind: Kind) -> bytes:
    """What stands behind the parts, but for the timestamp."""
    serial = kind.serial_consistency
    flags = (FLAG_SERIAL_CONSISTENCY if serial else 0) | (FLAG_TIMESTAMP if kind.timestamp else 0)
    tail = _TAIL.pack(Consistency[kind.consistency], flags)
    return tail + _SHORT.pack(Consistency[serial]) if serial else tail

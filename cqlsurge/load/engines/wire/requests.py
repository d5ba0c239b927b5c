"""EXECUTE frames as templates: all that does not change from one operation to the next is made once."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Callable

from cqlsurge.load.cql.frames import FLAG_COMPRESSED, HEADER_BYTES, OP_EXECUTE, VERSION
from cqlsurge.load.cql.primitives import Consistency
from cqlsurge.load.cql.template import TIMESTAMP_BYTES, execute_template

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.workload.model import Kind, Workload

HEADER = struct.Struct(">BBHBi")
LONG = struct.Struct(">q")
_LENGTH = struct.Struct(">i")


class Clock:
    """Client timestamps: microseconds since 1970 that belong to a due time, so that a retry has its first one."""

    def __init__(self, unix_ns: int, monotonic_ns: int) -> None:
        self.offset_us = (unix_ns - monotonic_ns) // 1000

    def timestamp_us(self, due_ns: int) -> int:
        """The timestamp of the operation that was due then; later operations never have an earlier one."""
        return due_ns // 1000 + self.offset_us


def execute_parts(kind: Kind, statement_id: bytes) -> tuple[bytes, bytes]:
    """What stands before the first value in an EXECUTE body, and behind the last one but for the timestamp."""
    serial = kind.serial_consistency
    template = execute_template(
        statement_id,
        Consistency[kind.consistency],
        len(kind.binds),
        skip_metadata=True,
        page_size=kind.page_size,
        serial_consistency=None if serial is None else Consistency[serial],
        timestamp=kind.timestamp,
    )
    stamped = TIMESTAMP_BYTES if kind.timestamp else 0
    return template.head[HEADER_BYTES:], template.tail[: len(template.tail) - stamped]


class Template:
    """Makes the frames of one kind with one statement id."""

    def emit(self, connection: Connection, sid: int, a: int, b: int, due_ns: int) -> None:
        """Adds a frame to what the connection sends; `a` and `b` are what the plan says of the operation's key."""
        raise AssertionError("a template must make frames")


class PlainTemplate(Template):
    """Frames of any workload, from its serialized values; compressed where a `compress` is given and it helps."""

    def __init__(
        self,
        workload: Workload,
        index: int,
        statement_id: bytes,
        clock: Clock,
        compress: Callable[[bytes], bytes | None] | None = None,
    ) -> None:
        self.workload, self.index, self.clock, self.compress = workload, index, clock, compress
        self.timestamp = workload.kinds[index].timestamp
        self.before, self.behind = execute_parts(workload.kinds[index], statement_id)

    def body(self, values: list[bytes], due_ns: int) -> bytes:
        """The EXECUTE body with these values."""
        parts = [self.before]
        for value in values:
            parts.append(_LENGTH.pack(len(value)))
            parts.append(value)
        parts.append(self.behind)
        if self.timestamp:
            parts.append(LONG.pack(self.clock.timestamp_us(due_ns)))
        return b"".join(parts)

    def values(self, a: int, b: int) -> list[bytes]:
        """The bound values: here `a` is the partition and `b` the row."""
        return self.workload.values(self.index, a, b)

    def emit(self, connection: Connection, sid: int, a: int, b: int, due_ns: int) -> None:
        """See Template."""
        body = self.body(self.values(a, b), due_ns)
        flags = 0
        if self.compress is not None:
            smaller = self.compress(body)
            if smaller is not None:
                body, flags = smaller, FLAG_COMPRESSED
        connection.append(HEADER.pack(VERSION, flags, sid, OP_EXECUTE, len(body)) + body)

"""Frames that go the slow way: with a header of their own, or compressed as a whole."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.compiled.program import Row, Template
from cqlsurge.load.cql.frames import FLAG_COMPRESSED, HEADER_BYTES, VERSION

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection

HEADER = struct.Struct(">BBHBi")
OPCODE_AT = 4


class _Parts:
    """What a template of parts gives its frames to."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.used = 0


class WholeTemplate(Template):
    """The frames of another template, one by one: compressed where a `compress` is given and it helps."""

    def __init__(self, template: Template, compress: Callable[[bytes], bytes | None] | None = None) -> None:
        self._template, self._compress = template, compress
        self._made = _Parts()

    def emit(self, connection: Connection, sid: int, row: Row, due_ns: int) -> None:
        """See Template."""
        made: Any = self._made
        self._template.emit(made, sid, row, due_ns)
        frame = b"".join(made.parts)
        made.parts.clear()
        smaller = None if self._compress is None else self._compress(frame[HEADER_BYTES:])
        if smaller is not None:
            frame = HEADER.pack(VERSION, FLAG_COMPRESSED, sid, frame[OPCODE_AT], len(smaller)) + smaller
        connection.append(frame)

"""Frames of one kind as the rows of a matrix: what changes from one to the next is written by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cqlsurge.load.workload.kv import POOL_OFFSETS

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.kv_python import KeyValueRead, KeyValueWrite
    from cqlsurge.load.engines.wire.requests import Clock

Array = Any  # numpy.ndarray

STREAM_AT = 2
HEAD_BYTES = 4


class _Sample:
    """A connection to nobody, for one frame of a template."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.used = 0


class Frames:
    """Up to `rows` frames like those of a template."""

    def __init__(self, template: KeyValueRead | KeyValueWrite, rows: int, fields: dict[str, tuple[str, int]]) -> None:
        sample = _Sample()
        template.emit(cast("Connection", sample), 0, 0, 0, 0)
        frame = b"".join(sample.parts)
        self.size = len(frame)
        key_at = HEAD_BYTES + len(template.middle)
        fields = {"stream": (">u2", STREAM_AT), "first": ("<u8", key_at), "second": ("<u8", key_at + 8), **fields}
        formats, offsets = zip(*fields.values())
        dtype = np.dtype({"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": self.size})
        data = bytearray(frame * rows)
        matrix = np.frombuffer(data, dtype)
        self.view = memoryview(data)
        self.columns = {name: matrix[name] for name in fields}

    def fill(self, streams: Array, first: Array, second: Array) -> None:
        """Makes the first len(streams) rows frames for these streams and keys."""
        count, columns = len(streams), self.columns
        columns["stream"][:count] = streams
        columns["first"][:count] = first
        columns["second"][:count] = second


class WriteFrames(Frames):
    """Frames with key, value and timestamp."""

    def __init__(self, template: KeyValueWrite, rows: int) -> None:
        behind = HEAD_BYTES + len(template.middle) + 16 + 4
        self.with_key = template.with_key
        fields = {}
        if self.with_key:
            fields = {"first_again": ("<u8", behind), "second_again": ("<u8", behind + 8)}
            behind += 16
        fields["tail"] = (f"V{template.tail_size}", behind)
        fields["timestamp"] = (">i8", template.size - 8)
        super().__init__(template, rows, fields)
        self.clock: Clock = template.clock
        self.tails: Any = np.ndarray((POOL_OFFSETS,), f"V{template.tail_size}", template.pool, strides=(1,))

    def complete(self, first: Array, second: Array, offsets: Array, dues: Array) -> None:
        """The columns that only a write has."""
        count, columns = len(first), self.columns
        if self.with_key:
            columns["first_again"][:count] = first
            columns["second_again"][:count] = second
        columns["tail"][:count] = self.tails[offsets]
        columns["timestamp"][:count] = dues // 1000 + self.clock.offset_us

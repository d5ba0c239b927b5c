"""The bytes of an EXECUTE frame that stay the same from one operation to the next: for loops that build frames by hand.

A frame is `head`, for each value its [int] length and bytes, `tail`. What a loop must patch: the stream id, the body
length, and the timestamp where there is one. For values of fixed lengths `FixedExecute` has all but the values settled.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cqlsurge.load.wire.errors import WireValueError
from cqlsurge.load.wire.frames import HEADER_BYTES, MAX_FRAME_BYTES, OP_EXECUTE, encode_frame
from cqlsurge.load.wire.primitives import write_short
from cqlsurge.load.wire.requests import Execute, QueryParameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cqlsurge.load.wire.primitives import Consistency

STREAM_OFFSET = 2  # [short], big-endian
LENGTH_OFFSET = 5  # [int], big-endian, bytes after the header
TIMESTAMP_BYTES = 8  # [long], big-endian, microseconds; always the last field of the body
_INT = struct.Struct(">i")


@dataclass(frozen=True)
class ExecuteTemplate:
    """`head` and `tail` of the EXECUTE frames of one statement, with stream 0, length 0 and timestamp 0.

    `timestamp_offset` is counted in `tail`, -1 without a timestamp. A body has `fixed_body_bytes` and, for each value,
    4 bytes and those of the value; `value_count` values go into each frame.
    """

    head: bytes
    tail: bytes
    value_count: int
    timestamp_offset: int

    @property
    def fixed_body_bytes(self) -> int:
        """Bytes of a body without its values."""
        return len(self.head) - HEADER_BYTES + len(self.tail)

    def fixed(self, value_bytes: Sequence[int]) -> FixedExecute:
        """The template for values of just these lengths."""
        if len(value_bytes) != self.value_count:
            raise WireValueError(f"{len(value_bytes)} lengths for {self.value_count} values")
        body_bytes = self.fixed_body_bytes + sum(value_bytes) + 4 * len(value_bytes)
        if body_bytes > MAX_FRAME_BYTES:
            raise WireValueError(f"a frame body of {body_bytes} bytes is more than the protocol's {MAX_FRAME_BYTES}")
        head = self.head[:LENGTH_OFFSET] + _INT.pack(body_bytes) + self.head[HEADER_BYTES:]
        segments, offsets, segment, position = [], [], head, 0
        for length in value_bytes:
            segment += _INT.pack(length)
            segments.append(segment)
            offsets.append(position + len(segment))
            position += len(segment) + length
            segment = b""
        frame_bytes = HEADER_BYTES + body_bytes
        timestamp_offset = -1 if self.timestamp_offset < 0 else frame_bytes - TIMESTAMP_BYTES
        return FixedExecute((*segments, segment + self.tail), tuple(offsets), frame_bytes, timestamp_offset)


@dataclass(frozen=True)
class FixedExecute:
    """An EXECUTE frame with values of fixed lengths: `segments[0] value segments[1] value ... segments[-1]`.

    `value_offsets` and `timestamp_offset` (-1: none) are counted from the start of the frame, which has `frame_bytes`
    and needs its stream id and timestamp patched.
    """

    segments: tuple[bytes, ...]
    value_offsets: tuple[int, ...]
    frame_bytes: int
    timestamp_offset: int


def execute_template(
    statement_id: bytes,
    consistency: Consistency,
    value_count: int,
    *,
    skip_metadata: bool = False,
    page_size: int | None = None,
    serial_consistency: Consistency | None = None,
    timestamp: bool = False,
) -> ExecuteTemplate:
    """The template of a statement. Without `page_size` nothing is paged; `timestamp`: each frame carries one."""
    parameters = QueryParameters(
        consistency,
        values=(),
        skip_metadata=skip_metadata,
        page_size=page_size,
        serial_consistency=serial_consistency,
        timestamp_us=0 if timestamp else None,
    )
    empty = encode_frame(OP_EXECUTE, Execute(statement_id, parameters).encode_body())
    # header, [short bytes] id, consistency, flags, [short] number of values
    split = HEADER_BYTES + 2 + len(statement_id) + 2 + 1
    head = empty[:LENGTH_OFFSET] + bytes(4) + empty[HEADER_BYTES:split] + write_short(value_count)
    tail = empty[split + 2 :]
    return ExecuteTemplate(head, tail, value_count, len(tail) - TIMESTAMP_BYTES if timestamp else -1)

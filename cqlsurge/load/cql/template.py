"""The bytes of an EXECUTE frame that stay the same from one operation to the next: for loops that build frames by hand.

A frame is `head`, for each value its [int] length and bytes, `tail`. What a loop must patch: the stream id, the body
length, and the timestamp where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cqlsurge.load.cql.frames import HEADER_BYTES, OP_EXECUTE, encode_frame
from cqlsurge.load.cql.primitives import write_short
from cqlsurge.load.cql.requests import Execute, QueryParameters

if TYPE_CHECKING:
    from cqlsurge.load.cql.primitives import Consistency

STREAM_OFFSET = 2  # [short], big-endian
LENGTH_OFFSET = 5  # [int], big-endian, bytes after the header
TIMESTAMP_BYTES = 8  # [long], big-endian, microseconds; always the last field of the body


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

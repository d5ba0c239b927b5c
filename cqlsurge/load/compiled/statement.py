"""One statement of a workload, lowered: what routes it, what it binds and what its answer must be, as pieces."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cqlsurge.load.compiled.batches import BatchBody, before_parts, behind_parts
from cqlsurge.load.compiled.graph import Graph, Node
from cqlsurge.load.compiled.layout import Hole, Piece, int_piece, size_of
from cqlsurge.load.cql.frames import HEADER_BYTES, OP_BATCH, OP_EXECUTE, VERSION
from cqlsurge.load.cql.primitives import Consistency
from cqlsurge.load.cql.template import TIMESTAMP_BYTES, execute_template

if TYPE_CHECKING:
    from cqlsurge.load.compiled.functions import Functions
    from cqlsurge.load.workload.model import Kind

#: version, flags and stream id, with which every frame begins; the stream id is at STREAM_AT
HEAD_BYTES, STREAM_AT = 4, 2

Cells = Sequence[Sequence[Piece]]


@dataclass(frozen=True)
class Statement:
    """`key` are the pieces of the routing key; `binds` those of each bound value, with its length, as `answer` are of
    each cell of the one row that a read must give (None: any answer will do). Of a batch, `binds` are all parts."""

    kind: Kind
    key: Sequence[Piece]
    binds: Cells
    answer: Cells | None = None
    batch: BatchBody | None = None


@dataclass(frozen=True)
class Lowered:
    """A workload as one graph: `kind` is an INT node, the index of a number's statement."""

    graph: Graph
    kind: Node
    statements: tuple[Statement, ...]
    functions: Functions | None = None


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


def request_pieces(graph: Graph, statement: Statement, statement_id: bytes) -> list[Piece]:
    """An EXECUTE or BATCH frame, of stream 0; where the kind has a timestamp its last 8 bytes are that."""
    if statement.batch is not None:
        before, behind = before_parts(statement.kind), behind_parts(statement.kind)
    else:
        before, behind = execute_parts(statement.kind, statement_id)
    body: list[Piece] = [before, *(piece for bind in statement.binds for piece in bind)]
    body.append(behind + bytes(TIMESTAMP_BYTES if statement.kind.timestamp else 0))
    opcode = OP_EXECUTE if statement.batch is None else OP_BATCH
    return [bytes([VERSION, 0, 0, 0, opcode]), int_piece(size_of(graph, body)), *body]


def answer_pieces(statement: Statement) -> list[Piece] | None:
    """What stands in the RESULT body that a read must get behind the metadata's flags: number of columns, one row."""
    if statement.answer is None:
        return None
    head = struct.pack(">ii", len(statement.answer), 1)
    return [head, *(piece for each in statement.answer for piece in each)]


def composite(graph: Graph, columns: Sequence[Sequence[Piece]]) -> list[Piece]:
    """The routing key of a partition key's columns, given without lengths: of several, each with its length and a 0."""
    if len(columns) == 1:
        return list(columns[0])
    key: list[Piece] = []
    for column in columns:
        size = size_of(graph, column)
        key.append(struct.pack(">H", size.args[0]) if size.constant else Hole("h", size))
        key += [*column, b"\0"]
    return key

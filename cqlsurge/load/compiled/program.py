"""A compiled workload: what an engine calls, whatever the way of handling bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.compiled.dialects import Dialect
from cqlsurge.load.compiled.graph import Node
from cqlsurge.load.compiled.layout import Piece, segments, size_of
from cqlsurge.load.compiled.source import Names, Writer
from cqlsurge.load.compiled.statement import Lowered, answer_pieces, request_pieces
from cqlsurge.load.compiled.step import Steps

if TYPE_CHECKING:
    from cqlsurge.load.compiled.clock import Clock
    from cqlsurge.load.workload.model import Kind

#: what the rest of a frame is made from: whatever the workload's `step` had to compute anyway
Row = tuple[Any, ...]
#: (kind, row, token) of an operation
Step = tuple[int, Row, int]
#: how many rows are in bytes `body` to `past` of `data`, a RESULT body of Rows without metadata, if they are those that
#: an operation's number says; else WRONG
Accept = Callable[[Any, int, int, int], int]
WRONG = -1

ID_BYTES = 16
#: where in a RESULT body of Rows without metadata the number of columns stands
COLUMNS_AT = 8


class Template:
    """Makes the frames of one kind with one statement id."""

    def emit(self, connection: Any, sid: int, row: Row, due_ns: int) -> None:
        """Adds a frame to what the connection sends; `row` is what the workload's `step` gave."""
        raise AssertionError("a template must make frames")


class Program:
    """`step` and `step_anywhere` (where all tokens lead to one connection: the token is 0), templates, and judges.

    `accepts[kind]` and `answers[kind]`, which makes that part of an answer from a number that follows the metadata's
    flags, are None where any answer will do. `source` is all that was generated so far.
    """

    dialect: Dialect
    #: bytes of an answer as judges want them
    memory: Callable[[bytes], Any] = bytes
    step: Callable[[int], Step]
    step_anywhere: Callable[[int], Step]

    def __init__(self, lowered: Lowered, given: dict[str, Any]) -> None:
        self.lowered = lowered
        self.kinds: tuple[Kind, ...] = tuple([each.kind for each in lowered.statements])
        self.source = ""
        self.names = Names(given)
        self._templates: dict[tuple[int, int], Any] = {}
        steps = self._steps()
        self.rows = steps.rows
        self._define("\n".join(steps.lines))
        self.step, self.step_anywhere = self.names.values["step"], self.names.values["step_anywhere"]
        self.accepts: list[Accept | None] = [
            self._answer_function(index, "accept", self._accept_lines) for index in range(len(self.kinds))
        ]
        self.answers: list[Callable[[int], bytes] | None] = [
            self._answer_function(index, "answer", self._answer_lines) for index in range(len(self.kinds))
        ]

    def template(self, index: int, statement_id: bytes, clock: Clock) -> Template:
        """The template of a kind for a statement id."""
        key = (index, len(statement_id))
        if key not in self._templates:
            self._define("\n".join(self._template_lines(index, len(statement_id))))
            self._templates[key] = self.names.values[f"Template{index}"]
        graph, statement = self.lowered.graph, self.lowered.statements[index]
        if statement.batch is not None:
            statement.batch.prepared(statement_id)
        pieces = request_pieces(graph, statement, statement_id)
        size = size_of(graph, pieces)
        made: Template = self._templates[key](
            segments(pieces), size.args[0] if size.constant else 0, clock, statement.kind.timestamp
        )
        return made

    def _answer_function(self, index: int, name: str, lines: Callable[[int, Sequence[Piece]], list[str]]) -> Any:
        pieces = answer_pieces(self.lowered.statements[index])
        if pieces is None:
            return None
        self._define("\n".join(lines(index, pieces)))
        return self.names.values[f"{name}{index}"]

    def _define(self, text: str) -> None:
        self.source += text + "\n\n"
        exec(compile(text, "<workload>", "exec"), self.names.values)

    def _wanted(self) -> list[list[Node]]:
        """What the frame of each statement shows."""
        graph = self.lowered.graph
        every = [request_pieces(graph, each, bytes(ID_BYTES)) for each in self.lowered.statements]
        return [[*self._shown(pieces), size_of(graph, pieces)] for pieces in every]

    def _writer(self, row: Sequence[Node], indent: int) -> Writer:
        """For the inside of a function that is given a row."""
        return Writer(self.dialect, self.names, {node: f"n{node.index}" for node in row}, indent)

    def _shown(self, pieces: Sequence[Piece]) -> list[Node]:
        raise AssertionError("a program must say what its code asks for")

    def _steps(self) -> Steps:
        raise AssertionError("a program must say how it makes tokens")

    def _template_lines(self, index: int, id_bytes: int) -> list[str]:
        raise AssertionError("a program must make frames")

    def _accept_lines(self, index: int, pieces: Sequence[Piece]) -> list[str]:
        raise AssertionError("a program must judge answers")

    def _answer_lines(self, index: int, pieces: Sequence[Piece]) -> list[str]:
        raise AssertionError("a program must make answers")

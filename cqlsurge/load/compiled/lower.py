"""Workloads to graphs and layouts: every statement's place, key, bound values and expected answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.compiled.batches import BatchBody
from cqlsurge.load.compiled.cells import Cells
from cqlsurge.load.compiled.graph import OBJECT, Graph
from cqlsurge.load.compiled.keyvalue import lower_kv
from cqlsurge.load.compiled.layout import Data, Piece
from cqlsurge.load.compiled.scope import Scope, Unsupported
from cqlsurge.load.compiled.statement import Lowered, Statement, composite
from cqlsurge.load.compiled.tables import Table
from cqlsurge.load.compiled.where import Picks, Places
from cqlsurge.load.cql.primitives import write_value
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.load.workload.operations import SpecWorkload, key_type

if TYPE_CHECKING:
    from cqlsurge.load.workload.model import Operation, Workload
    from cqlsurge.load.workload.spec import StatementSpec


def lower(workload: Workload) -> Lowered:
    """The graph and layouts of a workload's phase."""
    if isinstance(workload, KeyValue):
        return lower_kv(workload)
    assert isinstance(workload, SpecWorkload)
    return Lowering(workload).lowered()


class Lowering:
    """Lowers one phase of a workload."""

    def __init__(self, load: SpecWorkload) -> None:
        self.load = load
        self.graph = Graph()
        self.cells = Cells(self.graph, load.run, load.user_types)
        self.places = Places(self.graph, load.mix)

    def lowered(self) -> Lowered:
        """The whole of it."""
        graph, load = self.graph, self.load
        kinds = load.kind_of_mix
        kind = self.places.place
        if kinds != list(range(len(kinds))):
            kind = graph.entry(Table(kinds), kind) if not kind.constant else graph.constant(kinds[0])
        statements = [self._idle(index) for index in range(len(load.kinds))]
        for place, index in enumerate(kinds):
            statements[index] = self._statement(place, index)
        return Lowered(graph, kind, tuple(statements), self.cells.functions)

    def _idle(self, index: int) -> Statement:
        """A statement that this phase never draws."""
        kind = self.load.kinds[index]
        return Statement(kind, [], [[write_value(None)] for _ in kind.binds])

    def _statement(self, place: int, index: int) -> Statement:
        load = self.load
        statement, kind = load.statements[index], load.kinds[index]
        picker = load.pickers[place]
        if statement.batch:
            return self._batch(statement, index)
        if not statement.prepared and statement.kind != "ddl":
            raise Unsupported(f"statement {statement.name}: statements that are not prepared")
        if statement.many != 1:
            return self._asked(statement, index)
        at = Picks(self.graph, self.cells.numbers, self.places, picker).scope(load, self.places.ordinal(place))
        binds = [self.cells.cell(bind.expr, self.cells.type(bind.type), at) for bind in statement.binds]
        key = composite(self.graph, [self._key(statement, position, at) for position in statement.key])
        return Statement(kind, key, binds)

    def _key(self, statement: StatementSpec, position: int, at: Scope) -> Sequence[Piece]:
        expr, cql_type = statement.binds[position].expr, self.cells.type(key_type(statement, position))
        if expr.op in ("maybe", "null") or (expr.op == "const" and expr.data is None):
            load, text = self.load, key_type(statement, position)
            ask = self.cells.numbers.asked(expr)

            def encoded(*place: Any) -> bytes:
                cell = load.encode(text, ask(*place))
                return cell if isinstance(cell, bytes) else b""

            return [Data(self.graph.call(encoded, *at.nodes()))]
        return self.cells.value(expr, cql_type, at)

    def _batch(self, statement: StatementSpec, index: int) -> Statement:
        """By whole operations of the plain interpreter, whose parts become the body of a frame."""
        graph, load = self.graph, self.load
        operation = graph.call(load.operation, graph.number, type=OBJECT)
        body = BatchBody(load.kinds[index])
        key: list[Piece] = [Data(graph.call(_routing_key, operation))] if statement.key else []
        return Statement(load.kinds[index], key, [[Data(graph.call(body, operation))]], batch=body)

    def _asked(self, statement: StatementSpec, index: int) -> Statement:
        """By whole operations of the plain interpreter."""
        graph, load = self.graph, self.load
        operation = graph.call(load.operation, graph.number, type=OBJECT)
        binds = [[Data(graph.call(_bind(place), operation))] for place in range(len(statement.binds))]
        key: list[Piece] = [Data(graph.call(_routing_key, operation))] if statement.key else []
        return Statement(load.kinds[index], key, binds)


def _bind(place: int) -> Callable[[Operation], bytes]:
    return lambda operation: write_value(operation.cells[place])


def _routing_key(operation: Operation) -> bytes:
    return operation.routing_key or b""

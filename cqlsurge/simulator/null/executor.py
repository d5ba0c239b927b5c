"""Statements that keep nothing: every write is taken, every read of a whole partition key finds its one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.primitives import Unset
from cqlsurge.load.cql.results import Row, Rows, Void
from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.execution.executor import Executor
from cqlsurge.simulator.execution.request import Context, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cqlsurge.load.cql.primitives import Value
    from cqlsurge.simulator.execution.compiled import Compiled
    from cqlsurge.simulator.null.values import NullValues
    from cqlsurge.simulator.topology import Topology


class NullExecutor(Executor):
    """Bound statements on user tables answer from nothing; all else is done as in a real cluster."""

    def __init__(self, topology: Topology, values: NullValues, *, tablets: bool = False) -> None:
        super().__init__(topology, tablets=tablets)
        self.null_values = values

    def run(self, ready: Compiled, context: Context) -> Outcome:
        if not is_null(ready) or len(context.values) != len(ready.markers):
            return super().run(ready, context)
        key = self._touch(ready, context, context.values)
        if isinstance(ready.statement, ast.Select) and ready.result is not None:
            return Outcome(self._rows(ready, context, key))
        return Outcome(Void())

    def run_batch(self, parts: Sequence[tuple[Compiled, Sequence[Value]]], context: Context) -> Outcome:
        if not all(is_null(ready) for ready, _ in parts):
            return super().run_batch(parts, context)
        for ready, values in parts:
            self._touch(ready, context, values)
        return Outcome(Void())

    def _touch(self, ready: Compiled, context: Context, values: Sequence[Value]) -> list[bytes]:
        found = [values[at] for at in ready.pk_indexes]
        key = [value for value in found if value is not None and not isinstance(value, Unset)]
        if ready.table is not None and len(key) == len(ready.pk_indexes):
            context.touch(ready.table, key)
        return key

    def _rows(self, ready: Compiled, context: Context, key: list[bytes]) -> Rows:
        """Key columns as they were bound, blobs of the asked size, null for all else."""
        columns = ready.result or ()
        bound = {ready.markers[index].name: context.values[index] for index in range(len(ready.markers))}
        row: Row = tuple(
            self.null_values.value(key[0] if key else b"")
            if column.type == t.BLOB and column.name not in bound
            else _cell(bound.get(column.name))
            for column in columns
        )
        return Rows(len(columns), [row], None if context.skip_metadata else columns)


def is_null(ready: Compiled) -> bool:
    """Whether a statement is answered from nothing: the whole partition key bound, no condition, plain columns."""
    if ready.table is None or ready.table.placement is None or not ready.pk_indexes or ready.conditional:
        return False
    statement = ready.statement
    if isinstance(statement, ast.Select):
        return all(selector.function is None for selector in statement.selectors)
    return isinstance(statement, ast.Write)


def _cell(value: Value) -> bytes | None:
    return None if isinstance(value, Unset) else value

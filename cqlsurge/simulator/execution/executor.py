"""One cluster's statements: prepared, run alone or in batches. Knows nothing of connections."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cqlsurge.load.cql.results import Prepared, Rows, SchemaChangeResult, SetKeyspace, Void
from cqlsurge.load.cql.types import BIGINT
from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.execution.compiled import Compiled, compile_statement
from cqlsurge.simulator.execution.define import Definer
from cqlsurge.simulator.execution.modify import Writer
from cqlsurge.simulator.execution.request import Context, Outcome
from cqlsurge.simulator.execution.select import select
from cqlsurge.simulator.execution.terms import evaluate
from cqlsurge.simulator.schema import Schema, SchemaError
from cqlsurge.simulator.store import Store
from cqlsurge.simulator.system.rows import SystemRows
from cqlsurge.simulator.system.tables import add_system_keyspaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cqlsurge.load.cql.primitives import Value
    from cqlsurge.simulator.system.rows import Row
    from cqlsurge.simulator.topology import SimulatedNode, Topology

LWT_MARK = 0x80000000
COMPILED_MAX = 1000


class Executor:
    """The data and schema of a simulated cluster, and the statements that each node has prepared."""

    def __init__(
        self,
        topology: Topology,
        *,
        tablets: bool = False,
        clients: Callable[[SimulatedNode], Iterable[Row]] = lambda _: (),
    ) -> None:
        self.topology = topology
        self.schema = Schema()
        self.store = Store()
        add_system_keyspaces(self.schema, scylla=topology.scylla)
        self._system = SystemRows(topology, self.schema, clients)
        self._definer = Definer(self.schema, self.store, topology, tablets=tablets)
        self._prepared: dict[tuple[int, bytes], Compiled] = {}
        self._compiled: dict[tuple[str, str | None], Compiled] = {}

    def compiled(self, text: str, keyspace: str | None) -> Compiled:
        """A statement made ready under the schema as it is now. Raises CqlSyntaxError or SchemaError."""
        ready = self._compiled.get((text, keyspace))
        if ready is None or ready.schema_version != self.schema.version:
            ready = compile_statement(text, keyspace, self.schema, scylla=self.topology.scylla)
            if len(self._compiled) >= COMPILED_MAX:
                self._compiled.clear()
            self._compiled[text, keyspace] = ready
        return ready

    def prepare(self, text: str, keyspace: str | None, node: SimulatedNode, *, mark_lwt: bool) -> Prepared:
        """PREPARE on a node: the id is the same on all of them, but each has to be told."""
        ready = self.compiled(text, keyspace)
        statement_id = hashlib.md5(f"{keyspace or ''}\0{text}".encode(), usedforsecurity=False).digest()
        self._prepared[node.index, statement_id] = ready
        flags = LWT_MARK if mark_lwt and ready.conditional else 0
        return Prepared(statement_id, ready.markers, ready.pk_indexes, ready.result, flags)

    def prepared(self, node: SimulatedNode, statement_id: bytes) -> Compiled | None:
        """The statement that a node knows under an id, ready under the schema as it is now."""
        ready = self._prepared.get((node.index, statement_id))
        if ready is None or ready.schema_version == self.schema.version:
            return ready
        try:
            ready = self._prepared[node.index, statement_id] = self.compiled(ready.text, ready.keyspace)
        except SchemaError:
            # Its table was dropped: the node has forgotten it, as Cassandra and ScyllaDB do.
            self.forget_prepared(node, statement_id)
            return None
        return ready

    def forget_prepared(self, node: SimulatedNode, statement_id: bytes | None = None) -> None:
        """As if the node had restarted or evicted the statement."""
        for key in [key for key in self._prepared if key[0] == node.index and statement_id in (None, key[1])]:
            del self._prepared[key]

    def run(self, ready: Compiled, context: Context) -> Outcome:
        """Run one statement. Raises SchemaError."""
        statement = ready.statement
        if len(context.values) != len(ready.markers):
            raise SchemaError(f"Invalid amount of bind variables: {len(context.values)} for {len(ready.markers)}")
        if isinstance(statement, ast.Select):
            return Outcome(select(ready, statement, context, self.store, self._system))
        if isinstance(statement, ast.Write) and ready.table is not None:
            return Outcome(Writer(context, self.store, scylla=self.topology.scylla).write(statement, ready.table))
        if isinstance(statement, ast.Batch):
            return Outcome(self._batch([(ready, statement, context.values)], context))
        if isinstance(statement, ast.Use):
            self.schema.keyspace(statement.keyspace)
            return Outcome(SetKeyspace(statement.keyspace), keyspace=statement.keyspace)
        if isinstance(statement, ast.Truncate):
            table = self.schema.table(statement.table.keyspace or ready.keyspace, statement.table.name)
            self.store.forget(table.id)
            return Outcome(Void())
        change = self._definer.define(statement, ready.keyspace)
        return Outcome(SchemaChangeResult(change) if change else Void(), change=change)

    def run_batch(self, parts: Sequence[tuple[Compiled, Sequence[Value]]], context: Context) -> Outcome:
        """Run the statements of a BATCH message. Raises SchemaError."""
        return Outcome(self._batch([(ready, ready.statement, values) for ready, values in parts], context))

    def _batch(self, parts: Sequence[tuple[Compiled, ast.Statement, Sequence[Value]]], context: Context) -> Rows | Void:
        answer: Rows | Void = Void()
        for ready, statement, values in parts:
            if len(values) != len(ready.markers):
                raise SchemaError(f"Invalid amount of bind variables: {len(values)} for {len(ready.markers)}")
            context.values = values
            writer = Writer(context, self.store, scylla=self.topology.scylla)
            if isinstance(statement, ast.Write) and ready.table is not None:
                answer = _worse(answer, writer.write(statement, ready.table))
            elif isinstance(statement, ast.Batch):
                at_us = None if statement.timestamp is None else evaluate(statement.timestamp, BIGINT, values)
                for write in statement.statements:
                    table = self.schema.table(write.table.keyspace or ready.keyspace, write.table.name)
                    answer = _worse(answer, writer.write(write, table, at_us))
            else:
                raise SchemaError("Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.")
        return answer


def _worse(before: Rows | Void, now: Rows | Void) -> Rows | Void:
    """A batch answers with its first conditional statement that was not applied, else with its last condition."""
    if isinstance(before, Rows) and (isinstance(now, Void) or before.rows[0][0] == b"\0"):
        return before
    return now

"""INSERT, UPDATE, DELETE and conditional writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.primitives import Unset
from cqlsurge.load.cql.results import Rows, Void
from cqlsurge.simulator.execution.compiled import applied_columns, element_types
from cqlsurge.simulator.execution.relations import Filter, named_keys
from cqlsurge.simulator.execution.select import partition_rows
from cqlsurge.simulator.execution.terms import deserialize, evaluate, resolve, resolve_key, serialize
from cqlsurge.simulator.schema import SchemaError
from cqlsurge.simulator.store import Cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cqlsurge.simulator.cql import ast
    from cqlsurge.simulator.execution.request import Context
    from cqlsurge.simulator.schema import Column, Table
    from cqlsurge.simulator.store import Partition, Row, Store

Key = tuple[bytes, ...]


#: how many elements: none
EMPTY_COLLECTION = bytes(4)


class Writer:
    """Writes of one request; all of them share its time."""

    def __init__(self, context: Context, store: Store, *, scylla: bool) -> None:
        self._context = context
        self._store = store
        self._scylla = scylla

    def write(self, write: ast.Write, table: Table, default_timestamp_us: int | None = None) -> Rows | Void:
        """Do it; what to answer. Raises SchemaError."""
        if table.placement is None:
            raise SchemaError(f"{table.keyspace}.{table.name} cannot be modified")
        keys, clusterings = self._keys(write, table)
        for key in keys:
            self._context.touch(table, key)
        if write.condition is not None:
            return self._conditional(write, table, keys, clusterings)
        self._apply(write, table, keys, clusterings, default_timestamp_us)
        return Void()

    def _apply(
        self, write: ast.Write, table: Table, keys: list[Key], clusterings: list[Key] | None, default_us: int | None
    ) -> None:
        cell = self._cell(write, default_us)
        for key in keys:
            partition = self._store.partition(table.id, key)
            if write.verb == "delete":
                self._delete(write, table, partition, clusterings, key, cell.timestamp_us)
                continue
            for clustering in clusterings or [()]:
                self._upsert(write, table, partition, clustering, cell)

    def _keys(self, write: ast.Write, table: Table) -> tuple[list[Key], list[Key] | None]:
        """The partition keys, and the clustering keys where they are named in full."""
        values = self._context.values
        if write.verb == "insert":
            terms = {assignment.column: assignment.value for assignment in write.assignments}
            clustered = not _only_statics(write, table)
            return [_inserted(table.partition_key, terms, values)], [
                _inserted(table.clustering_key, terms, values) if clustered else ()
            ]
        keys = named_keys(table.partition_key, write.where, values)
        if keys is None:
            missing = [c.name for c in table.partition_key if all(c.name not in r.columns for r in write.where)]
            raise SchemaError(f"Some partition key parts are missing: {', '.join(missing)}")
        clusterings = named_keys(table.clustering_key, write.where, values)
        if clusterings is None and write.verb == "update" and not _only_statics(write, table):
            raise SchemaError("Some clustering keys are missing")
        return keys, clusterings

    def _cell(self, write: ast.Write, default_us: int | None) -> Cell:
        """The time and expiry of this write, as a row marker."""
        context = self._context
        timestamp = None if write.timestamp is None else evaluate(write.timestamp, t.BIGINT, context.values)
        for fallback in (default_us, context.timestamp_us, context.now_us):
            timestamp = fallback if timestamp is None else timestamp
        seconds = 0 if write.ttl is None else evaluate(write.ttl, t.INT, context.values) or 0
        if seconds < 0:
            raise SchemaError("A TTL must be greater or equal to 0")
        return Cell(timestamp or 0, b"", context.now_us + seconds * 1_000_000 if seconds else None)

    def _upsert(self, write: ast.Write, table: Table, partition: Partition, clustering: Key, cell: Cell) -> None:
        row: Row | None = None
        if write.verb == "insert" and (clustering or not table.clustering_key):
            row = partition.row(clustering)
            row.mark(cell)
        for assignment in write.assignments:
            column = table.column(assignment.column)
            if column.kind in ("partition_key", "clustering"):
                if write.verb == "update":
                    raise SchemaError(f"PRIMARY KEY part {column.name} found in SET part")
                continue
            if column.kind == "regular" and row is None:
                row = partition.row(clustering)
            target = partition.statics if column.kind == "static" or row is None else row
            value = self._assigned(assignment, column, target)
            if value == EMPTY_COLLECTION and column.by_element:
                value = None
            if not isinstance(value, Unset):
                target.put(column.name, cell._replace(value=value))

    def _assigned(self, assignment: ast.Assignment, column: Column, row: Row) -> Any:
        if assignment.key is not None:
            return self._element(assignment, column, row)
        value = resolve(assignment.value, column.type, self._context.values)
        if assignment.operator == "=" or value is None or isinstance(value, Unset):
            return value
        before = _before(column, row)
        change = deserialize(column.type, value)
        return _combined(column, assignment.operator, before, change)

    def _element(self, assignment: ast.Assignment, column: Column, row: Row) -> bytes:
        """`column[key] = value`: a null value takes a map's key away."""
        key_type, element_type = element_types(column.name, column.type)
        key = evaluate(assignment.key, key_type, self._context.values)
        value = evaluate(assignment.value, element_type, self._context.values)
        held = _before(column, row)
        if isinstance(column.type, t.MapType):
            held = {**(held or {}), key: value}
            return serialize(column.type, {name: item for name, item in held.items() if item is not None})
        if not isinstance(key, int) or not 0 <= key < len(held or []):
            raise SchemaError(f"List index {key} out of bound, list has size {len(held or [])}")
        held[key] = value
        return serialize(column.type, held)

    def _delete(
        self, write: ast.Write, table: Table, partition: Partition, clusterings: list[Key] | None, key: Key, at_us: int
    ) -> None:
        if clusterings is not None and table.clustering_key:
            for row in map(partition.row, clusterings):
                self._delete_cells(write, table, partition, row, at_us)
        elif write.deleted:
            self._delete_cells(write, table, partition, partition.row(()), at_us)
        elif len(write.where) == len(table.partition_key):
            partition.deleted_us = max(partition.deleted_us, at_us)
        else:
            fits = Filter(table, write.where, self._context.values).fits
            for found in list(partition_rows(table, key, partition, self._context.now_us)):
                if fits(found.values):
                    clustering = tuple(found.values[column.name] or b"" for column in table.clustering_key)
                    partition.row(clustering).delete(at_us)

    def _delete_cells(self, write: ast.Write, table: Table, partition: Partition, row: Row, at_us: int) -> None:
        if not write.deleted:
            row.delete(at_us)
        for name in write.deleted:
            target = partition.statics if table.column(name).kind == "static" else row
            target.put(name, Cell(at_us, None))

    def _conditional(self, write: ast.Write, table: Table, keys: list[Key], clusterings: list[Key] | None) -> Rows:
        if len(keys) != 1 or (clusterings is not None and len(clusterings) > 1):
            raise SchemaError("IN on the PRIMARY KEY is not supported with conditional updates")
        # Without clustering columns named, the condition can only be about statics: any row of the partition tells.
        wanted = clusterings[0] if clusterings else None
        partition = self._store.find(table.id, keys[0])
        found: dict[str, bytes | None] | None = None
        for row in partition_rows(table, keys[0], partition, self._context.now_us) if partition else ():
            if wanted is None or tuple(row.values.get(column.name) for column in table.clustering_key) == wanted:
                found = row.values
        if write.condition == "not exists":
            applied = found is None
        elif write.condition == "exists":
            applied = found is not None
        else:
            applied = Filter(table, write.condition, self._context.values).fits(found or {})
        if applied:
            self._apply(write, table, keys, clusterings, None)
        columns = applied_columns(write, table)
        if not self._scylla and (applied or found is None):
            columns = columns[:1]
        shown = [serialize(t.BOOLEAN, applied), *((found or {}).get(column.name) for column in columns[1:])]
        # Cassandra names these columns whatever the client asks for.
        unnamed = self._context.skip_metadata and self._scylla
        return Rows(len(columns), [tuple(shown)], None if unnamed else columns)


def _inserted(columns: list[Column], terms: dict[str, Any], values: Sequence[Any]) -> Key:
    missing = [column.name for column in columns if column.name not in terms]
    if missing:
        raise SchemaError(f"Missing mandatory PRIMARY KEY part {missing[0]}")
    return tuple(resolve_key(terms[column.name], column.type, values, column.name) for column in columns)


def _only_statics(write: ast.Write, table: Table) -> bool:
    """Whether a write names nothing of a row but statics (beside the partition key, in an INSERT)."""
    kinds = {table.column(assignment.column).kind for assignment in write.assignments}
    return "static" in kinds and kinds <= {"static", "partition_key"}


def _before(column: Column, row: Row) -> Any:
    """The Python value that a column has so far."""
    old = row.cells.get(column.name)
    return None if old is None or old.value is None else deserialize(column.type, old.value)


def _combined(column: Column, operator: str, before: Any, change: Any) -> bytes:
    """`c + change` or `c - change` for counters and collections."""
    if isinstance(column.type, t.NativeType):
        if column.type != t.COUNTER:
            raise SchemaError(
                f"Invalid operation ({column.name} = {column.name} {operator} ...) for a non counter column"
            )
        return serialize(column.type, (before or 0) + (change if operator == "+" else -change))
    if isinstance(column.type, t.MapType):
        kept = {**(before or {}), **change} if operator == "+" else before
        return serialize(column.type, kept or {})
    held = list(before or [])
    if operator == "+":
        held += [item for item in change if isinstance(column.type, t.ListType) or item not in held]
    else:
        held = [item for item in held if item not in change]
    return serialize(column.type, held)

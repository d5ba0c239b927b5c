"""Statements made ready: their table, bind markers, result columns and what the routing key is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.results import Column as WireColumn
from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.cql.parser import parse
from cqlsurge.simulator.schema import Column, Schema, SchemaError, Table

if TYPE_CHECKING:
    from cqlsurge.load.cql.types import CqlType


@dataclass
class Compiled:
    """`operation` is read, write, batch or other; `pk_indexes` are empty unless the whole partition key is bound."""

    text: str
    keyspace: str | None
    statement: ast.Statement
    operation: str
    table: Table | None = None
    markers: tuple[WireColumn, ...] = ()
    pk_indexes: tuple[int, ...] = ()
    result: tuple[WireColumn, ...] | None = None
    conditional: bool = False
    schema_version: Any = None


def compile_statement(text: str, keyspace: str | None, schema: Schema, *, scylla: bool) -> Compiled:
    """Parse and look everything up. Raises CqlSyntaxError or SchemaError."""
    statement, markers = parse(text)
    ready = Compiled(text, keyspace, statement, "other", schema_version=schema.version)
    named = _Named(keyspace, schema, markers)
    if isinstance(statement, ast.Select):
        ready.operation = "read"
        ready.table = table = named.table(statement.table)
        _select_markers(named, statement, table)
        ready.result = result_columns(statement, table)
    elif isinstance(statement, ast.Write):
        ready.operation = "write"
        ready.table = table = named.table(statement.table)
        _write_markers(named, statement, table)
        ready.conditional = statement.condition is not None
        if ready.conditional and scylla:
            ready.result = applied_columns(statement, table)
    elif isinstance(statement, ast.Batch):
        ready.operation = "batch"
        for write in statement.statements:
            ready.table = named.table(write.table)
            _write_markers(named, write, ready.table)
        ready.conditional = any(write.condition is not None for write in statement.statements)
    ready.markers = named.finish()
    if ready.table is not None and ready.operation != "batch":
        ready.pk_indexes = _pk_indexes(statement, ready.table)
    return ready


@dataclass
class _Named:
    """Collects the column that each bind marker stands for."""

    keyspace: str | None
    schema: Schema
    markers: tuple[ast.Marker, ...]
    found: dict[int, WireColumn] = field(default_factory=dict)

    def table(self, name: ast.TableName) -> Table:
        return self.schema.table(name.keyspace or self.keyspace, name.name)

    def term(self, term: Any, table: Table, name: str, cql_type: CqlType) -> None:
        if isinstance(term, ast.Marker):
            self.found[term.index] = WireColumn(table.keyspace, table.name, term.name or name, cql_type)
        elif isinstance(term, ast.Collection):
            for item, inner in _parts(term, cql_type):
                self.term(item, table, f"{name}[...]", inner)

    def finish(self) -> tuple[WireColumn, ...]:
        missing = [marker for marker in self.markers if marker.index not in self.found]
        if missing:
            raise SchemaError("a bind marker stands where none can")
        return tuple(self.found[at] for at in range(len(self.markers)))


def _parts(term: ast.Collection, cql_type: CqlType) -> list[tuple[Any, CqlType]]:
    """The terms inside a collection, each with its type."""
    if isinstance(cql_type, t.MapType):
        keys = [(key, cql_type.key) for key, _ in term.items]
        return keys + [(value, cql_type.value) for _, value in term.items]
    if isinstance(cql_type, (t.ListType, t.SetType, t.VectorType)):
        return [(item, cql_type.element) for item in term.items]
    if isinstance(cql_type, t.TupleType):
        return [(item, cql_type.elements[at]) for at, item in enumerate(term.items) if at < len(cql_type.elements)]
    if isinstance(cql_type, t.UserType):
        types = dict(cql_type.fields)
        return [(value, types[key.value]) for key, value in term.items if key.value in types]
    return []


def _relation_markers(named: _Named, relations: tuple[ast.Relation, ...], table: Table) -> None:
    for relation in relations:
        if relation.form == "token" and isinstance(relation.value, ast.Call) and relation.value.name == "token":
            for column, term in zip(table.partition_key, relation.value.arguments):  # noqa: B905
                named.term(term, table, column.name, column.type)
            continue
        if relation.form == "token":
            named.term(relation.value, table, f"partition key of {table.keyspace}.{table.name}", t.BIGINT)
            continue
        columns = [table.column(name) for name in relation.columns]
        kind: CqlType = columns[0].type if relation.form == "column" else t.TupleType(tuple(c.type for c in columns))
        name = columns[0].name if relation.form == "column" else f"({','.join(relation.columns)})"
        if relation.operator == "in":
            if isinstance(relation.value, ast.Marker):
                named.term(relation.value, table, f"in({name})", t.ListType(kind))
            else:
                for item in relation.value.items:
                    named.term(item, table, name, kind)
        else:
            named.term(relation.value, table, name, kind)


def _select_markers(named: _Named, statement: ast.Select, table: Table) -> None:
    _relation_markers(named, statement.where, table)
    for limit in (statement.limit, statement.per_partition_limit):
        named.term(limit, table, "[limit]", t.INT)


def _write_markers(named: _Named, write: ast.Write, table: Table) -> None:
    named.term(write.timestamp, table, "[timestamp]", t.BIGINT)
    named.term(write.ttl, table, "[ttl]", t.INT)
    for assignment in write.assignments:
        name, of = assignment.column, table.column(assignment.column).type
        if assignment.key is None:
            named.term(assignment.value, table, name, of)
        else:
            key_type, element_type = element_types(name, of)
            named.term(assignment.key, table, f"key({name})", key_type)
            named.term(assignment.value, table, f"value({name})", element_type)
    for name in write.deleted:
        table.column(name)
    _relation_markers(named, write.where, table)
    if isinstance(write.condition, tuple):
        _relation_markers(named, write.condition, table)


def element_types(name: str, cql_type: CqlType) -> tuple[CqlType, CqlType]:
    """The types of key and value in `column[key] = value`."""
    if isinstance(cql_type, t.MapType):
        return cql_type.key, cql_type.value
    if isinstance(cql_type, t.ListType):
        return t.INT, cql_type.element
    raise SchemaError(f"Invalid operation ({name}[...] = ...) for {cql_type} column {name}")


def _pk_indexes(statement: ast.Statement, table: Table) -> tuple[int, ...]:
    terms: dict[str, Any] = {}
    if isinstance(statement, ast.Write) and statement.verb == "insert":
        terms = {assignment.column: assignment.value for assignment in statement.assignments}
    elif isinstance(statement, (ast.Write, ast.Select)):
        terms = {r.columns[0]: r.value for r in statement.where if r.form == "column" and r.operator == "="}
    found = [terms.get(column.name) for column in table.partition_key]
    if not all(isinstance(term, ast.Marker) for term in found):
        return ()
    return tuple(term.index for term in found if isinstance(term, ast.Marker))


def result_columns(statement: ast.Select, table: Table) -> tuple[WireColumn, ...]:
    """What a SELECT returns."""
    if not statement.selectors:
        return tuple(_wire(column, table) for column in table.in_order())
    found = []
    for selector in statement.selectors:
        column = selected_column(selector, table)
        found.append(column._replace(name=selector.alias) if selector.alias else column)
    return tuple(found)


def selected_column(selector: ast.Selector, table: Table) -> WireColumn:
    if selector.function is None:
        return _wire(table.column(selector.columns[0]), table)
    for name in selector.columns:
        table.column(name)
    if selector.function == "count":
        name = f"count({selector.columns[0]})" if selector.columns else "count"
        return WireColumn(table.keyspace, table.name, name, t.BIGINT)
    name = f"{'system.' if selector.function == 'token' else ''}{selector.function}({', '.join(selector.columns)})"
    return WireColumn(table.keyspace, table.name, name, t.INT if selector.function == "ttl" else t.BIGINT)


def _wire(column: Column, table: Table) -> WireColumn:
    return WireColumn(table.keyspace, table.name, column.name, column.type)


def applied_columns(write: ast.Write, table: Table) -> tuple[WireColumn, ...]:
    """What a conditional write returns: [applied], then the whole row (IF [NOT] EXISTS) or the columns compared."""
    applied = WireColumn(table.keyspace, table.name, "[applied]", t.BOOLEAN)
    if isinstance(write.condition, tuple):
        names = dict.fromkeys(relation.columns[0] for relation in write.condition)
        return (applied, *(_wire(table.column(name), table) for name in names))
    return (applied, *(_wire(column, table) for column in table.in_order()))

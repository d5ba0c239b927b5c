"""CREATE, ALTER, DROP and TRUNCATE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import WireValueError
from cqlsurge.load.cql.schema_change import SchemaChange
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.placement import Placement, default_tablet_count, uses_tablets
from cqlsurge.simulator.schema import Column, Keyspace, SchemaError, Table, UserType

if TYPE_CHECKING:
    from cqlsurge.load.cql.types import CqlType
    from cqlsurge.simulator.schema import Schema
    from cqlsurge.simulator.store import Store
    from cqlsurge.simulator.topology import Topology

_LONG_STRATEGY = "org.apache.cassandra.locator."


class Definer:
    """Changes the schema; `tablets` is whether new keyspaces have them unless they say otherwise."""

    def __init__(self, schema: Schema, store: Store, topology: Topology, *, tablets: bool) -> None:
        self._schema = schema
        self._store = store
        self._topology = topology
        self._tablets = tablets

    def define(self, statement: ast.Statement, keyspace: str | None) -> SchemaChange | None:
        """Do it; None where IF [NOT] EXISTS left nothing to do. Raises SchemaError."""
        if isinstance(statement, ast.CreateKeyspace):
            change = self._keyspace(statement)
        elif isinstance(statement, ast.CreateTable):
            change = self._table(statement, keyspace)
        elif isinstance(statement, ast.AlterTable):
            change = self._alter(statement, keyspace)
        elif isinstance(statement, ast.CreateType):
            change = self._type(statement, keyspace)
        elif isinstance(statement, ast.Drop):
            change = self._drop(statement, keyspace)
        else:
            raise SchemaError(f"{type(statement).__name__} cannot be prepared or run here")
        if change is not None:
            self._schema.changed()
        return change

    def _keyspace(self, statement: ast.CreateKeyspace) -> SchemaChange | None:
        name = statement.name
        known = self._schema.keyspaces.get(name)
        if statement.alter:
            known = self._user_keyspace(name)
        elif known is not None:
            if statement.if_not_exists:
                return None
            raise SchemaError(f"Keyspace '{name}' already exists", "exists", name)
        if not re.fullmatch(r"\w{1,48}", name):
            raise SchemaError(f"Keyspace name must be 1 to 48 letters, digits or underscores: {name!r}")
        replication = statement.options.get("replication") or (known.replication if known else None)
        if not isinstance(replication, dict) or "class" not in replication:
            raise SchemaError("Missing mandatory replication strategy class", "config")
        replication = self._replication(replication)
        keyspace = known or Keyspace(name, replication)
        keyspace.replication = replication
        keyspace.durable_writes = statement.options.get("durable_writes", keyspace.durable_writes)
        if known is None:
            keyspace.tablets = self._tablet_count(statement.options.get("tablets") or {}, replication)
            self._schema.keyspaces[name] = keyspace
        for table in keyspace.tables.values():
            table.placement = self._placement(keyspace, table.options)
        return SchemaChange("UPDATED" if known else "CREATED", "KEYSPACE", name)

    def _replication(self, given: dict[str, str]) -> dict[str, str]:
        """With the full class name, and replication_factor spread over the data centres as servers do."""
        short = given["class"].rsplit(".", 1)[-1]
        if short not in ("SimpleStrategy", "NetworkTopologyStrategy", "LocalStrategy", "EverywhereStrategy"):
            raise SchemaError(f"Unable to find replication strategy class '{given['class']}'", "config")
        options = {key: value for key, value in given.items() if key != "class"}
        if not all(re.fullmatch(r"[0-9]+(/[0-9]+)?", value) for value in options.values()):
            raise SchemaError(f"Replication factors must be whole numbers: {options}", "config")
        names = {node.datacenter for node in self._topology.nodes}
        if short == "NetworkTopologyStrategy":
            spread = options.pop("replication_factor", None)
            options = {**dict.fromkeys(sorted(names), spread), **options} if spread else options
            unknown = sorted(set(options) - names)
            if unknown:
                raise SchemaError(f"Unrecognized strategy option {{{unknown[0]}}} passed to {short}", "config")
        elif short == "SimpleStrategy" and list(options) != ["replication_factor"]:
            raise SchemaError("SimpleStrategy requires a replication_factor strategy option.", "config")
        return {"class": _LONG_STRATEGY + short, **options}

    def _tablet_count(self, given: dict[str, str], replication: dict[str, str]) -> int:
        enabled = given.get("enabled", str(self._tablets)).lower() == "true"
        if enabled and not self._tablets:
            raise SchemaError("Tablets are not enabled on this cluster", "config")
        if not enabled or not uses_tablets(replication):
            return 0
        initial = given.get("initial", "0")
        return int(initial) if initial.isdigit() and int(initial) else default_tablet_count(self._topology)

    def _placement(self, keyspace: Keyspace, options: dict[str, Any]) -> Placement:
        count = keyspace.tablets
        wanted = options.get("tablets")
        if count and isinstance(wanted, dict) and str(wanted.get("min_tablet_count", "")).isdigit():
            count = int(wanted["min_tablet_count"])
        return Placement(self._topology, keyspace.replication, count)

    def _user_keyspace(self, name: str | None) -> Keyspace:
        keyspace = self._schema.keyspace(name)
        if keyspace.system:
            raise SchemaError(f"{name} keyspace is not user-modifiable.")
        return keyspace

    def _table(self, statement: ast.CreateTable, keyspace_name: str | None) -> SchemaChange | None:
        keyspace = self._user_keyspace(statement.table.keyspace or keyspace_name)
        name = statement.table.name
        if name in keyspace.tables:
            if statement.if_not_exists:
                return None
            raise SchemaError(f"Cannot add already existing table {name!r}", "exists", keyspace.name, name)
        columns = table_columns(statement, keyspace)
        table = Table(keyspace.name, name, columns, options=dict(statement.options))
        table.placement = self._placement(keyspace, statement.options)
        keyspace.tables[name] = table
        return SchemaChange("CREATED", "TABLE", keyspace.name, name)

    def _alter(self, statement: ast.AlterTable, keyspace_name: str | None) -> SchemaChange:
        keyspace = self._user_keyspace(statement.table.keyspace or keyspace_name)
        table = self._schema.table(keyspace.name, statement.table.name)
        columns = dict(table.columns)
        for name, text, static in statement.added:
            if name in columns:
                raise SchemaError(f"Invalid column name {name} because it conflicts with an existing column")
            columns[name] = Column(name, text, column_type(text, keyspace), "static" if static else "regular")
        for name in statement.dropped:
            if table.column(name).kind in ("partition_key", "clustering"):
                raise SchemaError(f"Cannot drop PRIMARY KEY part {name}")
            del columns[name]
        changed = Table(table.keyspace, table.name, columns, table.id, {**table.options, **statement.options})
        changed.placement = table.placement
        keyspace.tables[table.name] = changed
        return SchemaChange("UPDATED", "TABLE", keyspace.name, table.name)

    def _type(self, statement: ast.CreateType, keyspace_name: str | None) -> SchemaChange | None:
        keyspace = self._user_keyspace(statement.name.keyspace or keyspace_name)
        name = statement.name.name
        if name in keyspace.types:
            if statement.if_not_exists:
                return None
            raise SchemaError(f"A user type of name {keyspace.name}.{name} already exists")
        fields = tuple((field, column_type(text, keyspace)) for field, text in statement.fields)
        keyspace.types[name] = UserType(t.UserType(keyspace.name, name, fields), statement.fields)
        return SchemaChange("CREATED", "TYPE", keyspace.name, name)

    def _drop(self, statement: ast.Drop, keyspace_name: str | None) -> SchemaChange | None:
        name = statement.name.name
        try:
            keyspace = self._user_keyspace(
                name if statement.what == "keyspace" else statement.name.keyspace or keyspace_name
            )
            held: dict[str, set[str]] = {"table": set(keyspace.tables), "type": set(keyspace.types), "keyspace": {name}}
            if name not in held[statement.what]:
                raise SchemaError(f"Cannot drop non existing {statement.what} '{name}' in keyspace '{keyspace.name}'.")
        except SchemaError:
            if statement.if_exists:
                return None
            raise
        if statement.what == "keyspace":
            for table in keyspace.tables.values():
                self._store.forget(table.id)
            del self._schema.keyspaces[name]
            return SchemaChange("DROPPED", "KEYSPACE", name)
        if statement.what == "table":
            self._store.forget(keyspace.tables.pop(name).id)
        else:
            del keyspace.types[name]
        return SchemaChange("DROPPED", statement.what.upper(), keyspace.name, name)


def column_type(text: str, keyspace: Keyspace) -> CqlType:
    """The type of a column's text. SchemaError if there is none."""
    try:
        return parse_type(text, {name: kind.type for name, kind in keyspace.types.items()})
    except WireValueError as error:
        raise SchemaError(f"Unknown type: {error}") from None


def table_columns(statement: ast.CreateTable, keyspace: Keyspace) -> dict[str, Column]:
    """The columns of a CREATE TABLE, in the order written. SchemaError for what cannot be."""
    declared = {name for name, _, _ in statement.columns}
    if not statement.partition_key:
        raise SchemaError("No PRIMARY KEY specified (exactly one required)")
    for name in (*statement.partition_key, *statement.clustering_key):
        if name not in declared:
            raise SchemaError(f"Unknown definition {name} referenced in PRIMARY KEY")
    columns = {}
    for name, text, static in statement.columns:
        cql_type = column_type(text, keyspace)
        if name in statement.partition_key:
            kind, position = "partition_key", statement.partition_key.index(name)
        elif name in statement.clustering_key:
            kind, position = "clustering", statement.clustering_key.index(name)
        else:
            kind, position = "static" if static else "regular", -1
        columns[name] = Column(name, text, cql_type, kind, position, name in statement.descending)
    return columns

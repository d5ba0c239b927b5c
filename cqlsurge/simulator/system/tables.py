"""The system keyspaces, made from their definitions."""

from __future__ import annotations

import uuid

from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.cql.parser import parse
from cqlsurge.simulator.execution.define import table_columns
from cqlsurge.simulator.schema import Keyspace, Schema, Table
from cqlsurge.simulator.system import definitions

_LOCAL = {"class": "org.apache.cassandra.locator.LocalStrategy"}


def add_system_keyspaces(schema: Schema, *, scylla: bool) -> None:
    """Put the system keyspaces of a ScyllaDB or a Cassandra into a schema."""
    for text in definitions.SCYLLA if scylla else definitions.CASSANDRA:
        statement, _ = parse(text)
        if not isinstance(statement, ast.CreateTable) or statement.table.keyspace is None:
            raise AssertionError(f"not a definition of a system table: {text}")
        name = statement.table.keyspace
        keyspace = schema.keyspaces.setdefault(name, Keyspace(name, _LOCAL, system=True))
        columns = table_columns(statement, keyspace)
        identity = uuid.uuid3(uuid.NAMESPACE_OID, f"{name}.{statement.table.name}")
        keyspace.tables[statement.table.name] = Table(name, statement.table.name, columns, identity)

"""Tables as a cluster knows them, for workloads that name tables without making them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cassandra.cluster import Session

from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.types import UserType
from cqlsurge.workload.tables import Column, Table, column_of, in_order

_WORD = re.compile(r"\w+")
UserTypes = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
FindTable = Callable[[str, str], "tuple[Table, UserTypes] | None"]


def table_finder(session: Session) -> FindTable:
    """A function that gives (table, user types of its keyspace), None where there is no such table or view."""

    def find(keyspace: str, name: str) -> tuple[Table, UserTypes] | None:
        query = "SELECT * FROM system_schema.columns WHERE keyspace_name = %s AND table_name = %s"
        rows = list(session.execute(query, (keyspace, name)))
        if not rows:
            return None
        types = _user_types(session, keyspace)
        known: dict[str, UserType] = {}
        for full, fields in types:
            bare = full.rpartition(".")[2]
            parsed = tuple((field, parse_type(text, known)) for field, text in fields)
            known[bare] = known[full] = UserType(keyspace, bare, parsed)
        return Table(keyspace, name, _columns(rows, known)), types

    return find


def _columns(rows: list[Any], known: dict[str, UserType]) -> tuple[Column, ...]:
    positions = {"partition_key": 0, "clustering": 1}
    keys = sorted((row for row in rows if row.kind in positions), key=lambda row: (positions[row.kind], row.position))
    columns = [column_of(row.column_name, row.type, row.kind, row.clustering_order == "desc", known) for row in rows]
    return in_order(columns, [row.column_name for row in keys])


def _user_types(session: Session, keyspace: str) -> UserTypes:
    """All types of the keyspace, those first that others are made of."""
    query = "SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = %s"
    rows = session.execute(query, (keyspace,))
    left = {row.type_name: tuple(zip(row.field_names, row.field_types, strict=True)) for row in rows}
    found: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    while left:
        ready = [name for name, fields in left.items() if not _needs(fields, {*left} - {name})] or list(left)
        found += [(f"{keyspace}.{name}", left.pop(name)) for name in ready]
    return tuple(found)


def _needs(fields: tuple[tuple[str, str], ...], names: set[str]) -> bool:
    return any(set(_WORD.findall(text)) & names for _, text in fields)

"""Tables as a cluster knows them, read from system_schema: the same in Cassandra and ScyllaDB."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cassandra.cluster import Session

from cqlsurge.errors import ClusterError
from cqlsurge.load.cql.errors import WireValueError
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.types import UserType
from cqlsurge.workload.document import nearest
from cqlsurge.workload.tables import Column, Table, column_of, in_order

_WORD = re.compile(r"\w+")
UserTypes = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
FindTable = Callable[[str, str], "tuple[Table, UserTypes] | None"]
_KEY_KINDS = {"partition_key": 0, "clustering": 1}


def table_finder(session: Session) -> FindTable:
    """A function that gives (table, user types of its keyspace), None where there is no such table or view."""

    def find(keyspace: str, name: str) -> tuple[Table, UserTypes] | None:
        types = _user_types(session, keyspace)
        columns = _columns(session, keyspace, name, _parsed(types))
        return (Table(keyspace, name, columns), types) if columns else None

    return find


def read_table(session: Session, keyspace: str, name: str) -> Table:
    """The table with its views and indexes. Raises ClusterError with the nearest name where there is none."""
    columns = _columns(session, keyspace, name, _parsed(_user_types(session, keyspace)))
    if not columns:
        raise ClusterError(_missing(session, keyspace, name))
    options = next(iter(_rows(session, "tables", keyspace, name)), None)
    indexes = _rows(session, "indexes", keyspace, name)
    views = session.execute("SELECT * FROM system_schema.views WHERE keyspace_name = %s", (keyspace,))
    return Table(
        keyspace,
        name,
        columns,
        default_ttl_s=options.default_time_to_live if options is not None else 0,
        views=tuple(sorted(view.view_name for view in views if view.base_table_name == name)),
        indexes=tuple(sorted(index.index_name for index in indexes)),
        indexed={_target(index.options): index.options.get("class_name", index.kind) for index in indexes},
    )


def _rows(session: Session, table: str, keyspace: str, name: str) -> list[Any]:
    query = f"SELECT * FROM system_schema.{table} WHERE keyspace_name = %s AND table_name = %s"
    return list(session.execute(query, (keyspace, name)))


def _columns(session: Session, keyspace: str, name: str, known: dict[str, UserType]) -> tuple[Column, ...]:
    rows = _rows(session, "columns", keyspace, name)
    keys = sorted((row for row in rows if row.kind in _KEY_KINDS), key=lambda row: (_KEY_KINDS[row.kind], row.position))
    columns = [column_of(row.column_name, row.type, row.kind, row.clustering_order == "desc", known) for row in rows]
    return in_order(columns, [row.column_name for row in keys])


def _parsed(types: UserTypes) -> dict[str, UserType]:
    """User types by name and by keyspace.name; those that we cannot read are left out."""
    known: dict[str, UserType] = {}
    for full, fields in types:
        keyspace, _, bare = full.rpartition(".")
        try:
            parsed = tuple((field, parse_type(text, known)) for field, text in fields)
        except WireValueError:
            continue
        known[bare] = known[full] = UserType(keyspace, bare, parsed)
    return known


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


def _target(options: dict[str, str]) -> str:
    """The column that an index is on: `"Name"`, `values(tags)`, plain."""
    target = options.get("target", "")
    if target.endswith(")") and "(" in target:
        target = target[target.index("(") + 1 : -1]
    return target.strip('"')


def _missing(session: Session, keyspace: str, name: str) -> str:
    query = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s"
    tables = [row.table_name for row in session.execute(query, (keyspace,))]
    if tables:
        return f"there is no table {name} in keyspace {keyspace}{nearest(name, tables)}"
    keyspaces = [row.keyspace_name for row in session.execute("SELECT keyspace_name FROM system_schema.keyspaces")]
    return f"there is no keyspace {keyspace}{nearest(keyspace, keyspaces)}"

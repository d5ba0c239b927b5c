"""A table as the server has it, read from system_schema: the same in Cassandra and ScyllaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.errors import ClusterError, UsageError
from cqlsurge.load.cql.errors import WireValueError
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.types import UserType
from cqlsurge.workload.imports.places import nearest
from cqlsurge.workload.tables import CLUSTERING, PARTITION, Table, column_of, in_order

if TYPE_CHECKING:
    from cassandra.cluster import Session

_SYSTEM = "system_schema"


def split_name(text: str) -> tuple[str, str]:
    """`ks.table`, each part with or without double quotes, as keyspace and table. Raises UsageError."""
    parts: list[str] = []
    rest = text.strip()
    while rest:
        if rest.startswith('"'):
            end = 1
            while end < len(rest) and (rest[end] != '"' or rest[end : end + 2] == '""'):
                end += 2 if rest[end : end + 2] == '""' else 1
            parts.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :]
        else:
            name, dot, after = rest.partition(".")
            parts.append(name)
            rest = dot + after
        if rest and (not rest.startswith(".") or rest == "."):
            raise UsageError(f"{text!r} is no name of a table: write it as keyspace.table")
        rest = rest[1:]
    if len(parts) != 2 or not all(parts):
        raise UsageError(f"{text!r} is no name of a table: write it as keyspace.table")
    return parts[0], parts[1]


def read_table(session: Session, keyspace: str, name: str) -> Table:
    """The table with its views and indexes. Raises ClusterError with the nearest name where there is none."""
    rows = list(
        session.execute(
            f"SELECT * FROM {_SYSTEM}.columns WHERE keyspace_name = %s AND table_name = %s", (keyspace, name)
        )
    )
    if not rows:
        raise ClusterError(_missing(session, keyspace, name))
    user_types = read_user_types(session, keyspace)
    kinds = {"partition_key": PARTITION, "clustering": CLUSTERING}
    columns = [
        column_of(row.column_name, row.type, kinds.get(row.kind, row.kind), row.clustering_order == "desc", user_types)
        for row in rows
    ]
    key = [row.column_name for kind in kinds for row in sorted(rows, key=lambda row: row.position) if row.kind == kind]
    options = _first(session, "tables", "default_time_to_live", keyspace, name)
    indexes = _all(session, "indexes", "index_name, kind, options", keyspace, name)
    views = session.execute(
        f"SELECT view_name, base_table_name FROM {_SYSTEM}.views WHERE keyspace_name = %s", (keyspace,)
    )
    return Table(
        keyspace,
        name,
        in_order(columns, key),
        default_ttl_s=options.default_time_to_live if options is not None else 0,
        views=tuple(sorted(view.view_name for view in views if view.base_table_name == name)),
        indexes=tuple(sorted(index.index_name for index in indexes)),
        indexed={_target(index.options): index.options.get("class_name", index.kind) for index in indexes},
    )


def read_user_types(session: Session, keyspace: str) -> dict[str, UserType]:
    """The keyspace's user-defined types by name, those first that others need."""
    rows = list(session.execute(f"SELECT * FROM {_SYSTEM}.types WHERE keyspace_name = %s", (keyspace,)))
    found: dict[str, UserType] = {}
    waiting = rows
    while waiting:
        left = []
        for row in waiting:
            try:
                types = [parse_type(text, found) for text in row.field_types]
            except WireValueError:
                left.append(row)
                continue
            found[row.type_name] = UserType(keyspace, row.type_name, tuple(zip(row.field_names, types, strict=True)))
        if len(left) == len(waiting):
            break  # of types that we do not know: columns of them have no type here
        waiting = left
    return found


def _first(session: Session, table: str, columns: str, keyspace: str, name: str) -> Any:
    return next(iter(_all(session, table, columns, keyspace, name)), None)


def _all(session: Session, table: str, columns: str, keyspace: str, name: str) -> list[Any]:
    query = f"SELECT {columns} FROM {_SYSTEM}.{table} WHERE keyspace_name = %s AND table_name = %s"
    return list(session.execute(query, (keyspace, name)))


def _target(options: dict[str, str]) -> str:
    """The column that an index is on: `"Name"`, `values(tags)`, plain."""
    target = options.get("target", "")
    if target.endswith(")") and "(" in target:
        target = target[target.index("(") + 1 : -1]
    return target.strip('"')


def _missing(session: Session, keyspace: str, name: str) -> str:
    query = f"SELECT table_name FROM {_SYSTEM}.tables WHERE keyspace_name = %s"
    tables = [row.table_name for row in session.execute(query, (keyspace,))]
    if tables:
        return f"there is no table {name} in keyspace {keyspace}; {nearest(name, tables)}"
    keyspaces = [row.keyspace_name for row in session.execute(f"SELECT keyspace_name FROM {_SYSTEM}.keyspaces")]
    return f"there is no table {keyspace}.{name}: of keyspaces {nearest(keyspace, keyspaces)}"

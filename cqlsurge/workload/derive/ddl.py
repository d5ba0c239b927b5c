"""The CQL that makes a table again: its keyspace, user-defined types, indexes and views, each IF NOT EXISTS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqlsurge.errors import ClusterError
from cqlsurge.load.cql import types as t
from cqlsurge.workload.cql_text import if_not_exists
from cqlsurge.workload.tables import Table

if TYPE_CHECKING:
    from cassandra.cluster import Cluster


def ddl_of(cluster: Cluster, tables: list[Table]) -> list[str]:
    """The statements, in the order in which they can be run. Raises ClusterError."""
    found: list[str] = []
    for table in tables:
        keyspace = cluster.metadata.keyspaces.get(table.keyspace)
        made = keyspace.tables.get(table.name) if keyspace is not None else None
        if made is None:
            raise ClusterError(f"the driver knows nothing of {table.cql_name}: try again, its schema may be changing")
        wanted = {name for column in table.columns for name in _user_types(column.type)}
        found.append(keyspace.as_cql_query())
        found += [keyspace.user_types[name].as_cql_query() for name in _in_order(keyspace.user_types, wanted)]
        found.append(made.as_cql_query(formatted=True))
        found += [index.as_cql_query() for _, index in sorted(made.indexes.items())]
        found += [view.as_cql_query() for _, view in sorted(made.views.items())]
    once = dict.fromkeys(if_not_exists(text.strip().rstrip(";")) for text in found)
    return list(once)


def _user_types(of: t.CqlType | None) -> list[str]:
    """The names of user-defined types in a type, inner ones first."""
    if isinstance(of, t.UserType):
        return [*(name for _, field in of.fields for name in _user_types(field)), of.name]
    if isinstance(of, (t.ListType, t.SetType, t.VectorType)):
        return _user_types(of.element)
    if isinstance(of, t.MapType):
        return [*_user_types(of.key), *_user_types(of.value)]
    if isinstance(of, t.TupleType):
        return [name for element in of.elements for name in _user_types(element)]
    return []


def _in_order(known: dict[str, object], wanted: set[str]) -> list[str]:
    """Those of the wanted types first that others are made of."""
    ordered: list[str] = []

    def add(name: str) -> None:
        of = known.get(name)
        for text in getattr(of, "field_types", ()):
            for other in known:
                if other != name and other in str(text):
                    add(other)
        if of is not None and name not in ordered:
            ordered.append(name)

    for name in sorted(wanted):
        add(name)
    return ordered

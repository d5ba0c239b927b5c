"""Keyspaces, tables and user types of the simulated cluster, as data."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql import types as t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cqlsurge.load.cql.types import CqlType
    from cqlsurge.load.cql.types import UserType as WireUserType
    from cqlsurge.simulator.placement import Placement


class SchemaError(Exception):
    """A statement that parses but cannot be done; `kind` is invalid, config or exists (what: `keyspace`, `table`)."""

    def __init__(self, message: str, kind: str = "invalid", keyspace: str = "", table: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.keyspace = keyspace
        self.table = table


@dataclass(frozen=True)
class Column:
    """`kind`: partition_key, clustering, static or regular, as in the schema tables; `text`: the type as written."""

    name: str
    text: str
    type: CqlType
    kind: str
    position: int = -1
    descending: bool = False

    @property
    def by_element(self) -> bool:
        """Whether each element is a cell of its own: a collection that is not frozen. Without any it is null."""
        return isinstance(self.type, (t.ListType, t.SetType, t.MapType)) and not self.text.startswith("frozen")


@dataclass
class Table:
    """A table; `rows` is set for the virtual ones, which compute their rows when asked."""

    keyspace: str
    name: str
    columns: dict[str, Column]
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    options: dict[str, Any] = field(default_factory=dict)
    placement: Placement | None = None

    def __post_init__(self) -> None:
        self.partition_key = self._of_kind("partition_key")
        self.clustering_key = self._of_kind("clustering")
        self.has_statics = any(column.kind == "static" for column in self.columns.values())

    def _of_kind(self, kind: str) -> list[Column]:
        return sorted((column for column in self.columns.values() if column.kind == kind), key=lambda c: c.position)

    def column(self, name: str) -> Column:
        column = self.columns.get(name)
        if column is None:
            raise SchemaError(f"Unrecognized name {name} in table {self.keyspace}.{self.name}")
        return column

    def in_order(self) -> list[Column]:
        """As SELECT * lists them: the primary key, then statics, then the rest by name."""
        rest = sorted(self.columns.values(), key=lambda c: c.name)
        statics = [column for column in rest if column.kind == "static"]
        regular = [column for column in rest if column.kind == "regular"]
        return [*self.partition_key, *self.clustering_key, *statics, *regular]


@dataclass
class UserType:
    """A user type; `fields` are names and types as written, `type` is what goes over the wire."""

    type: WireUserType
    fields: tuple[tuple[str, str], ...]


@dataclass
class Keyspace:
    """`tablets` is the number that a new table gets, 0 for vnodes."""

    name: str
    replication: dict[str, str]
    durable_writes: bool = True
    tablets: int = 0
    tables: dict[str, Table] = field(default_factory=dict)
    types: dict[str, UserType] = field(default_factory=dict)
    system: bool = False


class Schema:
    """All keyspaces, with a version that changes with each of them."""

    def __init__(self) -> None:
        self.keyspaces: dict[str, Keyspace] = {}
        self.version = uuid.uuid4()

    def changed(self) -> None:
        self.version = uuid.uuid4()

    def keyspace(self, name: str | None) -> Keyspace:
        if name is None:
            raise SchemaError(
                "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename"
            )
        keyspace = self.keyspaces.get(name)
        if keyspace is None:
            raise SchemaError(f"Keyspace '{name}' does not exist")
        return keyspace

    def table(self, keyspace_name: str | None, name: str) -> Table:
        keyspace = self.keyspace(keyspace_name)
        table = keyspace.tables.get(name)
        if table is None:
            raise SchemaError(f"unconfigured table {name}")
        return table

    def tables(self) -> Iterator[Table]:
        for keyspace in self.keyspaces.values():
            yield from keyspace.tables.values()

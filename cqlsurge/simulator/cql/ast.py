"""Statements of the CQL that the simulator speaks, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class Term:
    """A value in a statement."""


class Statement:
    """Something to execute."""


@dataclass(frozen=True)
class Literal(Term):
    """A constant; `kind` is the lexer's, plus null, bool and duration."""

    kind: str
    value: Any


@dataclass(frozen=True)
class Marker(Term):
    """A bind marker, by its position in the statement; `name` for `:name`."""

    index: int
    name: str | None = None


@dataclass(frozen=True)
class Collection(Term):
    """`[...]`, `{...}`, `{k: v}` or `(...)`: kind list, set, map or tuple; a map's items are pairs."""

    kind: str
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Call(Term):
    """A function and its arguments."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class TableName:
    """A table, or another named thing, with its keyspace when it was said."""

    keyspace: str | None
    name: str


@dataclass(frozen=True)
class Relation:
    """`columns operator value`: one column, or those of token(...) or of a tuple (`form` column, token or tuple)."""

    form: str
    columns: tuple[str, ...]
    operator: str
    value: Any


@dataclass(frozen=True)
class Selector:
    """A column, or a function over columns (count, token, writetime, ttl); `alias` after AS."""

    function: str | None
    columns: tuple[str, ...]
    alias: str | None = None


@dataclass(frozen=True)
class Select(Statement):
    table: TableName
    selectors: tuple[Selector, ...]  # empty: all columns
    where: tuple[Relation, ...] = ()
    distinct: bool = False
    descending: bool | None = None
    limit: Term | None = None
    per_partition_limit: Term | None = None


@dataclass(frozen=True)
class Assignment:
    """`column = value`, `column[key] = value`, or with operator + or - the column changed by value."""

    column: str
    operator: str
    value: Any
    key: Any = None


@dataclass(frozen=True)
class Write(Statement):
    """INSERT, UPDATE or DELETE (`verb`); `condition` is None, "exists", "not exists" or the relations after IF."""

    verb: str
    table: TableName
    assignments: tuple[Assignment, ...] = ()
    where: tuple[Relation, ...] = ()
    deleted: tuple[str, ...] = ()
    condition: Any = None
    ttl: Term | None = None
    timestamp: Term | None = None


@dataclass(frozen=True)
class Batch(Statement):
    kind: str
    statements: tuple[Write, ...]
    timestamp: Term | None = None


@dataclass(frozen=True)
class Use(Statement):
    keyspace: str


@dataclass(frozen=True)
class CreateKeyspace(Statement):
    name: str
    options: dict[str, Any]
    if_not_exists: bool = False
    alter: bool = False


@dataclass(frozen=True)
class CreateTable(Statement):
    table: TableName
    columns: tuple[tuple[str, str, bool], ...]  # name, type, static
    partition_key: tuple[str, ...]
    clustering_key: tuple[str, ...]
    descending: frozenset[str] = frozenset()
    options: dict[str, Any] = field(default_factory=dict)
    if_not_exists: bool = False


@dataclass(frozen=True)
class AlterTable(Statement):
    table: TableName
    added: tuple[tuple[str, str, bool], ...] = ()
    dropped: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CreateType(Statement):
    name: TableName
    fields: tuple[tuple[str, str], ...]
    if_not_exists: bool = False


@dataclass(frozen=True)
class Drop(Statement):
    """`what` is keyspace, table or type."""

    what: str
    name: TableName
    if_exists: bool = False


@dataclass(frozen=True)
class Truncate(Statement):
    table: TableName

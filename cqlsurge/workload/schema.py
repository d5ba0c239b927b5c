"""The schema of a workload file: its CQL statements, and the tables, types and views that they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import WireValueError
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.workload.cql_text import Token, split_statements, tokens
from cqlsurge.workload.document import Node, Place, WorkloadError, nearest
from cqlsurge.workload.tables import Table, read_create_table

_PARAMETER = re.compile(r"\$\{([^}]*)\}")
#: a table of the server, with the user types of its keyspace; None where there is none
FindTable = Callable[[str, str], "tuple[Table, UserTypes] | None"]
UserTypes = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass
class Schema:
    """Tables and views by `keyspace.table`; `base`: view -> the table it is of; types in the order of their making."""

    statements: list[str] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    base: dict[str, str] = field(default_factory=dict)
    user_types: list[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=list)
    keyspaces: list[str] = field(default_factory=list)
    find: FindTable | None = None

    @property
    def parsed_types(self) -> dict[str, t.UserType]:
        """User types by name and by keyspace.name."""
        found: dict[str, t.UserType] = {}
        for full, fields in self.user_types:
            keyspace, _, name = full.rpartition(".")
            parsed = t.UserType(keyspace, name, tuple((one, parse_type(text, found)) for one, text in fields))
            found[name] = found[full] = parsed
        return found

    @property
    def default_keyspace(self) -> str:
        """The keyspace of names without one: the only one, else none."""
        names = {name.partition(".")[0] for name in self.tables} | set(self.keyspaces)
        return names.pop() if len(names) == 1 else ""

    def full(self, name: str) -> str:
        """keyspace.table of a name that may lack its keyspace."""
        return name if "." in name or not self.default_keyspace else f"{self.default_keyspace}.{name}"

    def table(self, name: str, place: Place) -> Table:
        """A table or view. Raises WorkloadError."""
        full = self.full(name)
        if full not in self.tables and self.find is not None and "." in full:
            found = self.find(*full.split(".", 1))
            if found is not None:
                self.tables[full] = found[0]
                known = dict(self.user_types)
                self.user_types += [one for one in found[1] if one[0] not in known]
        if full not in self.tables:
            cure = (
                ""
                if self.tables
                else "; add its CREATE TABLE under `schema`, or give the ADDRESS of a cluster that has it"
            )
            raise_missing(place, full, self, cure)
        return self.tables[full]


class MissingTable(WorkloadError):
    """A table that the file does not make, and that no server was asked for."""


def raise_missing(place: Place, name: str, schema: Schema, cure: str) -> None:
    """WorkloadError for a table that there is not; MissingTable where a server may know it."""
    if schema.find is None and "." in name:
        raise MissingTable(f"{place}: table {name} is not in the schema{nearest(name, schema.tables)}{cure}")
    place.fail(f"table {name} is not known{nearest(name, schema.tables)}{cure}")


def filled(text: str, params: Mapping[str, Any], place_at: Callable[[int], Place]) -> str:
    """The text with ${name} filled in."""

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name not in params:
            place_at(found.start()).fail(f"${{{name}}} is no parameter{nearest(name, params)}")
        return str(params[name])

    return _PARAMETER.sub(value, text)


def place_in(node: Node, text: str, offset: int) -> Place:
    """Where a character of a node's text stands; in a block, lines begin two columns right of the key."""
    before = text[:offset]
    lines = before.count("\n")
    column = offset - (before.rfind("\n") + 1)
    if node.block:
        return Place(node.place.file, node.place.line + 1 + lines, column + 3)
    return Place(node.place.file, node.place.line, node.place.column + column + (1 if node.quoted else 0))


def read_schema(node: Node | None, params: Mapping[str, Any], find: FindTable | None) -> Schema:
    """The schema of a file. Raises WorkloadError."""
    schema = Schema(find=find)
    if node is None:
        return schema
    raw = node.scalar("CQL")
    text = filled(raw, params, lambda offset: place_in(node, raw, offset))
    keyspace = ""
    for statement in split_statements(text):
        place = place_in(node, text, max(0, text.find(statement)))
        schema.statements.append(statement)
        keyspace = _read_statement(schema, statement, keyspace, place)
    return schema


def _read_statement(schema: Schema, statement: str, keyspace: str, place: Place) -> str:
    words = tokens(statement)
    lowered = [token.lower for token in words]
    if lowered[0] == "use" and len(words) > 1:
        return words[1].name or keyspace
    if lowered[0] not in {"create", "alter", "drop", "insert", "update", "grant"}:
        place.fail(f"{words[0].text!r} begins no statement of a schema: CREATE, ALTER, DROP, USE")
    if lowered[0] != "create":
        return keyspace
    at = 1
    while lowered[at : at + 2] == ["or", "replace"]:
        at += 2
    what = lowered[at]
    try:
        if what == "keyspace":
            schema.keyspaces.append(_name_after(words, at)[0][-1])
        elif what in {"table", "columnfamily"}:
            table = read_create_table(statement, keyspace or schema.default_keyspace)
            if not table.keyspace:
                place.fail(f"table {table.name} has no keyspace: write keyspace.{table.name}")
            schema.tables[f"{table.keyspace}.{table.name}"] = _typed(table, schema, place)
        elif what == "type":
            _read_type(schema, words, at, keyspace, place)
        elif what == "materialized":
            _read_view(schema, words, at + 1, keyspace, place)
    except (ValueError, IndexError) as error:
        place.fail(f"this {what.upper()} is not understood: {error}")
    return keyspace


def _name_after(words: list[Token], at: int) -> tuple[list[str], int]:
    """The parts of the name that follows a keyword, past IF NOT EXISTS; and where what follows begins."""
    at += 1
    while words[at].lower in {"if", "not", "exists"}:
        at += 1
    parts = [words[at].name or ""]
    if words[at + 1 : at + 2] and words[at + 1].text == ".":
        parts.append(words[at + 2].name or "")
        at += 2
    return parts, at + 1


def _typed(table: Table, schema: Schema, place: Place) -> Table:
    """The table with the types of its columns known."""
    columns = []
    known = schema.parsed_types
    for column in table.columns:
        try:
            columns.append(replace(column, type=parse_type(column.type_text, known)))
        except WireValueError as error:
            place.fail(f"column {column.name}: {error}{nearest(column.type_text, [*t.NATIVE_TYPES, *known])}")
    return replace(table, columns=tuple(columns))


def _read_type(schema: Schema, words: list[Token], at: int, keyspace: str, place: Place) -> None:
    parts, opening = _name_after(words, at)
    full = ".".join(parts if len(parts) > 1 else [keyspace or schema.default_keyspace, parts[0]])
    fields = []
    for piece in _split(words[opening + 1 : -1]):
        if len(piece) < 2 or piece[0].name is None:
            raise ValueError("a field is written `name type`")
        text = "".join([f"{token.text} " if token.text == "," else token.text for token in piece[1:]])
        try:
            parse_type(text, schema.parsed_types)
        except WireValueError as error:
            place.fail(f"type {full}, field {piece[0].name}: {error}")
        fields.append((piece[0].name, text))
    schema.user_types.append((full, tuple(fields)))


def _split(words: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in words:
        depth += (token.text in {"(", "<"}) - (token.text in {")", ">"})
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _read_view(schema: Schema, words: list[Token], at: int, keyspace: str, place: Place) -> None:
    parts, _ = _name_after(words, at)
    lowered = [token.lower for token in words]
    base_parts, _ = _name_after(words, lowered.index("from"))
    default = keyspace or schema.default_keyspace
    base = ".".join(base_parts if len(base_parts) > 1 else [default, base_parts[0]])
    of = schema.table(base, place)
    key_at = next(at for at in range(len(words)) if lowered[at : at + 2] == ["primary", "key"])
    closing = _closing(words, key_at + 2)
    inside = words[key_at + 3 : closing]
    pieces = _split(inside)
    partition = [token.name or "" for token in pieces[0] if token.name is not None]
    clustering = [piece[0].name or "" for piece in pieces[1:]]
    chosen = words[lowered.index("select") + 1 : lowered.index("from")]
    names = [column.name for column in of.columns]
    if not (len(chosen) == 1 and chosen[0].text == "*"):
        names = [token.name for token in chosen if token.name is not None]
    kinds = {**dict.fromkeys(partition, "partition_key"), **dict.fromkeys(clustering, "clustering")}
    by_name = {column.name: column for column in of.columns}
    ordered = [*partition, *clustering, *sorted(name for name in {*names} - set(kinds))]
    columns = tuple(replace(by_name[name], kind=kinds.get(name, "regular"), descending=False) for name in ordered)
    full = ".".join(parts if len(parts) > 1 else [of.keyspace, parts[0]])
    view_keyspace, _, name = full.partition(".")
    schema.tables[full] = Table(view_keyspace, name, columns)
    schema.base[full] = base


def _closing(words: list[Token], opening: int) -> int:
    depth = 0
    for at in range(opening, len(words)):
        depth += (words[at].text == "(") - (words[at].text == ")")
        if depth == 0:
            return at
    raise ValueError("a parenthesis is not closed")

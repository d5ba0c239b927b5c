"""A table as a workload must know it: columns with their types, keys and order; read from CREATE TABLE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cqlsurge.errors import UsageError
from cqlsurge.load.cql.errors import WireValueError
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.types import CqlType, UserType
from cqlsurge.workload.cql_text import Token, quote_name, tokens

PARTITION, CLUSTERING, STATIC, REGULAR = "partition_key", "clustering", "static", "regular"


@dataclass(frozen=True)
class Column:
    """A column: its type (None where we do not know it) and as CQL has it, its kind, and whether it sorts downward."""

    name: str
    type: CqlType | None
    type_text: str
    kind: str
    descending: bool = False

    @property
    def is_counter(self) -> bool:
        """Whether it holds a counter."""
        return self.type_text == "counter"

    @property
    def is_frozen(self) -> bool:
        """Whether its value can be replaced only as a whole."""
        return self.type_text.startswith("frozen<")


@dataclass(frozen=True)
class Table:
    """A table; columns in the server's order: partition key, clustering, then the others by name."""

    keyspace: str
    name: str
    columns: tuple[Column, ...]
    default_ttl_s: int = 0
    views: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    indexed: Mapping[str, str] = field(default_factory=dict)  # column -> kind of its index

    @property
    def cql_name(self) -> str:
        """keyspace.table, quoted where needed."""
        return f"{quote_name(self.keyspace)}.{quote_name(self.name)}"

    def of_kind(self, *kinds: str) -> tuple[Column, ...]:
        """The columns of these kinds, in order."""
        return tuple(column for column in self.columns if column.kind in kinds)

    @property
    def key(self) -> tuple[Column, ...]:
        """The columns of the primary key."""
        return self.of_kind(PARTITION, CLUSTERING)

    @property
    def values(self) -> tuple[Column, ...]:
        """All other columns."""
        return self.of_kind(STATIC, REGULAR)

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


def column_of(
    name: str, type_text: str, kind: str, descending: bool = False, user_types: Mapping[str, UserType] | None = None
) -> Column:
    """A column whose type is read from CQL."""
    try:
        of: CqlType | None = parse_type(type_text, user_types)
    except WireValueError:
        of = None
    return Column(name, of, type_text, kind, descending)


def in_order(columns: list[Column], key: list[str]) -> tuple[Column, ...]:
    """Columns in the server's order: the key's as the key has them, then the others by name."""
    by_name = {column.name: column for column in columns}
    return tuple([by_name[name] for name in key] + [by_name[name] for name in sorted(by_name) if name not in key])


def read_create_table(cql: str, keyspace: str) -> Table:
    """The table that a CREATE TABLE makes; `keyspace` is that of one named without. Raises ValueError."""
    words = tokens(cql)
    lowered = [token.lower for token in words]
    if lowered[:2] not in (["create", "table"], ["create", "columnfamily"]) or "(" not in lowered:
        raise ValueError("this is no CREATE TABLE name (columns ...)")
    opening = lowered.index("(")
    names = [token.name or "" for token in words[:opening] if token.name is not None]
    if lowered[opening - 2] == ".":
        keyspace = names[-2]
    parts, closing = _parts(words, opening)
    partition: list[str] = []
    clustering: list[str] = []
    found: list[tuple[str, str, bool]] = []
    for part in parts:
        if [token.lower for token in part[:2]] == ["primary", "key"]:
            partition, clustering = _key(part[2:])
            continue
        ending = [token.lower for token in part]
        if ending[-2:] == ["primary", "key"]:
            partition, part, ending = [str(part[0].name)], part[:-2], ending[:-2]
        static = ending[-1:] == ["static"]
        type_words = part[1:-1] if static else part[1:]
        if part[0].name is None or not type_words:
            raise ValueError(f"{' '.join(ending)!r} is no column")
        found.append((part[0].name, _type_text(type_words), static))
    if not partition or not set(partition + clustering) <= {name for name, _, _ in found}:
        raise ValueError("its PRIMARY KEY is missing, or names columns that it does not have")
    descending = _descending(words[closing:])
    columns = []
    for name, type_text, static in found:
        kind = PARTITION if name in partition else CLUSTERING if name in clustering else STATIC if static else REGULAR
        columns.append(column_of(name, type_text, kind, name in descending))
    return Table(keyspace, names[-1], in_order(columns, partition + clustering), _default_ttl(words[closing:]))


def _parts(words: list[Token], opening: int) -> tuple[list[list[Token]], int]:
    """What stands between commas inside the parentheses that open there; and where they close."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for at in range(opening, len(words)):
        text = words[at].text
        depth += (text in {"(", "<"}) - (text in {")", ">"})
        if depth == 0:
            return [part for part in parts if part], at + 1
        if text == "," and depth == 1:
            parts.append([])
        elif at > opening:
            parts[-1].append(words[at])
    raise ValueError("its parentheses do not close")


def _key(words: list[Token]) -> tuple[list[str], list[str]]:
    parts, _ = _parts(words, 0)
    partition = [token.name for token in parts[0] if token.name is not None] if parts else []
    return partition, [token.name for part in parts[1:] for token in part if token.name is not None]


def _type_text(words: list[Token]) -> str:
    text = "".join(token.text if token.kind == "quoted" else token.lower for token in words)
    text = text.replace(",", ", ")
    return "text" if text == "varchar" else text


def _descending(words: list[Token]) -> set[str]:
    return {str(words[at - 1].name) for at, token in enumerate(words) if at and token.lower == "desc"}


def _default_ttl(words: list[Token]) -> int:
    for at, token in enumerate(words[:-2]):
        if token.lower == "default_time_to_live" and words[at + 2].text.isdigit():
            return int(words[at + 2].text)
    return 0


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

"""CQL text as far as an importer must understand it: its words, its bind markers, the tables it names.

Nothing is checked here: the server does that at PREPARE. Comments (`--`, `//`, `/* */`) and literals are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|//[^\n]*|/\*.*?\*/)
  | (?P<string>'(?:[^']|'')*'|\$\$.*?\$\$)
  | (?P<quoted>"(?:[^"]|"")+")
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>[0-9][0-9A-Za-z_.]*)
  | (?P<symbol><=|>=|!=|\+=|-=|\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"[a-z][a-z0-9_]*\Z")
#: words that cannot be names without quotes
RESERVED = frozenset(
    [
        "add",
        "allow",
        "alter",
        "and",
        "apply",
        "asc",
        "authorize",
        "batch",
        "begin",
        "by",
        "columnfamily",
        "create",
        "default",
        "delete",
        "desc",
        "describe",
        "drop",
        "entries",
        "execute",
        "from",
        "full",
        "grant",
        "if",
        "in",
        "index",
        "infinity",
        "insert",
        "into",
        "is",
        "keyspace",
        "limit",
        "materialized",
        "mbean",
        "mbeans",
        "modify",
        "nan",
        "norecursive",
        "not",
        "null",
        "of",
        "on",
        "or",
        "order",
        "primary",
        "rename",
        "replace",
        "revoke",
        "schema",
        "select",
        "set",
        "table",
        "to",
        "token",
        "truncate",
        "unlogged",
        "unset",
        "update",
        "use",
        "using",
        "view",
        "where",
        "with",
    ]
)
#: a table's name may follow these words, past IF [NOT] EXISTS
_BEFORE_TABLE = frozenset({"from", "into", "update", "table", "columnfamily", "on", "truncate", "view", "type"})


class Token(NamedTuple):
    """A word, number, symbol, string or quoted name and where it stands in the text."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The text of a word without regard to case; other tokens as they are."""
        return self.text.lower() if self.kind == "word" else self.text

    @property
    def name(self) -> str | None:
        """The name that a word or a quoted name stands for; None of other tokens."""
        if self.kind == "quoted":
            return self.text[1:-1].replace('""', '"')
        return self.text.lower() if self.kind == "word" else None


def tokens(cql: str) -> list[Token]:
    """All tokens, without comments."""
    return [
        Token(match.lastgroup or "", match[0], match.start(), match.end())
        for match in _TOKEN.finditer(cql)
        if match.lastgroup != "comment"
    ]


def without_comments(cql: str) -> str:
    """The text with a space for each comment: a server takes one at the very end for an unfinished text."""
    return _TOKEN.sub(lambda match: " " if match.lastgroup == "comment" else match[0], cql).strip()


def quote_name(name: str) -> str:
    """A name as CQL wants it: plain where that is the same, else in quotes."""
    if _PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def split_statements(cql: str) -> list[str]:
    """The statements of a text, cut at semicolons outside of literals and comments; without empty ones."""
    found, start, empty = [], 0, True
    for token in tokens(cql):
        if token.text == ";":
            if not empty:
                found.append(cql[start : token.start].strip())
            start, empty = token.end, True
        else:
            empty = False
    if not empty:
        found.append(cql[start:].strip())
    return found


def qualify(cql: str, keyspace: str) -> str:
    """The statement with the keyspace before each table, view or type that is named without one."""
    words = tokens(cql)
    places = []
    for at, token in enumerate(words):
        if token.kind != "word" or token.lower not in _BEFORE_TABLE:
            continue
        if token.lower in {"table", "type"} and (
            at == 0 or words[at - 1].lower not in {"create", "alter", "drop", "truncate"}
        ):
            continue
        if token.lower == "update" and at != 0 and words[at - 1].text not in {";", "batch"}:
            continue
        if token.lower == "truncate" and at + 1 < len(words) and words[at + 1].lower == "table":
            continue
        target = _past_if(words, at + 1)
        following = words[target + 1].text if target + 1 < len(words) else ""
        if target < len(words) and words[target].name is not None and following != ".":
            places.append(words[target].start)
    for start in reversed(places):
        cql = f"{cql[:start]}{quote_name(keyspace)}.{cql[start:]}"
    return cql


def _past_if(words: list[Token], at: int) -> int:
    while at < len(words) and words[at].lower in {"if", "not", "exists"}:
        at += 1
    return at


def if_not_exists(cql: str) -> str:
    """A CREATE with IF NOT EXISTS, where it may have it and has none."""
    words = tokens(cql)
    if not words or words[0].lower != "create":
        return cql
    kinds = {"keyspace", "table", "columnfamily", "type", "view", "index"}
    at = next((place for place, token in enumerate(words[:4]) if token.lower in kinds), None)
    if at is None or at + 1 >= len(words) or words[at + 1].lower == "if":
        return cql
    return f"{cql[: words[at].end]} IF NOT EXISTS{cql[words[at].end :]}"


@dataclass(frozen=True)
class Marker:
    """A bind marker: where it stands and its name, own or given by the server; None where that is no column's."""

    start: int
    end: int
    name: str | None


def markers(cql: str) -> Iterator[Marker]:
    """The bind markers of a statement, named as servers do: after the column that they are compared or set to."""
    words = tokens(cql)
    inserted = _inserted_columns(words)
    for at, token in enumerate(words):
        if token.text == ":" and at + 1 < len(words) and words[at + 1].name and not _is_map_colon(words, at):
            yield Marker(token.start, words[at + 1].end, words[at + 1].name)
        elif token.text == "?":
            yield Marker(token.start, token.end, inserted.get(at, _column_before(words, at)))


def _is_map_colon(words: list[Token], at: int) -> bool:
    return at > 0 and (words[at - 1].kind in {"string", "number"} or words[at - 1].text == "?")


def _inserted_columns(words: list[Token]) -> dict[int, str | None]:
    """Of INSERT: place of each lone `?` in VALUES -> the column it fills."""
    lowered = [token.lower for token in words]
    if "insert" not in lowered or "values" not in lowered:
        return {}
    values = lowered.index("values")
    opening = lowered.index("(")
    columns = [token.name for token in words[opening + 1 : values] if token.name is not None]
    found: dict[int, str | None] = {}
    column, depth = 0, 0
    for at in range(values + 1, len(words)):
        text = words[at].text
        depth += (text in {"(", "[", "{"}) - (text in {")", "]", "}"})
        if depth == 0:
            break
        if text == "," and depth == 1:
            column += 1
        elif text == "?" and depth == 1 and column < len(columns):
            found[at] = columns[column]
    return found


def _column_before(words: list[Token], at: int) -> str | None:
    """The column that the marker at this place belongs to, else None."""
    place = at - 1
    if place >= 0 and words[place].text in {"(", ","} and (opening := _opening(words, at)) is not None:
        place = opening - 1  # column IN (?, ?)
        if place < 0 or words[place].lower != "in":
            return None
    while place >= 0 and (
        words[place].text in {"=", "<", ">", "<=", ">=", "!=", "+", "-", "+=", "-="}
        or words[place].lower in {"in", "contains", "key", "like"}
    ):
        place -= 1
    if place == at - 1 or place < 0 or words[place].name is None:
        return None
    return None if words[place].lower in {"ttl", "timestamp", "limit"} else words[place].name


def _opening(words: list[Token], at: int) -> int | None:
    depth = 0
    for place in range(at - 1, -1, -1):
        depth += (words[place].text == ")") - (words[place].text == "(")
        if depth < 0:
            return place
    return None

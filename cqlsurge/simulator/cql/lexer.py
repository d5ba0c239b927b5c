"""CQL text to tokens."""

from __future__ import annotations

import re
from typing import NamedTuple


class CqlSyntaxError(Exception):
    """The text is not CQL, or not a part of it that the simulator speaks; what the server answers as 0x2000."""


class Token(NamedTuple):
    """`kind` is name, quoted, string, number, float, blob, uuid, symbol or end; `text` has quotes and case resolved."""

    kind: str
    text: str
    at: int


_PATTERN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)
  | (?P<uuid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})
  | (?P<blob>0[xX][0-9a-fA-F]*)
  | (?P<duration>-?(?:[0-9]+(?:mo|ms|us|µs|ns|[yYwWdDhHmMsS]))+(?![0-9a-zA-Z_]))
  | (?P<float>-?[0-9]+(?:\.[0-9]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))
  | (?P<number>-?[0-9]+)
  | (?P<string>'(?:[^']|'')*')
  | (?P<dollar>\$\$.*?\$\$)
  | (?P<quoted>"(?:[^"]|"")+")
  | (?P<name>[a-zA-Z][a-zA-Z0-9_]*)
  | (?P<symbol><=|>=|!=|\+=|-=|[(){}\[\],.;:=<>?*+\-])
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens_of(text: str) -> list[Token]:
    """All tokens of a statement, an `end` token last. Unquoted names come in lower case."""
    found = []
    at = 0
    while at < len(text):
        match = _PATTERN.match(text, at)
        if match is None:
            raise CqlSyntaxError(f"line 1:{at} no viable alternative at character {text[at]!r}")
        kind, raw = match.lastgroup or "", match.group()
        if kind == "string":
            found.append(Token("string", raw[1:-1].replace("''", "'"), at))
        elif kind == "dollar":
            found.append(Token("string", raw[2:-2], at))
        elif kind == "quoted":
            found.append(Token("quoted", raw[1:-1].replace('""', '"'), at))
        elif kind == "name":
            found.append(Token("name", raw.lower(), at))
        elif kind != "space":
            found.append(Token(kind, raw, at))
        at = match.end()
    found.append(Token("end", "<EOF>", len(text)))
    return found

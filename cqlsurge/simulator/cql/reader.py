"""A cursor over the tokens of one statement."""

from __future__ import annotations

from typing import NoReturn

from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.cql.lexer import CqlSyntaxError, Token, tokens_of


class Reader:
    """Steps over tokens; `take...` moves only if it fits, the others raise CqlSyntaxError."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens_of(text)
        self.at = 0
        self.markers: list[ast.Marker] = []

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def word(self) -> str:
        """The unquoted name here, or an empty string."""
        return self.token.text if self.token.kind == "name" else ""

    def advance(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.at += 1
        return token

    def fail(self, why: str = "") -> NoReturn:
        raise CqlSyntaxError(f"line 1:{self.token.at} {why or f'no viable alternative at input {self.token.text!r}'}")

    def take(self, word: str) -> bool:
        if self.word() != word:
            return False
        self.at += 1
        return True

    def take_symbol(self, symbol: str) -> bool:
        if self.token.kind != "symbol" or self.token.text != symbol:
            return False
        self.at += 1
        return True

    def take_kind(self, kind: str) -> bool:
        if self.token.kind != kind:
            return False
        self.at += 1
        return True

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                self.fail(f"mismatched input {self.token.text!r} expecting {word.upper()}")

    def symbol(self, symbol: str) -> None:
        if not self.take_symbol(symbol):
            self.fail(f"mismatched input {self.token.text!r} expecting {symbol!r}")

    def name(self) -> str:
        if self.token.kind not in ("name", "quoted"):
            self.fail()
        return self.advance().text

    def table(self) -> ast.TableName:
        """`name` or `keyspace.name`."""
        first = self.name()
        return ast.TableName(first, self.name()) if self.take_symbol(".") else ast.TableName(None, first)

    def marker(self, name: str | None) -> ast.Marker:
        marker = ast.Marker(len(self.markers), name)
        self.markers.append(marker)
        return marker

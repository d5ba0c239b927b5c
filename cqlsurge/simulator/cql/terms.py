"""Values in statements: constants, collections, bind markers, calls; and lists of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.simulator.cql import ast

if TYPE_CHECKING:
    from cqlsurge.simulator.cql.reader import Reader

_CONSTANTS = {"string", "number", "float", "blob", "uuid", "duration"}
_NAMED = {"true": ("bool", True), "false": ("bool", False), "null": ("null", None)}


def read_name_list(reader: Reader, close: str) -> tuple[str, ...]:
    """Names separated by commas, up to and with the closing symbol."""
    names = [reader.name()]
    while reader.take_symbol(","):
        names.append(reader.name())
    reader.symbol(close)
    return tuple(names)


def read_term(reader: Reader) -> Any:
    """One value."""
    token = reader.token
    if token.kind in _CONSTANTS:
        reader.advance()
        return ast.Literal(token.kind, token.text)
    if reader.take_symbol("?"):
        return reader.marker(None)
    if reader.take_symbol(":"):
        return reader.marker(reader.name())
    if reader.take_symbol("["):
        return ast.Collection("list", _items(reader, "]"))
    if reader.take_symbol("("):
        return ast.Collection("tuple", _items(reader, ")"))
    if reader.take_symbol("{"):
        return _braces(reader)
    if token.kind == "name":
        reader.advance()
        if token.text in _NAMED:
            return ast.Literal(*_NAMED[token.text])
        if token.text in ("nan", "infinity"):
            return ast.Literal("float", token.text)
        reader.symbol("(")
        return ast.Call(token.text, _items(reader, ")"))
    return reader.fail()


def _items(reader: Reader, close: str) -> tuple[Any, ...]:
    items: list[Any] = []
    while not reader.take_symbol(close):
        if items:
            reader.symbol(",")
        items.append(read_term(reader))
    return tuple(items)


def _braces(reader: Reader) -> ast.Collection:
    """A set, a map, or a user type's value, which is a map by field name here."""
    items: list[Any] = []
    kind = "set"
    while not reader.take_symbol("}"):
        if items:
            reader.symbol(",")
        key = _field_or_term(reader)
        if reader.take_symbol(":"):
            kind = "map"
            items.append((key, read_term(reader)))
        else:
            items.append(key)
    return ast.Collection(kind, tuple(items))


def _field_or_term(reader: Reader) -> Any:
    following = reader.tokens[min(reader.at + 1, len(reader.tokens) - 1)]
    if reader.token.kind in ("name", "quoted") and following.kind == "symbol" and following.text == ":":
        return ast.Literal("string", reader.advance().text)
    return read_term(reader)

"""Names of CQL types: the text of CQL (`map<text, frozen<list<int>>>`) and the server's class names, both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Callable

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import ProtocolError, WireValueError

if TYPE_CHECKING:
    from cqlsurge.load.cql.types import CqlType

MARSHAL = "org.apache.cassandra.db.marshal."

_CLASS_OF: dict[t.NativeType, str] = {
    t.ASCII: "AsciiType",
    t.BIGINT: "LongType",
    t.BLOB: "BytesType",
    t.BOOLEAN: "BooleanType",
    t.COUNTER: "CounterColumnType",
    t.DATE: "SimpleDateType",
    t.DECIMAL: "DecimalType",
    t.DOUBLE: "DoubleType",
    t.DURATION: "DurationType",
    t.FLOAT: "FloatType",
    t.INET: "InetAddressType",
    t.INT: "Int32Type",
    t.SMALLINT: "ShortType",
    t.TEXT: "UTF8Type",
    t.TIME: "TimeType",
    t.TIMESTAMP: "TimestampType",
    t.TIMEUUID: "TimeUUIDType",
    t.TINYINT: "ByteType",
    t.UUID: "UUIDType",
    t.VARINT: "IntegerType",
}
_NATIVE_OF = {**{name: native for native, name in _CLASS_OF.items()}, "DateType": t.TIMESTAMP}

_TEXT_TOKEN = re.compile(r'\s*(?:(?P<name>\w+)|"(?P<quoted>(?:[^"]|"")+)"|\'(?P<cls>[^\']+)\'|(?P<mark>[<>,.]))')
_CLASS_TOKEN = re.compile(r"\s*(?:(?P<name>[^\s(),:=>]+)|(?P<mark>=>|[(),:]))")


class _Tokens:
    """The tokens of a text with their kind ("name", "quoted", "cls", "mark"), read one by one."""

    def __init__(self, text: str, token: re.Pattern[str], error: Callable[[str], Exception]) -> None:
        self.text = text
        self.error = error
        self._found: list[tuple[str, str]] = []
        self._next = 0
        position, end = 0, len(text.rstrip())
        while position < end:
            match = token.match(text, position)
            if match is None:
                raise self.wrong()
            self._found.append((str(match.lastgroup), match[str(match.lastgroup)]))
            position = match.end()

    def wrong(self) -> Exception:
        return self.error(f"{self.text[:80]!r} is no type")

    def peek(self) -> str:
        """The next mark, or an empty text."""
        kind, text = self._found[self._next] if self._next < len(self._found) else ("", "")
        return text if kind == "mark" else ""

    def take(self) -> tuple[str, str]:
        """The next token, which must not be a mark: (kind, text)."""
        if self._next >= len(self._found) or self.peek():
            raise self.wrong()
        self._next += 1
        return self._found[self._next - 1]

    def skip(self, mark: str) -> bool:
        """Whether the next token is `mark`, which is then passed."""
        found = self.peek() == mark
        self._next += found
        return found

    def expect(self, mark: str) -> None:
        if not self.skip(mark):
            raise self.wrong()

    def finish(self) -> None:
        if self._next < len(self._found):
            raise self.wrong()


def parse_type(text: str, user_types: Mapping[str, t.UserType] | None = None) -> CqlType:
    """The type of CQL text; user-defined ones by name from `user_types`. Raises WireValueError."""
    tokens = _Tokens(text, _TEXT_TOKEN, WireValueError)
    found = _parse_text(tokens, user_types or {}, 0)
    tokens.finish()
    return found


def _parse_text(tokens: _Tokens, user_types: Mapping[str, t.UserType], depth: int) -> CqlType:
    if depth > t.MAX_TYPE_DEPTH:
        raise WireValueError(f"a type nested more than {t.MAX_TYPE_DEPTH} levels deep")
    kind, text = tokens.take()
    if kind == "cls":
        try:
            return type_of_class(text, depth)
        except ProtocolError as error:
            raise WireValueError(str(error)) from None
    name = text.replace('""', '"') if kind == "quoted" else text.lower()
    if not tokens.skip("<"):
        return _named(tokens, name, quoted=kind == "quoted", user_types=user_types)
    if name == "vector":
        element = _parse_text(tokens, user_types, depth + 1)
        tokens.expect(",")
        dimension = tokens.take()[1]
        tokens.expect(">")
        return _vector(element, dimension, WireValueError)
    inner = [_parse_text(tokens, user_types, depth + 1)]
    while tokens.skip(","):
        inner.append(_parse_text(tokens, user_types, depth + 1))
    tokens.expect(">")
    return inner[0] if name == "frozen" and len(inner) == 1 else _parametrised(tokens, name, inner)


def _named(tokens: _Tokens, name: str, quoted: bool, user_types: Mapping[str, t.UserType]) -> CqlType:
    if tokens.skip("."):
        kind, text = tokens.take()
        quoted, name = True, text.replace('""', '"') if kind == "quoted" else text.lower()
    if not quoted and name == "varchar":
        return t.TEXT
    native = None if quoted else t.NATIVE_TYPES.get(name)
    found = native or user_types.get(name)
    if found is None:
        raise WireValueError(f"{name!r} is no type")
    return found


def _parametrised(tokens: _Tokens, name: str, inner: list[CqlType]) -> CqlType:
    if name == "tuple":
        return t.TupleType(tuple(inner))
    if name == "map" and len(inner) == 2:
        return t.MapType(inner[0], inner[1])
    if name == "list" and len(inner) == 1:
        return t.ListType(inner[0])
    if name == "set" and len(inner) == 1:
        return t.SetType(inner[0])
    raise tokens.wrong()


def _vector(element: CqlType, dimension: str, error: Callable[[str], Exception]) -> t.VectorType:
    # [int] on the server; more digits than that are not even looked at
    if not (dimension.isascii() and dimension.isdigit() and len(dimension) < 10 and int(dimension) > 0):
        raise error(f"a vector of dimension {dimension[:20]!r}")
    return t.VectorType(element, int(dimension))


def type_of_class(class_name: str, depth: int = 0) -> CqlType:
    """The type of a server's class name; one that we do not know is a CustomType. Raises ProtocolError."""
    short = class_name[len(MARSHAL) :] if class_name.startswith(MARSHAL) else class_name
    if short in _NATIVE_OF:
        return _NATIVE_OF[short]
    if short.partition("(")[0] not in _READERS:
        return t.CustomType(class_name)
    tokens = _Tokens(class_name, _CLASS_TOKEN, ProtocolError)
    found = _parse_class(tokens, depth)
    tokens.finish()
    return found


def _parse_class(tokens: _Tokens, depth: int) -> CqlType:
    t.check_depth(depth)
    full = tokens.take()[1]
    short = full[len(MARSHAL) :] if full.startswith(MARSHAL) else full
    if short in _NATIVE_OF:
        return _NATIVE_OF[short]
    reader = _READERS.get(short)
    if reader is None:
        if tokens.peek() == "(":
            raise tokens.wrong()
        return t.CustomType(full)
    tokens.expect("(")
    found = reader(tokens, depth + 1)
    tokens.expect(")")
    return found


def _classes(tokens: _Tokens, depth: int) -> list[CqlType]:
    found = [_parse_class(tokens, depth)]
    while tokens.skip(","):
        found.append(_parse_class(tokens, depth))
    return found


def _wrapped(tokens: _Tokens, depth: int) -> CqlType:
    return _parse_class(tokens, depth)


def _map_class(tokens: _Tokens, depth: int) -> CqlType:
    key = _parse_class(tokens, depth)
    tokens.expect(",")
    return t.MapType(key, _parse_class(tokens, depth))


def _vector_class(tokens: _Tokens, depth: int) -> CqlType:
    element = _parse_class(tokens, depth)
    tokens.expect(",")
    return _vector(element, tokens.take()[1], ProtocolError)


def _user_class(tokens: _Tokens, depth: int) -> CqlType:
    keyspace = tokens.take()[1]
    tokens.expect(",")
    name = _from_hex(tokens)
    fields = []
    while tokens.skip(","):
        field = _from_hex(tokens)
        tokens.expect(":")
        fields.append((field, _parse_class(tokens, depth)))
    return t.UserType(keyspace, name, tuple(fields))


def _from_hex(tokens: _Tokens) -> str:
    try:
        return bytes.fromhex(tokens.take()[1]).decode("utf-8")
    except ValueError:
        raise tokens.wrong() from None


_READERS: dict[str, Callable[[_Tokens, int], CqlType]] = {
    "FrozenType": _wrapped,
    "ReversedType": _wrapped,
    "ListType": lambda tokens, depth: t.ListType(_parse_class(tokens, depth)),
    "SetType": lambda tokens, depth: t.SetType(_parse_class(tokens, depth)),
    "MapType": _map_class,
    "TupleType": lambda tokens, depth: t.TupleType(tuple(_classes(tokens, depth))),
    "UserType": _user_class,
    "VectorType": _vector_class,
}


def class_of_type(cql_type: CqlType) -> str:
    """The server's full class name of a type."""
    if isinstance(cql_type, t.CustomType):
        return cql_type.class_name
    if isinstance(cql_type, t.NativeType):
        return MARSHAL + _CLASS_OF[cql_type]
    if isinstance(cql_type, (t.ListType, t.SetType)):
        kind = "ListType" if isinstance(cql_type, t.ListType) else "SetType"
        return f"{MARSHAL}{kind}({class_of_type(cql_type.element)})"
    if isinstance(cql_type, t.MapType):
        return f"{MARSHAL}MapType({class_of_type(cql_type.key)},{class_of_type(cql_type.value)})"
    if isinstance(cql_type, t.TupleType):
        return f"{MARSHAL}TupleType({','.join(map(class_of_type, cql_type.elements))})"
    if isinstance(cql_type, t.VectorType):
        return f"{MARSHAL}VectorType({class_of_type(cql_type.element)} , {cql_type.dimension})"
    fields = "".join(f",{name.encode().hex()}:{class_of_type(of)}" for name, of in cql_type.fields)
    return f"{MARSHAL}UserType({cql_type.keyspace},{cql_type.name.encode().hex()}{fields})"

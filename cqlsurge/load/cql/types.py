"""CQL types as plain descriptors. `frozen` changes nothing on the wire and is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from cqlsurge.load.cql.errors import ProtocolError

MAX_TYPE_DEPTH = 32  # nobody nests deeper on purpose; keeps recursion and the stack bounded


@dataclass(frozen=True)
class NativeType:
    """A type without parameters, by its CQL name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class ListType:
    """list<element>."""

    element: CqlType

    def __str__(self) -> str:
        return f"list<{self.element}>"


@dataclass(frozen=True)
class SetType:
    """set<element>."""

    element: CqlType

    def __str__(self) -> str:
        return f"set<{self.element}>"


@dataclass(frozen=True)
class MapType:
    """map<key, value>."""

    key: CqlType
    value: CqlType

    def __str__(self) -> str:
        return f"map<{self.key}, {self.value}>"


@dataclass(frozen=True)
class TupleType:
    """tuple<elements...>."""

    elements: tuple[CqlType, ...]

    def __str__(self) -> str:
        return f"tuple<{', '.join(map(str, self.elements))}>"


@dataclass(frozen=True)
class UserType:
    """A user-defined type with its fields in order."""

    keyspace: str
    name: str
    fields: tuple[tuple[str, CqlType], ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class VectorType:
    """vector<element, dimension>."""

    element: CqlType
    dimension: int

    def __str__(self) -> str:
        return f"vector<{self.element}, {self.dimension}>"


@dataclass(frozen=True)
class CustomType:
    """A server-side class that we know nothing about; its values stay bytes."""

    class_name: str

    def __str__(self) -> str:
        return f"'{self.class_name}'"


CqlType = Union[NativeType, ListType, SetType, MapType, TupleType, UserType, VectorType, CustomType]

ASCII = NativeType("ascii")
BIGINT = NativeType("bigint")
BLOB = NativeType("blob")
BOOLEAN = NativeType("boolean")
COUNTER = NativeType("counter")
DATE = NativeType("date")
DECIMAL = NativeType("decimal")
DOUBLE = NativeType("double")
DURATION = NativeType("duration")
FLOAT = NativeType("float")
INET = NativeType("inet")
INT = NativeType("int")
SMALLINT = NativeType("smallint")
TEXT = NativeType("text")
TIME = NativeType("time")
TIMESTAMP = NativeType("timestamp")
TIMEUUID = NativeType("timeuuid")
TINYINT = NativeType("tinyint")
UUID = NativeType("uuid")
VARINT = NativeType("varint")

NATIVE_TYPES: dict[str, NativeType] = {
    native.name: native
    for native in (
        ASCII, BIGINT, BLOB, BOOLEAN, COUNTER, DATE, DECIMAL, DOUBLE, DURATION, FLOAT, INET, INT, SMALLINT, TEXT, TIME,
        TIMESTAMP, TIMEUUID, TINYINT, UUID, VARINT,
    )
}  # fmt: skip


def check_depth(depth: int) -> None:
    """ProtocolError beyond MAX_TYPE_DEPTH."""
    if depth > MAX_TYPE_DEPTH:
        raise ProtocolError(f"a type nested more than {MAX_TYPE_DEPTH} levels deep")

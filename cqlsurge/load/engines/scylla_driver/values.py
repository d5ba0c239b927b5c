"""Values as the driver takes and gives them, from and to serialized cells.

Where the driver has types of its own (dates, times, durations, maps with keys that cannot be hashed) these are used;
sets go as lists, since what is in them may not be hashable either.
"""

from __future__ import annotations

from typing import Any, Callable

from cassandra.util import Date, Duration, OrderedMap, Time

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.natives import read_uvint
from cqlsurge.load.cql.primitives import Reader
from cqlsurge.load.cql.values import decoder, encoder, fixed_bytes
from cqlsurge.load.workload.collation import sort_key

Bind = Callable[[bytes], Any]
Natural = Callable[[Any], Any]

_BINDS: dict[t.NativeType, Callable[[Any], Any]] = {
    t.DATE: Date,
    t.TIME: Time,
    t.DURATION: lambda parts: Duration(*parts),
}
_NATURALS: dict[t.NativeType, Natural] = {
    t.DATE: lambda value: value.days_from_epoch,
    t.TIME: lambda value: value.nanosecond_time,
    t.DURATION: lambda value: (value.months, value.days, value.nanoseconds),
}


def bind_of(cql_type: t.CqlType) -> Bind:
    """The function that makes what the driver binds of a cell."""
    if isinstance(cql_type, t.NativeType):
        decode, made = decoder(cql_type), _BINDS.get(cql_type)
        return decode if made is None else lambda cell: made(decode(cell))
    if isinstance(cql_type, (t.ListType, t.SetType)):
        element = bind_of(cql_type.element)
        return lambda cell: _elements(cell, element)
    if isinstance(cql_type, t.MapType):
        key, value = bind_of(cql_type.key), bind_of(cql_type.value)
        return lambda cell: _map(cell, key, value)
    if isinstance(cql_type, t.VectorType):
        return _vector(cql_type)
    if isinstance(cql_type, t.TupleType):
        return _fields([bind_of(one) for one in cql_type.elements])
    if isinstance(cql_type, t.UserType):
        return _fields([bind_of(one) for _, one in cql_type.fields])
    return bytes


def _cell(reader: Reader, bind: Bind) -> Any:
    cell = reader.blob()
    return None if cell is None else bind(cell)


def _elements(cell: bytes, bind: Bind) -> list[Any]:
    reader = Reader(cell)
    return [_cell(reader, bind) for _ in range(reader.int32())]


def _map(cell: bytes, key: Bind, value: Bind) -> Any:
    reader = Reader(cell)
    return OrderedMap([(_cell(reader, key), _cell(reader, value)) for _ in range(reader.int32())])


def _fields(binds: list[Bind]) -> Bind:
    def bind(cell: bytes) -> Any:
        reader = Reader(cell)
        return tuple([_cell(reader, one) for one in binds])

    return bind


def _vector(cql_type: t.VectorType) -> Bind:
    element, size = bind_of(cql_type.element), fixed_bytes(cql_type.element)

    def bind(cell: bytes) -> Any:
        reader = Reader(cell)
        return [
            element(reader.take(read_uvint(reader) if size is None else size, "vector element"))
            for _ in range(cql_type.dimension)
        ]

    return bind


def cell_of(cql_type: t.CqlType) -> Callable[[Any], bytes]:
    """The function that makes a cell of what the driver gives."""
    natural, encode = natural_of(cql_type), encoder(cql_type)
    return lambda value: encode(natural(value))


def natural_of(cql_type: t.CqlType) -> Natural:
    """The function that makes, of what the driver gives, what our own encoder takes."""
    if isinstance(cql_type, t.NativeType):
        return _NATURALS.get(cql_type, _same)
    if isinstance(cql_type, t.SetType):
        # The driver has an order of its own for sets.
        element, order = natural_of(cql_type.element), sort_key(cql_type.element)
        return lambda values: sorted([_natural(element, value) for value in values], key=order)
    if isinstance(cql_type, (t.ListType, t.VectorType)):
        element = natural_of(cql_type.element)
        return lambda values: [_natural(element, value) for value in values]
    if isinstance(cql_type, t.MapType):
        key, value = natural_of(cql_type.key), natural_of(cql_type.value)
        return lambda pairs: [(_natural(key, one), _natural(value, other)) for one, other in pairs.items()]
    inner: list[Natural] = []
    if isinstance(cql_type, t.TupleType):
        inner = [natural_of(one) for one in cql_type.elements]
    elif isinstance(cql_type, t.UserType):
        inner = [natural_of(one) for _, one in cql_type.fields]
    if inner:
        return lambda values: tuple([_natural(one, value) for one, value in zip(inner, values)])
    return _same


def _natural(natural: Natural, value: Any) -> Any:
    return None if value is None else natural(value)


def _same(value: Any) -> Any:
    return value

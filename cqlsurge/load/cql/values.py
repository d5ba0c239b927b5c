"""Python values to cell bytes and back (native_protocol_v4.spec, section 6; vector and duration: Cassandra 5.0).

| CQL | Python |
| --- | --- |
| ascii, text | str |
| tinyint, smallint, int, bigint, counter, varint | int |
| float, double / decimal | float / Decimal |
| boolean / blob, custom classes | bool / bytes |
| uuid, timeuuid | UUID |
| timestamp | int, milliseconds since 1970 (also takes a datetime; a naive one is UTC) |
| date | int, days since 1970-01-01 (also takes a date) |
| time | int, nanoseconds since midnight (also takes a time) |
| inet | str (also takes an address of `ipaddress`) |
| duration | Duration |
| list, vector / set / map | list / set / dict |
| tuple / user type | tuple / dict by field name (also takes a sequence) |

Python's datetime cannot hold all that the server can, hence the ints. As a set's element or a map's key, where Python
wants hashable things, a list, vector or user type comes as tuple, a set as frozenset, a map as tuple of pairs.
None is null; a cell of no bytes of a type that cannot be empty is None too, as in the drivers. A tuple or user type
has only the fields that its value was written with: those added to the type since are missing.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.natives import FIXED_BYTES, NATIVE_CODECS, read_uvint, write_uvint
from cqlsurge.load.cql.primitives import Reader, write_bytes, write_int

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cqlsurge.load.cql.types import CqlType

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]
_KEPT_TYPES = 256  # types come from the peer too: keep some, not all
_EMPTY_ALLOWED = frozenset({t.ASCII, t.TEXT, t.BLOB})


def encode_value(cql_type: CqlType, value: Any) -> bytes | None:
    """The cell of a value; None for None. Raises WireValueError."""
    return None if value is None else encoder(cql_type)(value)


def decode_value(cql_type: CqlType, cell: bytes | None) -> Any:
    """The value of a cell; None for None. Raises ProtocolError."""
    return None if cell is None else decoder(cql_type)(cell)


def decode_row(types: Sequence[CqlType], row: Sequence[bytes | None]) -> tuple[Any, ...]:
    """The values of a row of cells."""
    if len(types) != len(row):
        raise ProtocolError(f"a row of {len(row)} cells for {len(types)} columns")
    return tuple([decode_value(cql_type, cell) for cql_type, cell in zip(types, row)])


@functools.lru_cache(maxsize=_KEPT_TYPES)
def encoder(cql_type: CqlType) -> Encode:
    """The function that encodes values (not None) of a type; it raises WireValueError."""
    plain = _encoder(cql_type)

    def encode(value: Any) -> bytes:
        try:
            return plain(value)
        except WireValueError:
            raise
        except (TypeError, ValueError, AttributeError, OverflowError, KeyError, struct.error, ArithmeticError) as error:
            raise WireValueError(f"{str(value)[:60]!r} is no {cql_type}: {error}") from None

    return encode


@functools.lru_cache(maxsize=_KEPT_TYPES)
def decoder(cql_type: CqlType, hashable: bool = False) -> Decode:
    """The function that decodes cells (not None) of a type; it raises ProtocolError."""
    if isinstance(cql_type, t.NativeType):
        decode, may_be_empty = NATIVE_CODECS[cql_type][1], cql_type in _EMPTY_ALLOWED
        return decode if may_be_empty else lambda cell: decode(cell) if cell else None
    if isinstance(cql_type, t.CustomType):
        return bytes
    plain = _decoder(cql_type, hashable)
    return lambda cell: plain(cell) if cell else None


def _encoder(cql_type: CqlType) -> Encode:
    if isinstance(cql_type, t.NativeType):
        return NATIVE_CODECS[cql_type][0]
    if isinstance(cql_type, t.CustomType):
        return bytes
    if isinstance(cql_type, (t.ListType, t.SetType)):
        return functools.partial(_encode_list, encoder(cql_type.element))
    if isinstance(cql_type, t.MapType):
        return functools.partial(_encode_map, encoder(cql_type.key), encoder(cql_type.value))
    if isinstance(cql_type, t.VectorType):
        return functools.partial(_encode_vector, cql_type, encoder(cql_type.element))
    if isinstance(cql_type, t.TupleType):
        return functools.partial(_encode_fields, [encoder(of) for of in cql_type.elements])
    names = [name for name, _ in cql_type.fields]
    return functools.partial(_encode_user_type, names, [encoder(of) for _, of in cql_type.fields])


def _encode_cell(encode: Encode, value: Any) -> bytes:
    return write_bytes(None if value is None else encode(value))


def _encode_list(encode: Encode, values: Iterable[Any]) -> bytes:
    if isinstance(values, (str, bytes, Mapping)):
        raise WireValueError(f"a {type(values).__name__} where a list or set is wanted")
    cells = [_encode_cell(encode, value) for value in values]
    return write_int(len(cells)) + b"".join(cells)


def _encode_map(encode_key: Encode, encode: Encode, values: Any) -> bytes:
    pairs = list(values.items() if isinstance(values, Mapping) else values)
    cells = [_encode_cell(encode_key, key) + _encode_cell(encode, value) for key, value in pairs]
    return write_int(len(cells)) + b"".join(cells)


def _encode_vector(cql_type: t.VectorType, encode: Encode, values: Sequence[Any]) -> bytes:
    if len(values) != cql_type.dimension:
        raise WireValueError(f"{len(values)} elements for a {cql_type}")
    cells = [encode(value) for value in values]
    if fixed_bytes(cql_type.element) is not None:
        return b"".join(cells)
    return b"".join([write_uvint(len(cell)) + cell for cell in cells])


def _encode_fields(encoders: list[Encode], values: Sequence[Any]) -> bytes:
    if len(values) > len(encoders) or isinstance(values, (str, bytes)):
        raise WireValueError(f"{len(values)} values for a tuple of {len(encoders)}")
    return b"".join([_encode_cell(encode, value) for encode, value in zip(encoders, values)])


def _encode_user_type(names: list[str], encoders: list[Encode], values: Any) -> bytes:
    if not isinstance(values, Mapping):
        return _encode_fields(encoders, values)
    unknown = set(values) - set(names)
    if unknown:
        raise WireValueError(f"no such fields in the user type: {sorted(map(str, unknown))}")
    return _encode_fields(encoders, [values.get(name) for name in names])


def fixed_bytes(cql_type: CqlType) -> int | None:
    """How many bytes each value of a type has inside a vector; None where they vary and carry their length.

    As Cassandra's valueLengthIfFixed has it: date, time, smallint and tinyint count as varying there.
    """
    if isinstance(cql_type, t.VectorType):
        inner = fixed_bytes(cql_type.element)
        return None if inner is None else inner * cql_type.dimension
    return FIXED_BYTES.get(cql_type) if isinstance(cql_type, t.NativeType) else None


def _decoder(cql_type: Any, hashable: bool) -> Decode:
    if isinstance(cql_type, t.ListType):
        return functools.partial(_decode_list, decoder(cql_type.element, hashable), tuple if hashable else list)
    if isinstance(cql_type, t.SetType):
        return functools.partial(_decode_list, decoder(cql_type.element, True), frozenset if hashable else set)
    if isinstance(cql_type, t.MapType):
        key, value = decoder(cql_type.key, True), decoder(cql_type.value, hashable)
        return functools.partial(_decode_map, key, value, tuple if hashable else dict)
    if isinstance(cql_type, t.VectorType):
        return functools.partial(_decode_vector, cql_type, decoder(cql_type.element, hashable), hashable)
    if isinstance(cql_type, t.TupleType):
        return functools.partial(_decode_tuple, [decoder(of, hashable) for of in cql_type.elements])
    names = [name for name, _ in cql_type.fields]
    decoders = [decoder(of, hashable) for _, of in cql_type.fields]
    return functools.partial(_decode_user_type, None if hashable else names, decoders)


def _cell(reader: Reader, decode: Decode) -> Any:
    cell = reader.blob()
    return None if cell is None else decode(cell)


def _decode_list(decode: Decode, build: Callable[[list[Any]], Any], cell: bytes) -> Any:
    reader = Reader(cell)
    values = [_cell(reader, decode) for _ in range(reader.count("elements", 4))]
    reader.finish()
    return build(values)


def _decode_map(key: Decode, value: Decode, build: Callable[[list[Any]], Any], cell: bytes) -> Any:
    reader = Reader(cell)
    pairs = [(_cell(reader, key), _cell(reader, value)) for _ in range(reader.count("pairs", 8))]
    reader.finish()
    return build(pairs)


def _decode_vector(cql_type: t.VectorType, decode: Decode, hashable: bool, cell: bytes) -> Any:
    size = fixed_bytes(cql_type.element)
    reader = Reader(cell)
    if cql_type.dimension * (size or 1) > reader.remaining:
        raise ProtocolError(f"{len(cell)} bytes for a {cql_type}")
    values = [
        decode(reader.take(read_uvint(reader) if size is None else size, "vector element"))
        for _ in range(cql_type.dimension)
    ]
    reader.finish()
    return tuple(values) if hashable else values


def _decode_fields(reader: Reader, decoders: list[Decode]) -> list[Any]:
    """The fields that are there. Filling in the others would let a few bytes stand for any amount of memory."""
    values = []
    for decode in decoders:
        if not reader.remaining:
            break
        values.append(_cell(reader, decode))
    return values


def _decode_tuple(decoders: list[Decode], cell: bytes) -> tuple[Any, ...]:
    reader = Reader(cell)
    values = tuple(_decode_fields(reader, decoders))
    reader.finish()
    return values


def _decode_user_type(names: list[str] | None, decoders: list[Decode], cell: bytes) -> Any:
    """Bytes behind the known fields belong to fields that were added since, and are left alone."""
    values = _decode_fields(Reader(cell), decoders)
    return tuple(values) if names is None else dict(zip(names, values))

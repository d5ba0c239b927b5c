"""The [option] of a type on the wire (native_protocol_v4.spec, section 4.2.5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.type_names import class_of_type, type_of_class

if TYPE_CHECKING:
    from cqlsurge.load.cql.primitives import Reader
    from cqlsurge.load.cql.types import CqlType

OPTION_CUSTOM = 0x0000
OPTION_LIST = 0x0020
OPTION_MAP = 0x0021
OPTION_SET = 0x0022
OPTION_UDT = 0x0030
OPTION_TUPLE = 0x0031

_OPTION_OF: dict[t.NativeType, int] = {
    t.ASCII: 0x01, t.BIGINT: 0x02, t.BLOB: 0x03, t.BOOLEAN: 0x04, t.COUNTER: 0x05, t.DECIMAL: 0x06, t.DOUBLE: 0x07,
    t.FLOAT: 0x08, t.INT: 0x09, t.TIMESTAMP: 0x0B, t.UUID: 0x0C, t.TEXT: 0x0D, t.VARINT: 0x0E, t.TIMEUUID: 0x0F,
    t.INET: 0x10, t.DATE: 0x11, t.TIME: 0x12, t.SMALLINT: 0x13, t.TINYINT: 0x14,
}  # fmt: skip
# 0x0A was text before v3; duration has a number since v5 and travels under its class name in v4.
_NATIVE_OF: dict[int, t.NativeType] = {
    **{option: native for native, option in _OPTION_OF.items()},
    0x0A: t.TEXT,
    0x15: t.DURATION,
}


def read_type(reader: Reader, depth: int = 0) -> CqlType:
    """An [option] where the reader stands. Raises ProtocolError."""
    t.check_depth(depth)
    option = reader.short()
    native = _NATIVE_OF.get(option)
    if native is not None:
        return native
    depth += 1
    if option == OPTION_LIST:
        return t.ListType(read_type(reader, depth))
    if option == OPTION_SET:
        return t.SetType(read_type(reader, depth))
    if option == OPTION_MAP:
        return t.MapType(read_type(reader, depth), read_type(reader, depth))
    if option == OPTION_TUPLE:
        return t.TupleType(tuple([read_type(reader, depth) for _ in range(reader.short())]))
    if option == OPTION_UDT:
        keyspace, name = reader.string(), reader.string()
        fields = [(reader.string(), read_type(reader, depth)) for _ in range(reader.short())]
        return t.UserType(keyspace, name, tuple(fields))
    if option == OPTION_CUSTOM:
        return type_of_class(reader.string(), depth)
    raise ProtocolError(f"unknown type option 0x{option:04x}")


def write_type(cql_type: CqlType) -> bytes:
    """The [option] of a type."""
    if isinstance(cql_type, t.NativeType) and cql_type in _OPTION_OF:
        return p.write_short(_OPTION_OF[cql_type])
    if isinstance(cql_type, t.ListType):
        return p.write_short(OPTION_LIST) + write_type(cql_type.element)
    if isinstance(cql_type, t.SetType):
        return p.write_short(OPTION_SET) + write_type(cql_type.element)
    if isinstance(cql_type, t.MapType):
        return p.write_short(OPTION_MAP) + write_type(cql_type.key) + write_type(cql_type.value)
    if isinstance(cql_type, t.TupleType):
        elements = b"".join([write_type(element) for element in cql_type.elements])
        return p.write_short(OPTION_TUPLE) + p.write_short(len(cql_type.elements)) + elements
    if isinstance(cql_type, t.UserType):
        fields = b"".join([p.write_string(name) + write_type(of) for name, of in cql_type.fields])
        head = p.write_string(cql_type.keyspace) + p.write_string(cql_type.name)
        return p.write_short(OPTION_UDT) + head + p.write_short(len(cql_type.fields)) + fields
    return p.write_short(OPTION_CUSTOM) + p.write_string(class_of_type(cql_type))

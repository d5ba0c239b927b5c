"""The order in which the server keeps elements of sets, keys of maps and clustering columns, by CQL type.

As Apache Cassandra's AbstractType.compare has it for values that are serialized; ScyllaDB orders alike.
"""

from __future__ import annotations

from typing import Any, Callable
from uuid import UUID

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.values import encoder

Key = Callable[[Any], Any]

# By value; everything else that is native goes by its bytes, without sign.
_BY_VALUE = {
    t.BIGINT, t.INT, t.SMALLINT, t.TINYINT, t.VARINT, t.COUNTER, t.TIMESTAMP, t.TIME, t.DECIMAL, t.BOOLEAN, t.DATE,
}  # fmt: skip


def sort_key(cql_type: t.CqlType) -> Key:
    """The key by which values (not None) of a type are sorted."""
    if isinstance(cql_type, t.NativeType):
        return _native(cql_type)
    if isinstance(cql_type, (t.ListType, t.SetType, t.VectorType)):
        element = sort_key(cql_type.element)
        return lambda values: [element(value) for value in values]
    if isinstance(cql_type, t.MapType):
        key, value = sort_key(cql_type.key), sort_key(cql_type.value)
        return lambda pairs: [(key(one), value(other)) for one, other in _pairs(pairs)]
    if isinstance(cql_type, t.TupleType):
        return _fields([sort_key(of) for of in cql_type.elements], None)
    if isinstance(cql_type, t.UserType):
        return _fields([sort_key(of) for _, of in cql_type.fields], [name for name, _ in cql_type.fields])
    return encoder(cql_type)


def _pairs(pairs: Any) -> Any:
    return pairs.items() if hasattr(pairs, "items") else pairs


def _native(cql_type: t.NativeType) -> Key:
    if cql_type in {t.FLOAT, t.DOUBLE}:
        return _float_key
    if cql_type in _BY_VALUE:
        return _same
    if cql_type == t.UUID:
        return _uuid_key
    if cql_type == t.TIMEUUID:
        return _timeuuid_key
    return encoder(cql_type)


def _same(value: Any) -> Any:
    return value


def _float_key(value: float) -> Any:
    """Java's Double.compare: -0.0 before 0.0, NaN last."""
    if value != value:
        return (1, 0.0, 0)
    return (0, value, 0 if str(value).startswith("-") else 1)


def _uuid_key(value: UUID) -> Any:
    """UUIDType: by version, then time-based ones by time, then by bytes."""
    version = value.bytes[6] >> 4
    return (version, value.time, value.bytes) if version == 1 else (version, 0, value.bytes)


def _timeuuid_key(value: UUID) -> Any:
    """TimeUUIDType: by time, then the other bytes, with sign."""
    return (value.time, bytes([byte ^ 0x80 for byte in value.bytes[8:]]))


def _fields(keys: list[Key], names: list[str] | None) -> Key:
    """Field by field; one that is absent comes before all that are there."""

    def key(values: Any) -> Any:
        fields = values if names is None or not hasattr(values, "get") else [values.get(name) for name in names]
        return [(0, 0) if value is None else (1, of(value)) for of, value in zip(keys, fields)]

    return key

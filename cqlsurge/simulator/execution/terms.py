"""Values in statements as serialized bytes: constants by the column's type, bound values as they came."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.primitives import Unset, Value
from cqlsurge.load.cql.values import decode_value, encoder
from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.execution.constants import constant
from cqlsurge.simulator.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cqlsurge.load.cql.types import CqlType

_SIZES = {
    t.TINYINT: 1, t.SMALLINT: 2, t.INT: 4, t.BIGINT: 8, t.COUNTER: 8, t.UUID: 16, t.TIMEUUID: 16, t.BOOLEAN: 1,
    t.FLOAT: 4, t.DOUBLE: 8, t.TIMESTAMP: 8, t.DATE: 4, t.TIME: 8,
}  # fmt: skip


def resolve(term: Any, cql_type: CqlType, values: Sequence[Value]) -> Value:
    """The bytes of a term for a column of this type; None for null, UNSET for an unset bind value."""
    if isinstance(term, ast.Marker):
        value = values[term.index]
        if isinstance(value, bytes):
            size = _SIZES.get(cql_type) if isinstance(cql_type, t.NativeType) else None
            if size is not None and len(value) not in (size, 0):
                raise SchemaError(f"Exception while binding: expected {size} byte {cql_type} ({len(value)})")
        return value
    python = evaluate(term, cql_type, values)
    return None if python is None else serialize(cql_type, python)


def resolve_key(term: Any, cql_type: CqlType, values: Sequence[Value], name: str) -> bytes:
    """As `resolve`, for a column of the primary key, which can be neither null nor unset."""
    value = resolve(term, cql_type, values)
    if value is None or isinstance(value, Unset):
        raise SchemaError(f"Invalid null or unset value for column {name}")
    return value


def serialize(cql_type: CqlType, python: Any) -> bytes:
    try:
        return encoder(cql_type)(python)
    except WireValueError as error:
        raise SchemaError(f"Invalid value for type {cql_type}: {error}") from None


def deserialize(cql_type: CqlType, data: bytes) -> Any:
    try:
        return decode_value(cql_type, data)
    except ProtocolError as error:
        raise SchemaError(f"Invalid value for type {cql_type}: {error}") from None


def evaluate(term: Any, cql_type: CqlType, values: Sequence[Value]) -> Any:
    """The Python value of a term; None for null and unset."""
    if isinstance(term, ast.Marker):
        value = resolve(term, cql_type, values)
        return deserialize(cql_type, value) if isinstance(value, bytes) else None
    if isinstance(term, ast.Literal):
        return constant(term, cql_type)
    if isinstance(term, ast.Call):
        return _call(term)
    return _collection(term, cql_type, values)


def _collection(term: ast.Collection, cql_type: CqlType, values: Sequence[Value]) -> Any:
    def each(items: Sequence[Any], inner: CqlType) -> list[Any]:
        return [evaluate(item, inner, values) for item in items]

    if isinstance(cql_type, (t.ListType, t.VectorType)) and term.kind in ("list", "tuple"):
        return each(term.items, cql_type.element)
    if isinstance(cql_type, t.SetType) and (term.kind == "set" or not term.items):
        return each(term.items, cql_type.element)
    if isinstance(cql_type, t.MapType) and (term.kind == "map" or not term.items):
        return [(evaluate(k, cql_type.key, values), evaluate(v, cql_type.value, values)) for k, v in term.items]
    if isinstance(cql_type, t.TupleType) and term.kind == "tuple" and len(term.items) <= len(cql_type.elements):
        return tuple(evaluate(item, cql_type.elements[at], values) for at, item in enumerate(term.items))
    if isinstance(cql_type, t.UserType) and term.kind == "map":
        fields = {key.value: value for key, value in term.items}
        return {name: evaluate(fields[name], of, values) for name, of in cql_type.fields if name in fields}
    raise SchemaError(f"Invalid {term.kind} literal for a value of type {cql_type}")


_FUNCTIONS: dict[str, Callable[[], Any]] = {
    "uuid": uuid.uuid4,
    "now": uuid.uuid1,
    "currenttimeuuid": uuid.uuid1,
    "currenttimestamp": lambda: time.time_ns() // 1_000_000,
    "totimestamp": lambda: time.time_ns() // 1_000_000,
    "tounixtimestamp": lambda: time.time_ns() // 1_000_000,
}


def _call(term: ast.Call) -> Any:
    function = _FUNCTIONS.get(term.name)
    if function is None or any(item != ast.Call("now", ()) for item in term.arguments):
        raise SchemaError(f"Unknown function '{term.name}'")
    return function()

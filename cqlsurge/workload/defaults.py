"""What a column holds that the file says nothing of: by its type; keys by the number of partition and row."""

from __future__ import annotations

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.expressions import Expr
from cqlsurge.workload.build import Builder
from cqlsurge.workload.document import Place
from cqlsurge.workload.tables import Column

_VALUES = {
    t.ASCII: "ascii(8..16)", t.TEXT: "text(8..16)", t.BLOB: "blob(8..16)", t.BOOLEAN: "boolean(50%)",
    t.TINYINT: "uniform(-128..127)", t.SMALLINT: "uniform(-32768..32767)", t.INT: "uniform(0..2147483647)",
    t.BIGINT: "uniform(0..1000000000000)", t.VARINT: "varint(8)", t.DECIMAL: "decimal(1..1M, 2)",
    t.FLOAT: "uniform(0.0, 1000.0)", t.DOUBLE: "uniform(0.0, 1000000.0)", t.UUID: "uuid()", t.TIMEUUID: "timeuuid()",
    t.TIMESTAMP: "timestamp('2026-01-01') + uniform(0..31536000000)", t.DATE: "date('2026-01-01') + uniform(0..364)",
    t.TIME: "time()", t.DURATION: "duration(0..11, 0..30, 0..1G)", t.INET: "inet()",
}  # fmt: skip
#: of a whole number N, one value for each
_KEYS = {
    t.ASCII: 'f"{N:010d}"', t.TEXT: 'f"{N:010d}"', t.BLOB: "blob(16, N)", t.TINYINT: "N", t.SMALLINT: "N", t.INT: "N",
    t.BIGINT: "N", t.VARINT: "N", t.DECIMAL: "decimal(N, 0)", t.FLOAT: "float(N)", t.DOUBLE: "float(N)",
    t.UUID: "uuid(N)", t.TIMEUUID: "timeuuid(N)", t.TIMESTAMP: "timestamp('2026-01-01') + N * 1000",
    t.DATE: "date('2026-01-01') + N",
    t.TIME: "time(N)", t.INET: "inet6(N)", t.BOOLEAN: "N % 2 == 0",
}  # fmt: skip


def value_text(of: t.CqlType | None) -> str:
    """An expression that gives values of a type."""
    if isinstance(of, t.NativeType):
        return _VALUES.get(of, "null")
    if isinstance(of, t.ListType):
        return f"list(1..4, {value_text(of.element)})"
    if isinstance(of, t.SetType):
        return f"set(1..4, {value_text(of.element)})"
    if isinstance(of, t.MapType):
        return f"map(1..4, {value_text(of.key)}, {value_text(of.value)})"
    if isinstance(of, t.TupleType):
        return f"tuple({', '.join(map(value_text, of.elements))})"
    if isinstance(of, t.VectorType):
        return f"vector({value_text(of.element)})"
    if isinstance(of, t.UserType):
        fields = ", ".join(f"'{name}': {value_text(field)}" for name, field in of.fields)
        return f"{{{fields}}}"
    return "blob(8..16)"


def key_text(of: t.CqlType | None, number: str) -> str:
    """An expression that gives one value of a type for each value of p or r."""
    if isinstance(of, t.NativeType) and of in _KEYS:
        return _KEYS[of].replace("N", number)
    if isinstance(of, t.TupleType):
        return f"tuple({', '.join(key_text(one, number) for one in of.elements)})"
    if isinstance(of, t.UserType):
        fields = ", ".join(f"'{name}': {key_text(field, number)}" for name, field in of.fields)
        return f"{{{fields}}}"
    if isinstance(of, (t.ListType, t.SetType)):
        name = "list" if isinstance(of, t.ListType) else "set"
        return f"{name}(1, {key_text(of.element, number)})"
    if isinstance(of, t.MapType):
        return f"map(1, {key_text(of.key, number)}, {value_text(of.value)})"
    return value_text(of)


def default_tree(column: Column, role: str, builder: Builder, place: Place, many: bool) -> Expr:
    """The tree of a column without an entry. `many`: whether partitions have several rows."""
    if role == "partition":
        text = key_text(column.type, "p")
    elif role == "clustering":
        text = key_text(column.type, "r" if many else "p")
    else:
        text = value_text(column.type)
    return builder.text(text, place, column.type)

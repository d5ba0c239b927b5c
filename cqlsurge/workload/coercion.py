"""Which kinds of values fit which CQL types, and how one becomes the other."""

from __future__ import annotations

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.expressions import Expr
from cqlsurge.workload.document import Place

INTEGER_LIMITS = {t.TINYINT: 7, t.SMALLINT: 15, t.INT: 31, t.BIGINT: 63, t.COUNTER: 63}
_INTEGERS = {*INTEGER_LIMITS, t.VARINT}
#: type -> (kinds that fit as they are, what to write where nothing fits)
_NATIVE: dict[t.NativeType, tuple[set[str], str]] = {
    **{
        of: ({"int", "timestamp", "date", "time"}, "write a whole number, such as p or uniform(1..100)")
        for of in _INTEGERS
    },
    t.FLOAT: ({"float"}, "write a number, such as uniform(0.0, 1.0)"),
    t.DOUBLE: ({"float"}, "write a number, such as gaussian(20.0, 5.0)"),
    t.TEXT: ({"text"}, 'make a text of it: f"{...}"'),
    t.ASCII: ({"text"}, 'make a text of it: f"{...}"'),
    t.BLOB: ({"bytes"}, "write blob(size)"),
    t.BOOLEAN: ({"bool"}, "compare: x > 0, or choice(true, false)"),
    t.UUID: ({"uuid", "timeuuid"}, "write uuid(p)"),
    t.TIMEUUID: ({"timeuuid"}, "write timeuuid(p)"),
    t.TIMESTAMP: ({"timestamp", "int"}, "write timestamp('2026-01-01') or timestamp(a_date), and add milliseconds"),
    t.DATE: ({"date", "int"}, "write date('2026-01-01') and add days"),
    t.TIME: ({"time", "int"}, "write time('12:00'), or nanoseconds since midnight"),
    t.DECIMAL: ({"decimal"}, "write decimal(1..1000, 2)"),
    t.DURATION: ({"duration"}, "write duration(months, days, nanoseconds)"),
    t.INET: ({"inet"}, "write inet()"),
}


def with_article(kind: str) -> str:
    """a text, an int."""
    return f"an {kind}" if kind[0] in "aeiou" and kind != "uuid" and kind != "udt" else f"a {kind}"


def joined_kind(op: str, first: str, second: str) -> str:
    """The kind of what arithmetic gives."""
    kinds = {first, second}
    if "any" in kinds:
        return "any"
    if "float" in kinds:
        return "float"
    for kind in ("timestamp", "date", "time"):
        if kind in kinds:
            return "int" if kinds == {kind} and op == "sub" else kind
    return "int"


def coerced(tree: Expr, want: t.CqlType, place: Place) -> Expr:
    """The tree as a value of the type. Raises WorkloadError where it can be none."""
    kind = tree.kind
    if kind in {"null", "any"} or tree.op in {"maybe", "null"}:
        return tree
    if tree.op == "if" or tree.op == "choice":
        first = 1
        args = [*tree.args[:first], *[coerced(arg, want, place) for arg in tree.args[first:]]]
        return Expr(tree.op, args[first].kind, tuple(args), tree.data)
    if isinstance(want, t.NativeType):
        return _native(tree, want, place)
    expected = {
        t.ListType: {"list", "vector"}, t.SetType: {"set"}, t.MapType: {"map"}, t.TupleType: {"tuple"},
        t.UserType: {"udt", "tuple"}, t.VectorType: {"vector", "list"},
    }  # fmt: skip
    if kind not in expected.get(type(want), {"bytes"}):
        place.fail(f"{with_article(kind)} is no {want}; {_CURES.get(type(want), 'write blob(size)')}")
    return tree


_CURES = {
    t.ListType: "write list(1..5, x)",
    t.SetType: "write set(1..5, x)",
    t.MapType: "write map(1..5, key, value)",
    t.TupleType: "write (x, y)",
    t.UserType: "write its fields, each as `name: value`",
    t.VectorType: "write vector(x)",
}


def _native(tree: Expr, want: t.NativeType, place: Place) -> Expr:
    fitting, cure = _NATIVE[want]
    if tree.kind in fitting or (want == t.VARINT and tree.kind == "varint"):
        return tree
    if tree.kind == "float" and want in _INTEGERS:
        return Expr("int", "int", (tree,))
    if tree.kind == "int" and want in {t.FLOAT, t.DOUBLE}:
        return Expr("float", "float", (tree,))
    if tree.kind == "int" and want == t.DECIMAL:
        return Expr("decimal", "decimal", (tree,), 0)
    place.fail(f"{with_article(tree.kind)} is no {want}; {cure}")

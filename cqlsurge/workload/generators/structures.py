"""Collections, tuples and vectors."""

from __future__ import annotations

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.expressions import Expr
from cqlsurge.workload.calls import Call
from cqlsurge.workload.generators.form import Generator
from cqlsurge.workload.generators.texts import size_of

MOST_ELEMENTS = 65_535
_TYPES = {"int": t.BIGINT, "float": t.DOUBLE, "text": t.TEXT, "bytes": t.BLOB, "uuid": t.UUID, "bool": t.BOOLEAN}


def _element(call: Call, attribute: str) -> t.CqlType | None:
    return getattr(call.want, attribute, None)


def list_of(call: Call) -> Expr:
    """list(n, x)."""
    call.count(2, 2, "list(0..20, x): so many elements, each drawn anew")
    count = size_of(call, 0, MOST_ELEMENTS)
    return Expr("list", "list", (count, call.inner(1, _element(call, "element"))))


def set_of(call: Call) -> Expr:
    """set(n, x)."""
    call.count(2, 2, "set(1..5, x): so many draws, equal ones once")
    count, element = size_of(call, 0, MOST_ELEMENTS), _element(call, "element")
    tree = call.inner(1, element)
    return Expr("set", "set", (count, tree), _type_text(call, tree, element))


def map_of(call: Call) -> Expr:
    """map(n, key, value)."""
    call.count(3, 3, "map(2..4, key, value): so many pairs, of equal keys the first")
    count, of_key, of_value = size_of(call, 0, MOST_ELEMENTS), _element(call, "key"), _element(call, "value")
    key, value = call.inner(1, of_key), call.inner(2, of_value)
    return Expr("map", "map", (count, key, value), _type_text(call, key, of_key))


def vector(call: Call) -> Expr:
    """vector(x), vector(n, x)."""
    call.count(1, 2, "vector(x): as many elements as the column has; vector(128, x)")
    dimension = getattr(call.want, "dimension", None)
    if len(call.args) == 2:
        given = call.whole(0)
        if dimension is not None and given != dimension:
            call.fail(f"{given} elements for {call.want}", call.args[0])
        dimension = given
    if dimension is None:
        call.fail("how many elements: write vector(128, x)")
    return Expr("vector", "vector", (call.inner(len(call.args) - 1, _element(call, "element")),), dimension)


def tuple_of(call: Call) -> Expr:
    """tuple(x, y)."""
    elements = call.want.elements if isinstance(call.want, t.TupleType) else ()
    if elements and len(elements) != len(call.args):
        call.fail(f"{len(call.args)} values for {call.want}, which has {len(elements)}")
    wants = elements or (None,) * len(call.args)
    return Expr("tuple", "tuple", tuple(call.expr(at, of) for at, of in enumerate(wants)))


def any_row(call: Call) -> Expr:
    """any_row(x): x as it is in another row of the partition."""
    call.count(1, 1, "any_row(column): the column in some row of the same partition")
    chosen = call.word()
    tree = call.expr(0, call.want)
    return Expr("at_row", tree.kind, (chosen, tree), call.builder.names.table)


def column_function(call: Call) -> Expr:
    """column_function('ks.t.column'), which `Workload.column` writes."""
    call.count(1, 1, "it is made by @workload.column(table, 'column')")
    name = call.expr(0)
    if name.op != "const" or name.data not in call.builder.names.shared.functions:
        call.fail(f"{name.data!r} is no function of the Python file", call.args[0])
    return Expr("column_function", "any", (), (name.data, call.stream()))


def _type_text(call: Call, tree: Expr, element: t.CqlType | None) -> str:
    """The element's type, by which the server orders."""
    if element is not None:
        return str(element)
    found = _TYPES.get(tree.kind)
    if found is None:
        call.fail("what is in it is not known here: use it where a column says the type")
    return str(found)


STRUCTURES = (
    Generator("list", "list(a..b, x)", "so many elements, each drawn anew", "list(0..20, gaussian(0..100))", list_of),
    Generator("set", "set(a..b, x)", "so many draws, of which equal ones are one", "set(1..5, word(1k))", set_of),
    Generator("map", "map(a..b, key, value)", "so many pairs, of which keys are each there once",
              "map(2..4, word(50), text(5..40))", map_of),
    Generator("vector", "vector(x)", "a vector of the column's dimension", "vector(uniform(-1.0, 1.0))", vector),
    Generator("tuple", "(x, y) or tuple(x, y)", "a tuple", "(uniform(-90.0, 90.0), uniform(-180.0, 180.0))", tuple_of),
    Generator("any_row", "any_row(column)", "in `with`: the column in some row of the same partition", "any_row(at)",
              any_row),
    Generator("column_function", "column_function('ks.t.column')", "the function that a Python file gives for a column",
              "", column_function),
)  # fmt: skip

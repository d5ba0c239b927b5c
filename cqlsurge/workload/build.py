"""Expressions to trees: names resolved, columns inlined, generators given their streams, kinds checked."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, NoReturn

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.expressions import NULL, Expr, const
from cqlsurge.load.workload.interpreter import Context, Interpreter
from cqlsurge.workload.calls import Call, Generate
from cqlsurge.workload.coercion import coerced, joined_kind, with_article
from cqlsurge.workload.document import Node, Place, nearest
from cqlsurge.workload.names import NUMERIC, Built, Names, RangeExpr, constant_of
from cqlsurge.workload.syntax import Source, parse

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow",
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
}  # fmt: skip
_FOLDED = {
    "add", "sub", "mul", "div", "floordiv", "mod", "pow", "neg", "eq", "ne", "lt", "le", "gt", "ge", "not", "and", "or",
    "int", "float", "abs", "min", "max", "string", "concat",
}  # fmt: skip


class Builder:
    """Makes the trees of one column or bind. `stream`: what its streams' names begin with."""

    def __init__(self, names: Names, generators: Mapping[str, Generate], stream: str, coordinates: str) -> None:
        self.names, self.generators, self.stream, self.coordinates = names, generators, stream, coordinates
        self.depth = 0
        self._uses = 0
        self.source: Source

    def stream_name(self) -> str:
        """A stream of its own for the next use of a generator."""
        self._uses += 1
        return self.stream if self._uses == 1 else f"{self.stream}/{self._uses - 1}"

    def node(self, node: Node, want: t.CqlType | None) -> Expr:
        """The tree of a node of the file, of the type that is wanted."""
        if node.entries is not None:
            return self._fields(node, want)
        if node.items is not None:
            return self._items(node, want)
        assert node.text is not None
        return self.text(node.text, node.place.moved(1 if node.quoted and not node.block else 0), want)

    def text(self, text: str, place: Place, want: t.CqlType | None) -> Expr:
        """The tree of an expression, of the type that is wanted."""
        source = parse(text, place)
        outer, self.source = getattr(self, "source", source), source
        try:
            return self.wanted(source.tree, want)
        finally:
            self.source = outer

    def _fields(self, node: Node, want: t.CqlType | None) -> Expr:
        if not isinstance(want, t.UserType):
            node.fail(f"a mapping is a value of a user-defined type, not of {want}")
        entries = node.known([name for name, _ in want.fields], f"type {want.name}")
        args = [self.node(entries[name], of) if name in entries else NULL for name, of in want.fields]
        return Expr("udt", "udt", tuple(args))

    def _items(self, node: Node, want: t.CqlType | None) -> Expr:
        items = node.items or ()
        if isinstance(want, t.TupleType):
            if len(items) != len(want.elements):
                node.fail(f"{len(items)} values for {want}, which has {len(want.elements)}")
            return Expr(
                "tuple", "tuple", tuple(self.node(one, of) for one, of in zip(items, want.elements, strict=True))
            )
        if isinstance(want, t.ListType):
            return Expr("tuple", "list", tuple(self.node(one, want.element) for one in items))
        node.fail(f"a list is a value of a list or tuple, not of {want}")

    def wanted(self, node: ast.expr, want: t.CqlType | None) -> Expr:
        """The tree of a part, of the type that is wanted."""
        found = self.build(node, want)
        if not isinstance(found, Expr):
            self.fail(node, "a range stands here by itself; say uniform(a..b)")
        return found if want is None else coerced(found, want, self.source.at(node))

    def fail(self, node: ast.AST, text: str) -> NoReturn:
        """Raises WorkloadError for a part of the expression."""
        self.source.fail(node, text)

    def build(self, node: ast.expr, want: t.CqlType | None = None) -> Built:
        """A part of the expression."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            self.fail(node, f"{ast.unparse(node)[:40]!r} cannot stand in an expression")
        found: Built = method(node, want)
        return found

    def number(self, node: ast.expr) -> Expr:
        """A part that must be a number."""
        return self.checked_number(self.build(node), node)

    def checked_number(self, found: Built, node: ast.expr) -> Expr:
        """What was built, if it is a number."""
        if not isinstance(found, Expr) or found.kind not in NUMERIC | {"bool", "any"}:
            kind = found.kind if isinstance(found, Expr) else "range"
            self.fail(node, f"a number is wanted here, {ast.unparse(node)[:40]!r} is {with_article(kind)}")
        return found

    def made(self, op: str, kind: str, *args: Expr, data: Any = None) -> Expr:
        """An operation; of constants, its outcome."""
        tree = Expr(op, kind, args, data)
        if op in _FOLDED and all(arg.op == "const" and arg.kind in NUMERIC | {"bool", "text"} for arg in args):
            return const(Interpreter(0).evaluate(tree, Context()), kind)
        return tree

    # -- one method a class of Python's syntax tree ------------------------------------------------------------------

    def _constant(self, node: ast.Constant, want: t.CqlType | None) -> Expr:
        if node.value is None:
            return NULL
        if isinstance(node.value, bytes):
            return const(node.value.hex(), "bytes")
        if not isinstance(node.value, (bool, int, float, str)):
            self.fail(node, f"{node.value!r} cannot stand in an expression")
        if type(node.value) is int and not -(1 << 63) <= node.value < 1 << 63:
            self.fail(node, f"{node.value} does not fit 64 bits")
        return const(node.value)

    def _name(self, node: ast.Name, want: t.CqlType | None) -> Built:
        names = self.names
        if node.id in names.numbers:
            return names.numbers[node.id]
        if node.id in names.columns:
            return names.columns[node.id](self.source.at(node))
        if node.id in names.params:
            return constant_of(names.params[node.id])
        words = {"true": const(True), "false": const(False), "null": NULL}
        if node.id in words:
            return words[node.id]
        if node.id in self.generators:
            self.fail(node, f"{node.id} is a generator: write {node.id}(...)")
        where = f"column {node.id!r} is not in {names.table}" if names.table else f"{node.id!r} is not known"
        self.fail(node, f"{where}{nearest(node.id, [*names.all, *self.generators])}")

    def _binop(self, node: ast.BinOp, want: t.CqlType | None) -> Built:
        if isinstance(node.op, ast.BitOr):
            return RangeExpr(self.number(node.left), self.number(node.right))
        op = _OPERATORS.get(type(node.op))
        if op is None:
            self.fail(node, f"{ast.unparse(node)[:40]!r}: this operator is not used here")
        left, right = self.number(node.left), self.number(node.right)
        return self.made(op, "float" if op == "div" else joined_kind(op, left.kind, right.kind), left, right)

    def _unaryop(self, node: ast.UnaryOp, want: t.CqlType | None) -> Expr:
        if isinstance(node.op, ast.Not):
            return self.made("not", "bool", self.wanted(node.operand, None))
        if isinstance(node.op, ast.Invert):
            self.fail(node, "~ is not used here")
        operand = self.number(node.operand)
        return operand if isinstance(node.op, ast.UAdd) else self.made("neg", operand.kind, operand)

    def _boolop(self, node: ast.BoolOp, want: t.CqlType | None) -> Expr:
        op = "and" if isinstance(node.op, ast.And) else "or"
        return self.made(op, "bool", *[self.wanted(one, None) for one in node.values])

    def _compare(self, node: ast.Compare, want: t.CqlType | None) -> Expr:
        parts = [self.wanted(one, None) for one in [node.left, *node.comparators]]
        pairs = []
        for op, left, right in zip(node.ops, parts, parts[1:], strict=False):
            if type(op) not in _COMPARISONS:
                self.fail(node, f"{ast.unparse(node)[:40]!r}: this comparison is not used here")
            if left.kind != right.kind and not {left.kind, right.kind} <= NUMERIC | {"any"}:
                self.fail(node, f"a {left.kind} cannot be compared with a {right.kind}")
            pairs.append(self.made(_COMPARISONS[type(op)], "bool", left, right))
        return pairs[0] if len(pairs) == 1 else self.made("and", "bool", *pairs)

    def _ifexp(self, node: ast.IfExp, want: t.CqlType | None) -> Expr:
        condition = self.wanted(node.test, None)
        first, second = self.wanted(node.body, want), self.wanted(node.orelse, want)
        if first.kind != second.kind:
            if not {first.kind, second.kind} <= {"int", "float"}:
                if "null" not in {first.kind, second.kind}:
                    self.fail(node, f"one branch gives a {first.kind}, the other a {second.kind}")
            else:
                first, second = [
                    one if one.kind == "float" else self.made("float", "float", one) for one in (first, second)
                ]
        return Expr("if", second.kind if first.kind == "null" else first.kind, (condition, first, second))

    def _joinedstr(self, node: ast.JoinedStr, want: t.CqlType | None) -> Expr:
        parts: list[Expr] = []
        for piece in node.values:
            if isinstance(piece, ast.Constant):
                parts.append(const(str(piece.value)))
            elif isinstance(piece, ast.FormattedValue):
                parts.append(self._formatted(piece))
        return self.made("concat", "text", *parts) if parts else const("")

    def _formatted(self, node: ast.FormattedValue) -> Expr:
        value = self.wanted(node.value, None)
        spec = ""
        if node.format_spec is not None:
            spec = "".join(str(getattr(part, "value", "?")) for part in getattr(node.format_spec, "values", []))
        if spec and (value.kind not in NUMERIC - {"float"} or not _is_format(spec)):
            self.fail(node, f"format {spec!r} is not known: 08d, x and 016x are, for whole numbers")
        if value.kind not in NUMERIC | {"text", "uuid", "bool", "decimal", "inet", "any"}:
            self.fail(node, f"a {value.kind} cannot stand in a text")
        spec = spec.removesuffix("d")
        return value if value.kind == "text" else self.made("string", "text", value, data=spec)

    def _tuple(self, node: ast.Tuple, want: t.CqlType | None) -> Expr:
        if isinstance(want, t.TupleType):
            if len(node.elts) != len(want.elements):
                self.fail(node, f"{len(node.elts)} values for {want}, which has {len(want.elements)}")
            return Expr(
                "tuple", "tuple", tuple(self.wanted(one, of) for one, of in zip(node.elts, want.elements, strict=True))
            )
        return Expr("tuple", "tuple", tuple(self.wanted(one, None) for one in node.elts))

    def _list(self, node: ast.List, want: t.CqlType | None) -> Expr:
        element = getattr(want, "element", None)
        return Expr("tuple", "list", tuple(self.wanted(one, element) for one in node.elts))

    def _dict(self, node: ast.Dict, want: t.CqlType | None) -> Expr:
        if not isinstance(want, t.UserType):
            self.fail(node, f"{{...}} is a value of a user-defined type, not of {want}")
        given: dict[str, ast.expr] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.id if isinstance(key, ast.Name) else getattr(key, "value", None)
            if name not in dict(want.fields):
                self.fail(key or node, f"{name!r} is no field of {want.name}{nearest(str(name), dict(want.fields))}")
            given[str(name)] = value
        return Expr(
            "udt", "udt", tuple(self.wanted(given[name], of) if name in given else NULL for name, of in want.fields)
        )

    def _call(self, node: ast.Call, want: t.CqlType | None) -> Expr:
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            return self._helper(node, f"{node.func.value.id}.{node.func.attr}")
        if not isinstance(node.func, ast.Name):
            self.fail(node, f"{ast.unparse(node.func)[:40]!r} cannot be called")
        generate = self.generators.get(node.func.id)
        if generate is None:
            functions = [name.partition(".")[2] for name in self.names.shared.functions]
            self.fail(node, f"{node.func.id}() is no generator{nearest(node.func.id, [*self.generators, *functions])}")
        return generate(Call(self, node, node.func.id, want))

    def _helper(self, node: ast.Call, name: str) -> Expr:
        functions = self.names.shared.functions
        if name not in functions:
            if not functions:
                self.fail(node, f"{name}() is not known: name its file with `python: {name.split('.')[0]}.py`")
            self.fail(node, f"{name}() is not in the helper file{nearest(name, functions)}")
        if node.keywords:
            self.fail(node, "arguments of helper functions are given by place, not by name")
        return Expr("call", "any", tuple(self.wanted(arg, None) for arg in node.args), name)


def _is_format(spec: str) -> bool:
    digits = spec.rstrip("dx")
    return len(spec) - len(digits) <= 1 and (not digits or (digits.isdigit() and digits[0] == "0"))

"""A call of a generator in an expression: its arguments by what they must be, and the words it draws from."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.expressions import Expr, const, word
from cqlsurge.workload.names import Built, RangeExpr

if TYPE_CHECKING:
    from cqlsurge.workload.build import Builder


class Call:
    """A call of a generator: what it was given, and how it makes words."""

    def __init__(self, builder: Builder, node: ast.Call, name: str, want: t.CqlType | None) -> None:
        self.builder, self.node, self.name, self.want = builder, node, name, want
        self.args = list(node.args)
        self.keywords = {keyword.arg or "**": keyword.value for keyword in node.keywords}
        self._built: dict[int, Built] = {}

    def fail(self, text: str, at: ast.AST | None = None) -> NoReturn:
        """Raises WorkloadError for the call, or for one of its arguments."""
        self.builder.fail(at or self.node, text)

    def count(self, least: int, most: int, form: str) -> None:
        """Checks how many arguments there are; `form` shows how it is written."""
        if self.keywords:
            self.fail(f"{self.name}() takes no arguments by name: {form}")
        if not least <= len(self.args) <= most:
            self.fail(f"{len(self.args)} arguments for {self.name}(): {form}")

    def word(self) -> Expr:
        """A word of a stream of its own."""
        return word(self.stream(), self.builder.coordinates, self.builder.depth)

    def word_of(self, number: Expr) -> Expr:
        """A word that depends on a number alone."""
        return Expr("word", "word", (number,), (self.stream(), "x", 0))

    def stream(self) -> str:
        """The name of a stream of its own."""
        return self.builder.stream_name()

    def built(self, at: int, want: t.CqlType | None = None) -> Built:
        """An argument: a tree or a range. Asked twice, it is the same tree, with the same streams."""
        if want is not None:
            return self.builder.build(self.args[at], want)
        if at not in self._built:
            self._built[at] = self.builder.build(self.args[at])
        return self._built[at]

    def expr(self, at: int, want: t.CqlType | None = None) -> Expr:
        """An argument as a tree, of the type that is wanted."""
        return self.builder.wanted(self.args[at], want)

    def inner(self, at: int, want: t.CqlType | None) -> Expr:
        """An argument that stands for each element of a collection."""
        self.builder.depth += 1
        try:
            return self.expr(at, want)
        finally:
            self.builder.depth -= 1

    def number(self, at: int) -> Expr:
        """An argument that must be a number."""
        return self.builder.checked_number(self.built(at), self.args[at])

    def integer(self, at: int) -> Expr:
        """An argument that must be a whole number."""
        found = self.number(at)
        if found.kind == "float":
            self.fail("a whole number is wanted here", self.args[at])
        return found

    def constant(self, at: int) -> Any:
        """An argument that must be a constant number."""
        found = self.number(at)
        if found.op != "const":
            self.fail("a number or a parameter is wanted here: it is the same for all rows", self.args[at])
        return found.data

    def whole(self, at: int) -> int:
        """An argument that must be a constant whole number."""
        value = self.constant(at)
        if isinstance(value, float):
            self.fail(f"{value} is no whole number", self.args[at])
        return int(value)

    def share(self, at: int) -> float:
        """A share from 0 to 1."""
        value = float(self.constant(at))
        if not 0 <= value <= 1:
            self.fail(f"{value:g} is no share: write 10%, or 0.1", self.args[at])
        return value

    def range(self, at: int) -> tuple[Any, Any]:
        """A range of constants; a number n stands for 0..n-1."""
        found = self.built(at)
        if isinstance(found, Expr) and found.op == "const" and isinstance(found.data, int):
            found = RangeExpr(const(0), const(found.data - 1))
        if not isinstance(found, RangeExpr):
            self.fail("a range is wanted here, such as 1..10", self.args[at])
        if found.low.op != "const" or found.high.op != "const":
            self.fail("the ends of a range are numbers or parameters", self.args[at])
        if found.high.data < found.low.data:
            self.fail(f"{found.low.data}..{found.high.data} holds nothing: write the smaller end first", self.args[at])
        return found.low.data, found.high.data


Generate = Callable[[Call], Expr]

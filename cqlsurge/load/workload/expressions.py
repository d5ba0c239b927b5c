"""Expressions of a workload: trees without names, the same for the plain interpreter and for generated code.

The parent resolves everything: a reference to another column of the row is that column's tree, parameters are
constants, each use of a generator has the name of its stream. What each operation means stands in `interpreter.py`,
which is the law for all other ways of computing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: what a tree's value is; `any` is what a helper function gives
KINDS = (
    "int", "float", "text", "bytes", "bool", "uuid", "timeuuid", "timestamp", "date", "time", "decimal",
    "varint", "duration", "inet", "list", "set", "map", "tuple", "udt", "vector", "word", "null", "any",
)  # fmt: skip

#: what a word depends on: p partition, r row, v version, o ordinal of the operation, x the word's own argument
COORDINATES = ("p", "pv", "pr", "prv", "o", "x")


@dataclass(frozen=True)
class Expr:
    """An operation with its arguments. `data` is hashable and JSON-able: a number, a text, None, or tuples of these."""

    op: str
    kind: str
    args: tuple[Expr, ...] = ()
    data: Any = None

    def to_json(self) -> list[Any]:
        """[op, kind, [arguments], data]."""
        return [self.op, self.kind, [arg.to_json() for arg in self.args], self.data]

    @classmethod
    def from_json(cls, data: list[Any]) -> Expr:
        """The tree that `to_json` gave."""
        op, kind, args, more = data
        return cls(op, kind, tuple([cls.from_json(arg) for arg in args]), _tuples(more))

    def walk(self) -> list[Expr]:
        """This tree and all that are in it, outermost first."""
        found = [self]
        for arg in self.args:
            found += arg.walk()
        return found


def _tuples(data: Any) -> Any:
    return tuple([_tuples(one) for one in data]) if isinstance(data, list) else data


P = Expr("p", "int")
R = Expr("r", "int")
V = Expr("v", "int")
O = Expr("o", "int")  # noqa: E741
NULL = Expr("const", "null", (), None)


def const(value: Any, kind: str = "") -> Expr:
    """A constant; bytes and uuids as hexadecimal text, a decimal as text, a duration as (months, days, ns)."""
    kinds = {bool: "bool", int: "int", float: "float", str: "text"}
    return Expr("const", kind or kinds[type(value)], (), value)


def word(stream: str, coordinates: str, depth: int = 0) -> Expr:
    """A 64-bit word of a stream of its own, from the coordinates, and from the element indexes of `depth` levels."""
    return Expr("word", "word", (), (stream, coordinates, depth))

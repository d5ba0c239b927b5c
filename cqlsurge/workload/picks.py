"""Picks as they are written: which row an operation takes."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from cqlsurge.load.workload.distributions import Distribution
from cqlsurge.load.workload.expressions import Expr
from cqlsurge.load.workload.spec import PickSpec, TableSpec
from cqlsurge.workload import sampling
from cqlsurge.workload.build import Builder
from cqlsurge.workload.document import Node, nearest
from cqlsurge.workload.names import Names, RangeExpr
from cqlsurge.workload.syntax import parse

PICKS = {
    "next": ("next", "the walk over the table, again and again: what writes do by default"),
    "sequence": ("sequence", "partition by partition by the number of the operation: one sequence for all statements"),
    "uniform": ("uniform", "any row, all alike: what reads do by default"),
    "zipf": ("zipf(0.99)", "few partitions often, by this exponent; they are spread over the table"),
    "gaussian": ("gaussian", "those in the middle more often than those at the ends"),
    "exp": ("exp", "an exponential distribution over the partitions"),
    "hotspot": ("hotspot(20%, 80%)", "a share of the partitions gets a share of the operations"),
    "written": ("written(newest)", "what the phase has written by then: newest, uniform, or exp(0..7) groups back"),
    "like": ("like(other)", "the same rows in the same order as another statement"),
    "new": ("new", "partitions beyond the table's, which nobody has written yet"),
}
_ORDERED = {"zipf", "gaussian", "exp", "hotspot"}


class PickReader:
    """Reads the picks of one table's statements."""

    def __init__(self, names: Names, table: TableSpec, seeds_from: int, statements: list[str]) -> None:
        self.names, self.table, self.statements = names, table, statements
        self.seeds_from = seeds_from
        self.places = table.seeds or table.partitions

    def read(self, node: Node) -> PickSpec:
        """A pick, `name`, `name(...)` or {partition: ..., row: ...}."""
        if node.entries is None:
            return self._partition(node)
        entries = node.known(["partition", "row"], "a pick")
        spec = self._partition(entries["partition"]) if "partition" in entries else PickSpec("uniform")
        if "row" not in entries:
            return spec
        if spec.how in {"next", "written", "new", "like"}:
            entries["row"].fail(
                f"`{spec.how}` takes partition and row together; a row of its own goes with uniform or zipf"
            )
        return self._row(entries["row"], spec)

    def _parsed(self, node: Node) -> tuple[str, list[ast.expr], Builder]:
        text = node.scalar("a pick, such as next, uniform or zipf(0.99),")
        source = parse(text, node.place)
        builder = Builder(self.names, {}, "", "p")
        builder.source = source
        tree = source.tree
        if isinstance(tree, ast.Name):
            return tree.id, [], builder
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.keywords:
            return tree.func.id, tree.args, builder
        if isinstance(tree, ast.Constant):
            return str(tree.value), [], builder
        node.fail(f"{text!r} is no pick{nearest(text, PICKS)}")

    def _partition(self, node: Node) -> PickSpec:
        name, args, builder = self._parsed(node)
        if name not in PICKS:
            node.fail(f"{name!r} is no pick{nearest(name, PICKS)}")
        if name in {"next", "uniform", "new", "sequence"}:
            if args:
                node.fail(f"{name} takes nothing in parentheses")
            return PickSpec(name)
        if name == "like":
            return self._like(node, args)
        if name == "written":
            return self._written(node, args, builder)
        ordered = bool(args) and isinstance(args[-1], ast.Name) and args[-1].id == "ordered"
        args = args[:-1] if ordered else args
        drawn, in_order = self._drawn(node, name, args, builder, self.places)
        return PickSpec("draw", self.names.shared.distribution(drawn), ordered=ordered or in_order)

    def _like(self, node: Node, args: list[ast.expr]) -> PickSpec:
        if len(args) != 1:
            node.fail("it is written like(statement)")
        other = ast.unparse(args[0]).strip("'\"")
        if other not in self.statements:
            node.fail(f"statement {other!r} is not known{nearest(other, self.statements)}")
        return PickSpec("like", of=other)

    def _written(self, node: Node, args: list[ast.expr], builder: Builder) -> PickSpec:
        inner = args[0] if len(args) == 1 else None
        if isinstance(inner, ast.Name) and inner.id in {"newest", "uniform"}:
            return PickSpec("written", -2 if inner.id == "newest" else -1)
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in {"exp", "zipf"}:
            size = max(1, self.places // max(1, self.table.group))
            drawn, _ = self._drawn(node, inner.func.id, inner.args, builder, size)
            return PickSpec("written", self.names.shared.distribution(drawn))
        node.fail("it is written written(newest), written(uniform), written(exp(0..7)) or written(zipf(0.99))")

    def _numbers(self, args: list[ast.expr], builder: Builder) -> list[Any]:
        found: list[Any] = []
        for arg in args:
            built = builder.build(arg)
            if isinstance(built, RangeExpr):
                if built.low.op != "const" or built.high.op != "const" or built.high.data < built.low.data:
                    builder.fail(arg, "the ends of a range are numbers or parameters, the smaller one first")
                found.append((built.low.data, built.high.data))
            elif isinstance(built, Expr) and built.op == "const" and isinstance(built.data, (int, float)):
                found.append(built.data)
            else:
                builder.fail(arg, "a number or a parameter is wanted here")
        return found

    def _drawn(
        self, node: Node, name: str, args: list[ast.expr], builder: Builder, size: int
    ) -> tuple[Distribution, bool]:
        """The distribution over indexes below `size`; and whether it says itself where they lie."""
        numbers = self._numbers(args, builder)
        span = numbers.pop(0) if numbers and isinstance(numbers[0], tuple) else None
        low, high = (span[0] - self.seeds_from, span[1] - self.seeds_from) if span else (0, size - 1)
        if name == "exp" and span:
            low, high = (span[0], span[1]) if not self.table.seeds else (low, high)
        low, high = max(low, 0), min(high, size - 1)
        if high < low or any(isinstance(number, tuple) for number in numbers):
            node.fail(f"the range holds none of the {size:,} partitions")
        ordered = span is not None
        if name == "zipf":
            exponent = float(numbers[0]) if numbers else 0.99
            if not 0 < exponent <= 20:
                node.fail(f"an exponent of {exponent:g}: it is above 0, and 20 at most")
            return sampling.zipf_range(low, high, exponent), ordered
        if name == "gaussian":
            further = [float(number) for number in numbers]
            if len(further) == 1:
                return sampling.gaussian_range(low, high, None, (high - low) / 2 / max(further[0], 1e-9)), ordered
            if len(further) == 2:
                return sampling.gaussian_range(low, high, further[0] - self.seeds_from, further[1]), ordered
            return sampling.gaussian_range(low, high), ordered
        if name == "exp":
            return sampling.exponential_range(low, high), ordered
        if len(numbers) != 2 or not all(0 <= float(number) <= 1 for number in numbers):
            node.fail("it is written hotspot(20%, 80%): 80% of the operations on 20% of the partitions")
        return sampling.hotspot(size, float(numbers[0]), float(numbers[1])), ordered

    def _row(self, node: Node, spec: PickSpec) -> PickSpec:
        name, args, builder = self._parsed(node)
        largest = max(self.table.rows)
        if name in {"uniform", "first", "last"}:
            return replace(spec, row=name)
        if name.isdigit():
            if int(name) >= largest:
                node.fail(f"row {name}: rows have numbers from 0 to {largest - 1}")
            return replace(spec, row="at", row_value=int(name))
        if name not in _ORDERED:
            node.fail(f"{name!r} picks no row{nearest(name, ['uniform', 'first', 'last', *_ORDERED])}")
        drawn, _ = self._drawn(node, name, args, builder, largest)
        return replace(spec, row="draw", row_distribution=self.names.shared.distribution(drawn))

"""Between which whole numbers an expression lies, as far as that can be told without computing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cqlsurge.load.workload.distributions import Distribution
from cqlsurge.load.workload.expressions import Expr

Bounds = tuple[int, int]
_WORD_LIMIT = 1 << 63


@dataclass(frozen=True)
class Limits:
    """The largest values of p and r; v is not bounded."""

    p: int
    r: int
    distributions: Sequence[Distribution]


def bounds(tree: Expr, limits: Limits) -> Bounds | None:
    """(least, largest) of an expression of whole numbers, None where that is not known."""
    found = _bounds(tree, limits)
    if found is None or found[0] < -_WORD_LIMIT or found[1] >= _WORD_LIMIT:
        return None
    return found


def _bounds(tree: Expr, limits: Limits) -> Bounds | None:
    op = tree.op
    if op == "const" and isinstance(tree.data, int):
        return int(tree.data), int(tree.data)
    if op in {"p", "r"}:
        return 0, max(0, limits.p if op == "p" else limits.r)
    if op == "range":
        low, count = tree.data
        return low, low + count - 1
    if op == "sample" and tree.kind == "int":
        return _of_distribution(limits.distributions[tree.data])
    if op in {"maybe", "null"}:
        return bounds(tree.args[1], limits)
    if op in {"if", "choice"}:
        parts = [bounds(arg, limits) for arg in tree.args[1:] if arg.kind != "null"]
        known = [part for part in parts if part is not None]
        return (min(low for low, _ in known), max(high for _, high in known)) if len(known) == len(parts) > 0 else None
    if op in {"add", "sub", "mul", "floordiv", "mod", "min", "max"}:
        first, second = bounds(tree.args[0], limits), bounds(tree.args[1], limits)
        return None if first is None or second is None else _arithmetic(op, first, second)
    if op == "neg":
        inner = bounds(tree.args[0], limits)
        return None if inner is None else (-inner[1], -inner[0])
    return None


def _of_distribution(drawn: Distribution) -> Bounds:
    ends = []
    for piece, low in enumerate(drawn.low):
        past = drawn.cum[piece + 1] if piece + 1 < len(drawn.cum) else 1 << 53
        ends += [int(low), int(low) + int((past - 1 - drawn.cum[piece]) * drawn.scale[piece])]
    return min(ends), max(ends)


def _arithmetic(op: str, first: Bounds, second: Bounds) -> Bounds | None:
    if op == "add":
        return first[0] + second[0], first[1] + second[1]
    if op == "sub":
        return first[0] - second[1], first[1] - second[0]
    if op == "mul":
        ends = [one * other for one in first for other in second]
        return min(ends), max(ends)
    if op in {"min", "max"}:
        choose = min if op == "min" else max
        return choose(first[0], second[0]), choose(first[1], second[1])
    if second[0] <= 0:
        return None
    if op == "mod":
        return (first[0], first[1]) if first[0] >= 0 and first[1] < second[0] else (0, second[1] - 1)
    ends = [one // other for one in first for other in second]
    return min(ends), max(ends)

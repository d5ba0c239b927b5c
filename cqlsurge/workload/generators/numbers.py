"""Numbers, and choices by numbers."""

from __future__ import annotations

import ast

from cqlsurge.load.workload.distributions import ONE, Distribution
from cqlsurge.load.workload.expressions import Expr, P, R, const
from cqlsurge.workload import sampling
from cqlsurge.workload.calls import Call
from cqlsurge.workload.generators.form import Generator
from cqlsurge.workload.names import NUMERIC, RangeExpr

#: ranges up to this many values can be a table; larger ones are drawn by a remainder
MOST_EXPONENT = 20.0


def drawn(call: Call, distribution: Distribution) -> Expr:
    """A value of the distribution."""
    return Expr("sample", distribution.kind, (call.word(),), call.builder.names.shared.distribution(distribution))


def integer_range(call: Call, at: int) -> tuple[int, int]:
    """A range of whole numbers."""
    low, high = call.range(at)
    if isinstance(low, float) or isinstance(high, float):
        call.fail("this distribution has whole numbers: write a..b without a point", call.args[at])
    return low, high


def uniform(call: Call) -> Expr:
    """uniform(a..b), uniform(a, b)."""
    call.count(1, 2, "uniform(1..10) or uniform(0.0, 1.0)")
    if len(call.args) == 2:
        low, high = call.constant(0), call.constant(1)
        if high < low:
            call.fail(f"{low}..{high} holds nothing: write the smaller end first")
    else:
        low, high = call.range(0)
    if isinstance(low, float) or isinstance(high, float):
        return Expr("float_range", "float", (call.word(),), (float(low), float(high) - float(low)))
    return Expr("range", "int", (call.word(),), (low, high - low + 1))


def gaussian(call: Call) -> Expr:
    """gaussian(mean, deviation), gaussian(a..b), gaussian(a..b, k), gaussian(a..b, mean, deviation)."""
    call.count(1, 3, "gaussian(20.0, 5.0), gaussian(1..100) or gaussian(1..100, 30, 5)")
    if not isinstance(call.built(0), RangeExpr):
        mean, deviation = float(call.constant(0)), float(call.constant(1)) if len(call.args) > 1 else 1.0
        if deviation <= 0:
            call.fail(f"a deviation of {deviation:g}: it is above 0", call.args[-1])
        return drawn(call, sampling.gaussian_float(mean, deviation))
    low, high = call.range(0)
    if isinstance(low, float) or isinstance(high, float):
        return drawn(call, sampling.gaussian_float((low + high) / 2, (high - low) / 6))
    further = [float(call.constant(at)) for at in range(1, len(call.args))]
    if not further:
        return drawn(call, sampling.gaussian_range(low, high))
    if len(further) == 1:
        if further[0] <= 0:
            call.fail("the range is so many deviations to each side: a number above 0", call.args[1])
        return drawn(call, sampling.gaussian_range(low, high, None, (high - low) / 2 / further[0]))
    return drawn(call, sampling.gaussian_range(low, high, further[0], further[1]))


def exponential(call: Call) -> Expr:
    """exp(a..b), exp(mean)."""
    call.count(1, 1, "exp(0..100), or exp(3.5) of a mean")
    if isinstance(call.built(0), RangeExpr):
        return drawn(call, sampling.exponential_range(*integer_range(call, 0)))
    mean = float(call.constant(0))
    if mean <= 0:
        call.fail(f"a mean of {mean:g}: it is above 0", call.args[0])
    return drawn(call, sampling.exponential_float(mean))


def extreme(call: Call) -> Expr:
    """extreme(a..b, shape)."""
    call.count(2, 2, "extreme(1..1000, 0.5)")
    shape = float(call.constant(1))
    if shape <= 0:
        call.fail(f"a shape of {shape:g}: it is above 0", call.args[1])
    return drawn(call, sampling.extreme_range(*integer_range(call, 0), shape))


def zipf(call: Call) -> Expr:
    """zipf(a..b, exponent)."""
    call.count(1, 2, "zipf(1..1000) or zipf(1..1000, 1.1)")
    exponent = float(call.constant(1)) if len(call.args) > 1 else 0.99
    if not 0 < exponent <= MOST_EXPONENT:
        call.fail(f"an exponent of {exponent:g}: it is above 0, and 20 at most", call.args[-1])
    return drawn(call, sampling.zipf_range(*integer_range(call, 0), exponent))


def sequence(call: Call) -> Expr:
    """seq(a..b): by the row's number, or by the partition's where there is one row or the column is the partition's."""
    call.count(1, 1, "seq(1..10)")
    low, high = integer_range(call, 0)
    number = R if "r" in call.builder.coordinates else P
    rest = call.builder.made("mod", "int", number, const(high - low + 1))
    return call.builder.made("add", "int", rest, const(low))


def hotspot(call: Call) -> Expr:
    """hotspot(a..b, share, weight)."""
    call.count(3, 3, "hotspot(1..1000, 20%, 80%): 80% of the draws on the first 20% of the values")
    low, high = integer_range(call, 0)
    index = drawn(call, sampling.hotspot(high - low + 1, call.share(1), call.share(2)))
    return call.builder.made("add", "int", index, const(low))


def histogram(call: Call) -> Expr:
    """histogram((a, weight), (a..b, weight), ...)."""
    if not call.args or call.keywords:
        call.fail("it is written histogram((1..9, 30), (10, 70)): values or ranges, each with its weight")
    pieces = []
    for arg in call.args:
        if not isinstance(arg, ast.Tuple) or len(arg.elts) != 2:
            call.fail("a piece is (value, weight) or (a..b, weight)", arg)
        found, weight = call.builder.build(arg.elts[0]), call.builder.number(arg.elts[1])
        low, high = (found.low, found.high) if isinstance(found, RangeExpr) else (found, found)
        ends = [end.data for end in (low, high) if isinstance(end, Expr) and end.op == "const"]
        if len(ends) != 2 or weight.op != "const" or weight.data < 0 or ends[1] < ends[0]:
            call.fail("values, ranges and weights are constants; weights are 0 or more", arg)
        pieces.append((*ends, float(weight.data)))
    if sum(weight for _, _, weight in pieces) <= 0:
        call.fail("all weights are 0")
    if any(isinstance(end, float) for piece in pieces for end in piece[:2]):
        return drawn(call, sampling.float_pieces(pieces))
    return drawn(
        call, sampling.from_pieces([(low, high - low + 1, weight) for low, high, weight in pieces], "histogram")
    )


def choice(call: Call) -> Expr:
    """choice(C=99, F=1), choice(x, y, z)."""
    if call.args and call.keywords:
        call.fail("either values, choice(x, y), or names with weights, choice(C=99, F=1)")
    if not call.args and not call.keywords:
        call.fail("it is written choice(C=99, F=1), or choice('red', 'green', 3 * p)")
    if call.keywords:
        weights = []
        for node in call.keywords.values():
            weight = call.builder.number(node)
            if weight.op != "const" or weight.data < 0:
                call.fail("a weight is a constant, 0 or more", node)
            weights.append(float(weight.data))
        if sum(weights) <= 0:
            call.fail("all weights are 0")
        index = drawn(call, sampling.from_weights(weights, None, "choice"))
        return Expr("choice", "text", (index, *[const(name) for name in call.keywords]))
    options = [call.expr(at, call.want) for at in range(len(call.args))]
    kinds = {option.kind for option in options} - {"null"}
    if len(kinds) > 1:
        if not kinds <= {"int", "float"}:
            call.fail(f"the values are of several kinds: {', '.join(sorted(kinds))}")
        options = [one if one.kind == "float" else call.builder.made("float", "float", one) for one in options]
    index = Expr("range", "int", (call.word(),), (0, len(options)))
    return Expr("choice", next(iter(kinds), "null") if len(kinds) == 1 else "float", (index, *options))


def maybe(call: Call) -> Expr:
    """maybe(share, x): else the cell is left alone."""
    call.count(2, 2, "maybe(10%, x): x in a tenth of the rows, else not set")
    chance, tree = call.share(0), call.expr(1, call.want)
    return Expr("maybe", tree.kind, (call.word(), tree), round(chance * ONE))


def null(call: Call) -> Expr:
    """null(share, x)."""
    call.count(2, 2, "null(10%, x): null in a tenth of the rows, else x")
    chance, tree = call.share(0), call.expr(1, call.want)
    return Expr("null", tree.kind, (call.word(), tree), round(chance * ONE))


def boolean(call: Call) -> Expr:
    """boolean(share)."""
    call.count(0, 1, "boolean(50%)")
    chance = call.share(0) if call.args else 0.5
    index = Expr("float_range", "float", (call.word(),), (0.0, 1.0))
    return call.builder.made("lt", "bool", index, const(chance))


def _plain(name: str) -> Generator:
    def generate(call: Call) -> Expr:
        call.count(1, 1, f"{name}(x)")
        tree = call.number(0)
        if name == "abs":
            return call.builder.made("abs", tree.kind, tree)
        return call.builder.made(name, name, tree)

    about = {"abs": "without its sign", "int": "without what follows the point", "float": "as a floating-point number"}
    return Generator(name, f"{name}(x)", f"the number {about[name]}", f"{name}(-3)", generate)


def _pair(name: str) -> Generator:
    def generate(call: Call) -> Expr:
        call.count(2, 9, f"{name}(x, y)")
        trees = [call.builder.number(arg) for arg in call.args]
        found = trees[0]
        for tree in trees[1:]:
            kinds = {found.kind, tree.kind} & NUMERIC
            found = call.builder.made(name, "float" if "float" in kinds else found.kind, found, tree)
        return found

    about = {"min": "the smallest of numbers", "max": "the largest of numbers"}[name]
    return Generator(name, f"{name}(x, y)", about, f"{name}(p, 100)", generate)


NUMBERS = (
    Generator("uniform", "uniform(a..b)", "a number from a to b, all alike; with points a floating-point number",
              "uniform(1..100)", uniform),
    Generator("gaussian", "gaussian(mean, deviation) or gaussian(a..b)", "a normal distribution; of whole numbers over "
              "a..b, where what falls outside is put on the end", "gaussian(20.0, 5.0)", gaussian),
    Generator("exp", "exp(a..b) or exp(mean)", "an exponential distribution: small numbers most often", "exp(0..100)",
              exponential),
    Generator("extreme", "extreme(a..b, shape)", "a Weibull distribution", "extreme(1..1000, 0.7)", extreme),
    Generator("zipf", "zipf(a..b, exponent)", "the k-th number in proportion to k ** -exponent (default 0.99)",
              "zipf(1..1000, 1.1)", zipf),
    Generator("seq", "seq(a..b)", "a, a+1 ... b, a again: by the number of the row, or of the partition", "seq(1..10)",
              sequence),
    Generator("hotspot", "hotspot(a..b, share, weight)", "the first `share` of the numbers get `weight` of the draws",
              "hotspot(1..1000, 20%, 80%)", hotspot),
    Generator("histogram", "histogram((a..b, weight), ...)", "pieces with a weight each, alike inside",
              "histogram((1..9, 30), (10..99, 70))", histogram),
    Generator("choice", "choice(NAME=weight, ...) or choice(x, y, ...)", "one of some values",
              "choice(C=99, F=1)", choice),
    Generator("boolean", "boolean(share)", "true with this probability (default 50%)", "boolean(30%)", boolean),
    Generator("maybe", "maybe(share, x)", "x with this probability, else the cell is not set",
              "maybe(10%, words(3..20))", maybe),
    Generator("null", "null(share, x)", "null with this probability, else x", "null(40%, uniform(1..9))", null),
    *[_plain(name) for name in ("abs", "int", "float")],
    *[_pair(name) for name in ("min", "max")],
)  # fmt: skip

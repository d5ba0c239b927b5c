"""Expressions of numbers, truths and words as nodes; what has no node raises Unsupported.

What each operation means is said by load/workload/interpreter.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.compiled.graph import BOOL, FLOAT, INT, INT_MAX, INT_MIN, Graph, Node, wrapped
from cqlsurge.load.compiled.scope import Scope, Unsupported
from cqlsurge.load.compiled.tables import Table
from cqlsurge.load.workload.interpreter import VERSION_FACTOR, Context

if TYPE_CHECKING:
    from cqlsurge.load.workload.distributions import Distribution
    from cqlsurge.load.workload.expressions import Expr
    from cqlsurge.load.workload.interpreter import Interpreter

_EXACT = 1 << 53
#: kinds of values that are whole numbers
WHOLE = frozenset(["int", "timestamp", "date", "time", "varint"])


class Numbers:
    """Makes nodes of expressions for one workload; equal ones in equal scopes are made once."""

    def __init__(self, graph: Graph, run: Interpreter) -> None:
        self.graph, self.run = graph, run
        self._known: dict[tuple[Expr, Scope], Node] = {}
        self._tables: dict[int, tuple[Table, Table, Table]] = {}

    def node(self, expr: Expr, at: Scope) -> Node:
        """An INT, FLOAT, BOOL or WORD. Raises Unsupported."""
        key = (expr, at)
        if key not in self._known:
            make = _MAKERS.get(expr.op)
            if make is None:
                raise Unsupported(expr.op)
            self._known[key] = make(self, expr, at)
        return self._known[key]

    def number(self, expr: Expr, at: Scope) -> Node:
        """As `node`, by asking the plain interpreter for what has no nodes of its own."""
        try:
            return self.node(expr, at)
        except Unsupported:
            kind = INT if expr.kind in WHOLE else {"float": FLOAT, "bool": BOOL}.get(expr.kind)
            if kind is None:
                raise
            return self.graph.call(self.asked(expr), *at.nodes(), type=kind)

    def whole(self, expr: Expr, at: Scope) -> Node:
        """An INT."""
        node = self.number(expr, at)
        if node.type != INT:
            raise Unsupported(f"{expr.op} is no whole number")
        return node

    def asked(self, expr: Expr) -> Callable[..., Any]:
        """The plain interpreter's function of p, r, v, o and indexes of elements."""
        evaluate = self.run.evaluate
        return lambda p, r, v, o, *elements: evaluate(expr, Context(p, r, v, o, elements))

    def stream(self, name: str) -> Node:
        """The first WORD of a stream."""
        return self.graph.word(self.run.start(name))

    def sample(self, index: int, word: Node) -> Node:
        """A value of one of the workload's distributions."""
        graph, distribution = self.graph, self.run.distributions[index]
        if index not in self._tables:
            kind = INT if distribution.kind == "int" else FLOAT
            low = [int(value) if kind == INT else float(value) for value in distribution.low]
            self._tables[index] = (
                Table(list(distribution.cum)),
                Table(low, kind == FLOAT),
                Table([float(scale) for scale in distribution.scale], True),
            )
        cum, low_table, scale = self._tables[index]
        if len(cum.values) == 1 and not distribution.scale[0]:
            return graph.constant(low_table.values[0])
        u = graph.shifted(word, 11)
        piece = graph.bisect(cum, u)
        rise = graph.multiply(graph.floating(graph.subtract(u, graph.entry(cum, piece))), graph.entry(scale, piece))
        if distribution.kind == "int":
            if not any(distribution.scale):
                return graph.entry(low_table, piece)
            return graph.add(graph.entry(low_table, piece), graph.truncated(rise, 0, _most_rise(distribution)))
        return graph.add(graph.entry(low_table, piece), rise)

    def both(self, expr: Expr, at: Scope) -> tuple[Node, Node]:
        """The two arguments as numbers."""
        one, other = [self.number(arg, at) for arg in expr.args]
        if not {one.type, other.type} <= {INT, FLOAT}:
            raise Unsupported(f"{expr.op} of {one.type} and {other.type}")
        return one, other


def _most_rise(distribution: Distribution) -> int:
    ends = [*distribution.cum[1:], _EXACT]
    rises = [int((end - begin) * scale) for begin, end, scale in zip(distribution.cum, ends, distribution.scale)]
    if min(distribution.scale) < 0:
        raise Unsupported("a falling piece")
    return max(rises) + 1


Maker = Callable[[Numbers, "Expr", Scope], Node]


def _const(made: Numbers, expr: Expr, at: Scope) -> Node:
    if isinstance(expr.data, bool):
        return made.graph.equal(int(expr.data), 1)
    if isinstance(expr.data, (int, float)) and (isinstance(expr.data, float) or INT_MIN <= expr.data <= INT_MAX):
        return made.graph.constant(expr.data)
    raise Unsupported(f"a constant of kind {expr.kind}")


def _word(made: Numbers, expr: Expr, at: Scope) -> Node:
    graph = made.graph
    name, coordinates, depth = expr.data
    start = made.stream(name)
    if "v" in coordinates:
        start = graph.plus(start, graph.times(graph.as_word(at.v), VERSION_FACTOR))
    number = made.whole(expr.args[0], at) if coordinates == "x" else {"o": at.o}.get(coordinates, at.p)
    word = graph.mix(start, number)
    if "r" in coordinates:
        word = graph.mix(word, at.r)
    for index in at.elements[:depth]:
        word = graph.mix(word, graph.add(index, 1))
    return word


def _range(made: Numbers, expr: Expr, at: Scope) -> Node:
    low, count = expr.data
    if not 0 < count <= INT_MAX:
        raise Unsupported("a range of more than 63 bits")
    return made.graph.add(made.graph.below(made.node(expr.args[0], at), count), low)


def _float_range(made: Numbers, expr: Expr, at: Scope) -> Node:
    graph = made.graph
    low, span = expr.data
    if not isinstance(low, float) or not isinstance(span, float):
        if max(abs(low), abs(span)) > _EXACT:
            raise Unsupported("a range of large numbers")
        low, span = float(low), float(span)
    return graph.add(graph.constant(low), graph.multiply(graph.unit(made.node(expr.args[0], at)), span))


def _sample(made: Numbers, expr: Expr, at: Scope) -> Node:
    return made.sample(expr.data, made.node(expr.args[0], at))


def _arithmetic(name: str) -> Maker:
    def make(made: Numbers, expr: Expr, at: Scope) -> Node:
        one, other = made.both(expr, at)
        node: Node = getattr(made.graph, name)(one, other)
        return node

    return make


def _division(name: str) -> Maker:
    def make(made: Numbers, expr: Expr, at: Scope) -> Node:
        one, other = made.both(expr, at)
        if FLOAT in (one.type, other.type) or other.low <= 0:
            raise Unsupported("division of floats, or by what may be 0 or less")
        node: Node = getattr(made.graph, name)(one, other)
        return node

    return make


def _quotient(made: Numbers, expr: Expr, at: Scope) -> Node:
    one, other = made.both(expr, at)
    exact = all(node.type == FLOAT or max(-node.low, node.high) <= _EXACT for node in (one, other))
    certain = other.args[0] != 0 if other.constant else other.type == INT and other.low > 0
    if not exact or not certain:
        raise Unsupported("a quotient of large numbers, or by what may be 0")
    return made.graph.quotient(one, other)


def _negative(made: Numbers, expr: Expr, at: Scope) -> Node:
    value = made.number(expr.args[0], at)
    if value.type == FLOAT:
        return made.graph.multiply(value, -1.0)
    return made.graph.subtract(0, value)


def _int(made: Numbers, expr: Expr, at: Scope) -> Node:
    value = made.number(expr.args[0], at)
    if value.type == INT:
        return value
    if value.type != FLOAT:
        raise Unsupported("a whole number of no float")
    return made.graph.call(_cut, value, type=INT)


def _cut(value: float) -> int:
    return wrapped(int(value))


def _float(made: Numbers, expr: Expr, at: Scope) -> Node:
    value = made.number(expr.args[0], at)
    if value.type not in (INT, FLOAT):
        raise Unsupported("a float of no number")
    return made.graph.floating(value)


def _extreme(least: bool) -> Maker:
    def make(made: Numbers, expr: Expr, at: Scope) -> Node:
        one, other = made.both(expr, at)
        if one.type != INT or other.type != INT:
            raise Unsupported("the least of floats")
        lower = made.graph.less(other, one) if least else made.graph.less(one, other)
        return made.graph.choose(lower, other, one)

    return make


def _comparison(op: str) -> Maker:
    def make(made: Numbers, expr: Expr, at: Scope) -> Node:
        graph = made.graph
        one, other = made.both(expr, at)
        if one.type != other.type and not all(
            node.type == FLOAT or max(-node.low, node.high) <= _EXACT for node in (one, other)
        ):
            raise Unsupported("a comparison of large numbers with floats")
        if op in ("eq", "ne"):
            node = graph.equal(one, other)
        else:
            node = graph.less(one, other) if op in ("lt", "ge") else graph.less(other, one)
        if op in ("ge", "le") and FLOAT in (one.type, other.type):
            raise Unsupported("a comparison that NaN would turn round")
        return graph.logic("negated", node) if op in ("ne", "ge", "le") else node

    return make


def _truth(made: Numbers, expr: Expr, at: Scope) -> Node:
    node = made.number(expr, at)
    if node.type == INT:
        return made.graph.logic("negated", made.graph.equal(node, 0))
    if node.type != BOOL:
        raise Unsupported("the truth of no truth value")
    return node


def _not(made: Numbers, expr: Expr, at: Scope) -> Node:
    return made.graph.logic("negated", _truth(made, expr.args[0], at))


def _all(op: str) -> Maker:
    def make(made: Numbers, expr: Expr, at: Scope) -> Node:
        node = _truth(made, expr.args[0], at)
        for arg in expr.args[1:]:
            node = made.graph.logic(op, node, _truth(made, arg, at))
        return node

    return make


def _if(made: Numbers, expr: Expr, at: Scope) -> Node:
    condition = _truth(made, expr.args[0], at)
    one, other = made.number(expr.args[1], at), made.number(expr.args[2], at)
    if one.type != other.type:
        raise Unsupported("a choice between types")
    return made.graph.choose(condition, one, other)


def _choice(made: Numbers, expr: Expr, at: Scope) -> Node:
    options = [made.node(arg, at) for arg in expr.args[1:]]
    index = made.whole(expr.args[0], at)
    if not all(option.constant and option.type == options[0].type in (INT, FLOAT) for option in options):
        raise Unsupported("a choice of what changes")
    if index.low < 0 or index.high >= len(options):
        raise Unsupported("a choice beyond its options")
    return made.graph.entry(Table([option.args[0] for option in options], options[0].type == FLOAT), index)


_MAKERS: dict[str, Maker] = {
    "const": _const,
    "p": lambda made, expr, at: at.p,
    "r": lambda made, expr, at: at.r,
    "v": lambda made, expr, at: at.v,
    "o": lambda made, expr, at: at.o,
    "word": _word,
    "range": _range,
    "float_range": _float_range,
    "sample": _sample,
    "add": _arithmetic("add"),
    "sub": _arithmetic("subtract"),
    "mul": _arithmetic("multiply"),
    "floordiv": _division("divide"),
    "mod": _division("modulo"),
    "div": _quotient,
    "neg": _negative,
    "int": _int,
    "float": _float,
    "min": _extreme(True),
    "max": _extreme(False),
    **{op: _comparison(op) for op in ("eq", "ne", "lt", "le", "gt", "ge")},
    "not": _not,
    "and": _all("both"),
    "or": _all("either"),
    "if": _if,
    "choice": _choice,
}

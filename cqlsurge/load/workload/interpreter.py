"""The plain interpreter of expressions: slow, obvious, and the law for every other way of computing them.

Values are what cqlsurge.load.cql.values encodes: ints (also timestamps in ms, dates in days since 1970, times in ns),
floats, texts, bytes, UUIDs, Decimals, addresses as text, durations, lists, dicts and tuples. None is null, UNSET leaves
a column alone. Integers are signed 64-bit words that go round.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from typing import Any, Callable
from uuid import UUID

from cqlsurge.load.workload.distributions import Distribution
from cqlsurge.load.workload.expressions import Expr
from cqlsurge.load.workload.generators import GENERATORS
from cqlsurge.load.workload.mixing import MASK, mix64, native, signed, stream, unsigned
from cqlsurge.load.workload.pools import POOL_OFFSETS, pool

#: what the version is multiplied by in a stream's start
VERSION_FACTOR = 0xD1342543DE82EF95


@dataclass(frozen=True)
class Context:
    """Where an expression stands: partition, row, version, ordinal, and the indexes of elements around it."""

    p: int = 0
    r: int = 0
    v: int = 0
    o: int = 0
    elements: tuple[int, ...] = ()


class Interpreter:
    """Evaluates trees for one seed, with a workload's distributions, value lists, user types and helper functions."""

    def __init__(
        self,
        seed: int,
        distributions: tuple[Distribution, ...] = (),
        values: tuple[tuple[Any, ...], ...] = (),
        user_types: dict[str, Any] | None = None,
        functions: dict[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.seed, self.distributions, self.values = seed, distributions, values
        self.user_types, self.functions = user_types or {}, functions or {}
        #: rows of a partition, by table
        self.row_counts: dict[str, Callable[[int], int]] = {}
        self._starts: dict[str, int] = {}
        self._pools: dict[str, bytes] = {}

    def evaluate(self, expr: Expr, at: Context) -> Any:
        """The value of a tree."""
        return _OPERATIONS[expr.op](self, expr, at)

    def start(self, name: str) -> int:
        """The first word of a stream, unsigned."""
        if name not in self._starts:
            self._starts[name] = stream(self.seed, name)
        return self._starts[name]

    def mixed(self, name: str, number: int) -> int:
        """The number-th word of a stream, unsigned."""
        return unsigned(mix64(native(self.start(name)), number))

    def piece(self, alphabet: str, word: int, size: int) -> bytes:
        """`size` bytes of a pool, from the offset that the word names."""
        offset = (word >> 20) & (POOL_OFFSETS - 1)
        have = self._pools.get(alphabet, b"")
        if len(have) < POOL_OFFSETS + size:
            have = self._pools[alphabet] = pool(self.seed, alphabet, POOL_OFFSETS + size)
        return have[offset : offset + size]

    def tag(self, name: str, at: Context) -> int:
        """The 64-bit tag of a row: unsigned, its version added last."""
        base = mix64(mix64(native(self.start(name)), at.p), at.r)
        return (unsigned(base) + at.v) & MASK


def wrapped(number: int) -> int:
    """An integer as a signed 64-bit word."""
    return signed(number)


def _word(run: Interpreter, expr: Expr, at: Context) -> int:
    name, coordinates, depth = expr.data
    start = run.start(name)
    if "v" in coordinates:
        start = (start + at.v * VERSION_FACTOR) & MASK
    number = run.evaluate(expr.args[0], at) if coordinates == "x" else at.o if coordinates == "o" else at.p
    word = mix64(native(start), number)
    if "r" in coordinates:
        word = mix64(word, at.r)
    for level in range(depth):
        word = mix64(word, at.elements[level] + 1)
    return unsigned(word)


def _const(run: Interpreter, expr: Expr, at: Context) -> Any:
    if expr.kind == "bytes":
        return bytes.fromhex(expr.data)
    if expr.kind == "uuid":
        return UUID(expr.data)
    if expr.kind == "decimal":
        return decimal.Decimal(expr.data)
    return expr.data


def _range(run: Interpreter, expr: Expr, at: Context) -> int:
    low, count = expr.data
    word: int = run.evaluate(expr.args[0], at)
    return wrapped(low + (word >> 1) % count)


def _float_range(run: Interpreter, expr: Expr, at: Context) -> float:
    low, span = expr.data
    word: int = run.evaluate(expr.args[0], at)
    return float(low + (word >> 11) * 2.0**-53 * span)


def _sample(run: Interpreter, expr: Expr, at: Context) -> Any:
    return run.distributions[expr.data].sample(run.evaluate(expr.args[0], at))


def _both(function: Callable[[Any, Any], Any]) -> Callable[[Interpreter, Expr, Context], Any]:
    def operation(run: Interpreter, expr: Expr, at: Context) -> Any:
        first, second = [run.evaluate(arg, at) for arg in expr.args]
        value = function(first, second)
        return wrapped(value) if type(value) is int else value

    return operation


def _one(function: Callable[[Any], Any]) -> Callable[[Interpreter, Expr, Context], Any]:
    def operation(run: Interpreter, expr: Expr, at: Context) -> Any:
        value = function(run.evaluate(expr.args[0], at))
        return wrapped(value) if type(value) is int else value

    return operation


def _divide(first: Any, second: Any) -> float:
    return first / second if second else 0.0


def _floor(first: Any, second: Any) -> Any:
    return first // second if second else 0


def _modulo(first: Any, second: Any) -> Any:
    return first % second if second else 0


def _power(first: Any, second: Any) -> Any:
    if isinstance(first, int) and isinstance(second, int):
        return pow(first, max(0, second), 1 << 64)
    try:
        return float(first) ** float(second)
    except (OverflowError, ZeroDivisionError):
        return 0.0


def _choose(run: Interpreter, expr: Expr, at: Context) -> Any:
    """args: condition, then, else."""
    return run.evaluate(expr.args[1] if run.evaluate(expr.args[0], at) else expr.args[2], at)


def _and(run: Interpreter, expr: Expr, at: Context) -> bool:
    return all(run.evaluate(arg, at) for arg in expr.args)


def _or(run: Interpreter, expr: Expr, at: Context) -> bool:
    return any(run.evaluate(arg, at) for arg in expr.args)


def _choice(run: Interpreter, expr: Expr, at: Context) -> Any:
    """args: index, and the options."""
    return run.evaluate(expr.args[1 + run.evaluate(expr.args[0], at)], at)


Operation = Callable[[Interpreter, Expr, Context], Any]

_OPERATIONS: dict[str, Operation] = {
    "const": _const,
    "p": lambda run, expr, at: at.p,
    "r": lambda run, expr, at: at.r,
    "v": lambda run, expr, at: at.v,
    "o": lambda run, expr, at: at.o,
    "word": _word,
    "range": _range,
    "float_range": _float_range,
    "sample": _sample,
    "add": _both(lambda a, b: a + b),
    "sub": _both(lambda a, b: a - b),
    "mul": _both(lambda a, b: a * b),
    "div": _both(_divide),
    "floordiv": _both(_floor),
    "mod": _both(_modulo),
    "pow": _both(_power),
    "neg": _one(lambda a: -a),
    "abs": _one(abs),
    "int": _one(int),
    "float": _one(float),
    "min": _both(min),
    "max": _both(max),
    "eq": _both(lambda a, b: a == b),
    "ne": _both(lambda a, b: a != b),
    "lt": _both(lambda a, b: a < b),
    "le": _both(lambda a, b: a <= b),
    "gt": _both(lambda a, b: a > b),
    "ge": _both(lambda a, b: a >= b),
    "not": _one(lambda a: not a),
    "and": _and,
    "or": _or,
    "if": _choose,
    "choice": _choice,
    **GENERATORS,
}
OPERATIONS = frozenset(_OPERATIONS)

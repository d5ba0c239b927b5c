"""Typed graphs of what an operation is made of: from its number to the holes of its frames.

A node is made once: asked for again, the same one is given, so that common parts are shared. Types: INT (64 bits, with
the range that its values lie in), WORD (64 bits that only mixing, shifts and bit operations touch), FLOAT (IEEE
double), BOOL, DATA (a bytes object), and OBJECT (whatever a function gives). Where the range of an INT would leave 64
bits it wraps.
"""

from __future__ import annotations

import struct
from typing import Any, Callable, Union

from cqlsurge.load.compiled.tables import Table
from cqlsurge.load.workload.mixing import GOLDEN, MIX_1, MIX_2

INT, WORD, FLOAT, BOOL, DATA, OBJECT = "int", "word", "float", "bool", "data", "object"

MASK = 0xFFFFFFFFFFFFFFFF
INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1
#: operation numbers share a slot of 63 bits with 6 bits for their kind
NUMBER_MAX = (1 << 57) - 1


class Node:
    """One value: `op` applied to `args`, which are nodes and constants; `low` to `high` is an INT's range."""

    __slots__ = ("args", "high", "index", "low", "op", "type")

    def __init__(self, index: int, op: str, args: tuple[Any, ...], type: str, low: int, high: int) -> None:
        self.index, self.op, self.args, self.type = index, op, args, type
        self.low, self.high = low, high

    @property
    def constant(self) -> bool:
        """Whether it is one value for all operations, which is then `args[0]`."""
        return self.op == "constant"

    def __repr__(self) -> str:
        return f"Node({self.index} {self.op})"


#: what the builder's functions take where a node is wanted: a plain int or float is a constant
Value = Union[Node, int, float]


class Graph:
    """Makes nodes. All methods are pure: equal arguments give the same node."""

    def __init__(self) -> None:
        self._known: dict[Any, Node] = {}
        self.number = self._make("number", (), INT, 0, NUMBER_MAX)

    def _make(self, op: str, args: tuple[Any, ...], type: str, low: int = 0, high: int = 0) -> Node:
        key = (op, type, *[arg.index if isinstance(arg, Node) else (arg.__class__, _key(arg)) for arg in args])
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = Node(len(self._known), op, args, type, low, high)
        return node

    # -- constants and inputs ------------------------------------------------------------------------------------

    def constant(self, value: Value) -> Node:
        """An INT or FLOAT that never changes; a node is given back as it is."""
        if isinstance(value, Node):
            return value
        if isinstance(value, float):
            return self._make("constant", (value,), FLOAT)
        return self._make("constant", (int(value),), INT, int(value), int(value))

    def word(self, value: int) -> Node:
        """A WORD that never changes."""
        return self._make("constant", (value & MASK,), WORD)

    def element(self, depth: int) -> Node:
        """The index of an element of a collection, which is inside of so many others."""
        return self._make("element", (depth,), INT, 0, (1 << 31) - 2)

    # -- words ---------------------------------------------------------------------------------------------------

    def mix_rare(self, start: Node, number: Node) -> Node:
        """As `mix`, of a number that stays the same for thousands of operations."""
        return self._word("mix_rare", start, number)

    def mix(self, start: Node, number: Value) -> Node:
        """`mix64(start, number)`: the number-th WORD of the stream that begins at the WORD `start`."""
        return self._word("mix", start, self.constant(number))

    def _word(self, op: str, *args: Any) -> Node:
        """A WORD, made at once where all is constant."""
        if all(arg.constant for arg in args if isinstance(arg, Node)):
            return self.word(WORD_FOLD[op](*[arg.args[0] if isinstance(arg, Node) else arg for arg in args]))
        return self._make(op, args, WORD)

    def _part(self, op: str, high: int, *args: Any) -> Node:
        """An INT from 0 to `high` out of a WORD."""
        if all(arg.constant for arg in args if isinstance(arg, Node)):
            return self.constant(INT_FOLD[op](*[arg.args[0] if isinstance(arg, Node) else arg for arg in args]))
        return self._make(op, args, INT, 0, high)

    def bits(self, op: str, word: Node, constant: int) -> Node:
        """`and`, `or` or `xor` of a WORD with a constant one."""
        return self._word(op, word, constant & MASK)

    def join(self, one: Node, other: Node) -> Node:
        """The bits of both WORDs."""
        return self._word("join", one, other)

    def left(self, word: Node, count: int) -> Node:
        """A WORD shifted towards its upper bits."""
        return self._word("left", word, count) if count else word

    def right(self, word: Node, count: int) -> Node:
        """A WORD shifted towards its lower bits, zeros coming in."""
        return self._word("right", word, count) if count else word

    def plus(self, one: Node, other: Node) -> Node:
        """The sum of WORDs."""
        return self._word("plus", one, other)

    def times(self, word: Node, factor: int) -> Node:
        """A WORD times a constant one."""
        return self._word("times", word, factor & MASK)

    def shifted(self, word: Node, count: int) -> Node:
        """The upper bits of a WORD as an INT that is never negative: 64 - count bits, count at least 1."""
        return self._part("shifted", MASK >> count, word, count)

    def place(self, word: Node, count: int, size: int) -> Node:
        """(WORD >> count) modulo `size`, a power of two, as an INT."""
        return self._part("place", size - 1, word, count, size - 1)

    def below(self, word: Node, count: Value) -> Node:
        """An INT from 0 to count - 1 out of a WORD."""
        count = self.constant(count)
        if count.constant and count.args[0] == 1:
            return self.constant(0)
        return self._part("below", max(0, count.high - 1), word, count)

    def unit(self, word: Node) -> Node:
        """A FLOAT in [0, 1) of 53 bits out of a WORD."""
        if word.constant:
            return self.constant((word.args[0] >> 11) * 2.0**-53)
        return self._make("unit", (word,), FLOAT)

    def as_word(self, value: Node) -> Node:
        """The 64 bits of an INT."""
        if value.constant:
            return self.word(value.args[0])
        return self._make("as_word", (value,), WORD) if value.type == INT else value

    def swapped(self, value: Node, size: int) -> Node:
        """The WORD whose lowest bytes are those of an INT or FLOAT as it stands in frames: big-endian, `size` bytes."""
        if value.constant:
            form = {INT: {1: ">b", 2: ">h", 4: ">i", 8: ">q"}, WORD: {8: ">Q"}, FLOAT: {4: ">f", 8: ">d"}}[value.type]
            return self.word(int.from_bytes(struct.pack(form[size], value.args[0]), "little"))
        return self._make("swapped_float" if value.type == FLOAT else "swapped", (value, size), WORD)

    # -- numbers -------------------------------------------------------------------------------------------------

    def add(self, one: Value, other: Value) -> Node:
        """Sum."""
        return self._arithmetic("add", one, other)

    def subtract(self, one: Value, other: Value) -> Node:
        """Difference."""
        return self._arithmetic("subtract", one, other)

    def multiply(self, one: Value, other: Value) -> Node:
        """Product."""
        return self._arithmetic("multiply", one, other)

    def divide(self, one: Value, other: Value) -> Node:
        """Quotient of INTs rounded down; the other is a constant or positive."""
        return self._arithmetic("divide", one, other)

    def modulo(self, one: Value, other: Value) -> Node:
        """What `divide` leaves over."""
        return self._arithmetic("modulo", one, other)

    def _arithmetic(self, op: str, one: Value, other: Value) -> Node:
        a, b = self.constant(one), self.constant(other)
        if FLOAT in (a.type, b.type):
            return self._float_arithmetic(op, self.floating(a), self.floating(b))
        if a.constant and b.constant:
            return self.constant(wrapped(FOLD[op](a.args[0], b.args[0])))
        if _idle(op, b):
            return a
        if op in ("add", "multiply") and _idle(op, a):
            return b
        shift = b.args[0].bit_length() - 1 if b.constant and b.args[0] > 0 and b.args[0] & b.args[0] - 1 == 0 else -1
        if shift == 0 and op == "modulo":
            return self.constant(0)
        if shift >= 0 and op == "divide":
            return self._make("halved", (a, shift), INT, a.low >> shift, a.high >> shift)
        if shift >= 0 and op == "modulo":
            return self.low_bits(a, shift)
        low: int
        high: int
        low, high = RANGES[op](a.low, a.high, b.low, b.high)
        if low < INT_MIN or high > INT_MAX:
            return self._make(op + "_wrapping", (a, b), INT, INT_MIN, INT_MAX)
        if low == high:
            return self.constant(low)
        if op == "modulo" and a.low >= 0 and a.high < b.low:
            return a
        return self._make(op, (a, b), INT, low, high)

    def low_bits(self, value: Node, count: int) -> Node:
        """The lower bits of an INT, as one that is not negative."""
        if value.constant:
            return self.constant(value.args[0] & (1 << count) - 1)
        if value.low >= 0 and value.high < 1 << count:
            return value
        return self._make("low_bits", (value, (1 << count) - 1), INT, 0, (1 << count) - 1)

    def quotient(self, one: Node, other: Node) -> Node:
        """FLOAT: one / other, which is not 0."""
        return self._make("quotient", (self.floating(one), self.floating(other)), FLOAT)

    def _float_arithmetic(self, op: str, a: Node, b: Node) -> Node:
        if a.constant and b.constant:
            return self.constant(float(FOLD[op](a.args[0], b.args[0])))
        return self._make(op, (a, b), FLOAT)

    def floating(self, value: Node) -> Node:
        """An INT as a FLOAT."""
        if value.type == FLOAT:
            return value
        if value.constant:
            return self.constant(float(value.args[0]))
        return self._make("floating", (value,), FLOAT)

    def truncated(self, value: Node, low: int, high: int) -> Node:
        """A FLOAT's whole part towards zero, which is known to lie in the range."""
        return self._make("truncated", (value,), INT, low, high)

    def less(self, one: Value, other: Value) -> Node:
        """BOOL: one < other."""
        a, b = self.constant(one), self.constant(other)
        if a.constant and b.constant:
            return self._make("constant", (a.args[0] < b.args[0],), BOOL)
        return self._make("less", (a, b), BOOL)

    def equal(self, one: Value, other: Value) -> Node:
        """BOOL: one == other."""
        a, b = self.constant(one), self.constant(other)
        if a.constant and b.constant:
            return self._make("constant", (a.args[0] == b.args[0],), BOOL)
        return self._make("equal", (a, b), BOOL)

    def logic(self, op: str, *args: Node) -> Node:
        """BOOL: `both`, `either` or `negated` of BOOLs."""
        if all(arg.constant for arg in args):
            values = [arg.args[0] for arg in args]
            value = not values[0] if op == "negated" else all(values) if op == "both" else any(values)
            return self._make("constant", (value,), BOOL)
        return self._make(op, args, BOOL)

    def choose(self, condition: Node, one: Value, other: Value) -> Node:
        """One of two nodes of the same type."""
        a, b = self.constant(one), self.constant(other)
        if a is b or condition.constant:
            return b if condition.constant and not condition.args[0] else a
        return self._make("choose", (condition, a, b), a.type, min(a.low, b.low), max(a.high, b.high))

    # -- tables and functions ------------------------------------------------------------------------------------

    def entry(self, table: Table, index: Node) -> Node:
        """`table.values[index]`."""
        return self._make("entry", (table, index), FLOAT if table.floats else INT, table.low, table.high)

    def bisect(self, table: Table, value: Node) -> Node:
        """The last place in a rising table (its first value is the lowest possible) of what is not above a value."""
        return self._make("bisect", (table, value), INT, 0, len(table.values) - 1)

    def call(
        self,
        function: Callable[..., Any],
        *args: Value,
        type: str = DATA,
        low: int = INT_MIN,
        high: int = INT_MAX,
    ) -> Node:
        """What a pure function gives, called for each operation; a function's `arrays` does the same for columns.

        WORDs are unsigned or machine integers, as the interpreter has them.
        """
        op = "call" if type in (DATA, OBJECT) else f"call_{type}"
        return self._make(op, (function, *[self.constant(arg) for arg in args]), type, low, high)

    def size(self, data: Node) -> Node:
        """The length of DATA."""
        return self._make("size", (data,), INT, 0, (1 << 31) - 1)


def bounded(node: Node, low: int, high: int) -> Node:
    """An INT of which more is known than its arithmetic says; what is known holds wherever the node stands."""
    if not node.constant:
        node.low, node.high = max(low, node.low), min(high, node.high)
    return node


def wrapped(value: int) -> int:
    """The integer that the lower 64 bits stand for."""
    return ((value - INT_MIN) & MASK) + INT_MIN


def mixed(start: int, number: int) -> int:
    """`mix64` of unsigned words, on any interpreter."""
    z = (start + number * GOLDEN) & MASK
    z = ((z ^ (z >> 30)) * MIX_1) & MASK
    z = ((z ^ (z >> 27)) * MIX_2) & MASK
    return z ^ (z >> 31)


def _key(value: Any) -> Any:
    return value if isinstance(value, (int, str)) else (repr(value) if isinstance(value, float) else id(value))


def _idle(op: str, b: Node) -> bool:
    """Whether the operation with this constant changes nothing."""
    return b.constant and b.args[0] == (0 if op in ("add", "subtract") else 1) and op != "modulo"


def _products(a: int, b: int, c: int, d: int) -> tuple[int, int]:
    every = (a * c, a * d, b * c, b * d)
    return min(every), max(every)


def _quotients(a: int, b: int, c: int, d: int) -> tuple[int, int]:
    # Divisors are positive wherever they are no constants; zero never gets here.
    every = [x // y for x in (a, b) for y in (c, d) if y]
    return min(every), max(every)


def _rests(a: int, b: int, c: int, d: int) -> tuple[int, int]:
    return (0, max(0, min(d - 1, b)) if a >= 0 else d - 1) if c > 0 else (min(c, -1) + 1, max(d, 1) - 1)


RANGES: dict[str, Callable[[int, int, int, int], tuple[int, int]]] = {
    "add": lambda a, b, c, d: (a + c, b + d),
    "subtract": lambda a, b, c, d: (a - d, b - c),
    "multiply": _products,
    "divide": _quotients,
    "modulo": _rests,
}
WORD_FOLD: dict[str, Callable[..., int]] = {
    "mix": mixed,
    "mix_rare": mixed,
    "plus": lambda a, b: a + b,
    "times": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "join": lambda a, b: a | b,
    "left": lambda a, count: a << count,
    "right": lambda a, count: a >> count,
}
INT_FOLD: dict[str, Callable[..., int]] = {
    "shifted": lambda a, count: a >> count,
    "place": lambda a, count, mask: (a >> count) & mask,
    "below": lambda a, count: (a >> 1) % count,
}
FOLD: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a // b,
    "modulo": lambda a, b: a % b,
}

"""How each operation of a graph is written: with plain Python integers, with PyPy's machine integers, for numpy arrays.

A dialect is a table of texts with {0}, {1} ... for the arguments, and three lines that mix. All three give equal bits:
a WORD is an unsigned int, a signed machine integer or an array of uint64; an INT an int or an array of int64.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from cqlsurge.load.compiled.graph import FLOAT, WORD, Node, mixed
from cqlsurge.load.workload.mixing import GOLDEN, MIX_1, MIX_2, signed

_UNIT = "1.1102230246251565e-16"  # 2 ** -53


@dataclass(frozen=True)
class Dialect:
    """`mix` are the lines of mix64: {0} start, {1} number, {z} a name; the last one is an expression."""

    name: str
    mix: tuple[str, ...]
    texts: dict[str, str]
    #: searches begin where a guide says, in lines of their own
    guided: bool = True
    #: words are signed (as machine integers) where the dialect says so
    signed_words: bool = False
    #: how a WORD constant is written, {0} being the number
    word: str = "{0}"

    def mixes(self, op: str) -> bool:
        """Whether an operation is written as the lines of `mix`."""
        return op == "mix" or (op == "mix_rare" and op not in self.texts)

    def constant(self, node: Node) -> str:
        """The text of a constant node."""
        value = node.args[0]
        if node.type == WORD:
            return self.word.format(signed(value) if self.signed_words else hex(value))
        return repr(value) if node.type == FLOAT or value >= 0 else f"({value})"


_SHARED = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "divide": "({0} // {1})",
    "modulo": "({0} % {1})",
    "less": "({0} < {1})",
    "and": "({0} & {1})",
    "or": "({0} | {1})",
    "xor": "({0} ^ {1})",
    "join": "({0} | {1})",
    "plus": "({0} + {1})",
    "times": "({0} * {1})",
    "halved": "({0} >> {1})",
    "low_bits": "({0} & {1})",
    "quotient": "({0} / {1})",
    "equal": "({0} == {1})",
    "both": "({0} and {1})",
    "either": "({0} or {1})",
    "negated": "(not {0})",
    "entry": "{0}[{1}]",
    "bisect": "(bisect_right({0}, {1}) - 1)",
}

_WRAP = "((({0} + 0x8000000000000000) & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000)"

PLAIN = Dialect(
    "plain",
    (
        f"{{z}} = ({{0}} + {{1}} * {GOLDEN:#x}) & 0xFFFFFFFFFFFFFFFF",
        f"{{z}} = (({{z}} ^ ({{z}} >> 30)) * {MIX_1:#x}) & 0xFFFFFFFFFFFFFFFF",
        f"{{z}} = (({{z}} ^ ({{z}} >> 27)) * {MIX_2:#x}) & 0xFFFFFFFFFFFFFFFF",
        "({z} ^ ({z} >> 31))",
    ),
    {
        **_SHARED,
        "add_wrapping": _WRAP.format("{0} + {1}"),
        "subtract_wrapping": _WRAP.format("{0} - {1}"),
        "multiply_wrapping": _WRAP.format("{0} * {1}"),
        "left": "(({0} << {1}) & 0xFFFFFFFFFFFFFFFF)",
        "right": "({0} >> {1})",
        "shifted": "({0} >> {1})",
        "place": "(({0} >> {1}) & {2})",
        "below": "(({0} >> 1) % {1})",
        "unit": f"(({{0}} >> 11) * {_UNIT})",
        "as_word": "({0} & 0xFFFFFFFFFFFFFFFF)",
        "floating": "float({0})",
        "truncated": "int({0})",
        "choose": "({1} if {0} else {2})",
        "plus": "(({0} + {1}) & 0xFFFFFFFFFFFFFFFF)",
        "times": "(({0} * {1}) & 0xFFFFFFFFFFFFFFFF)",
        "mix_rare": "mixed_once({0}, {1})",
        "call": "{0}({rest})",
        "call_int": "{0}({rest})",
        "call_float": "{0}({rest})",
        "call_bool": "{0}({rest})",
        "size": "len({0})",
    },
)

_once: dict[int, tuple[int, int]] = {}


def mixed_once(start: int, number: int) -> int:
    """`mix64` of unsigned words, of a number that comes many times in a row for each start."""
    known = _once.get(start)
    if known is None or known[0] != number:
        known = _once[start] = (number, mixed(start, number))
    return known[1]


MACHINE = Dialect(
    "machine",
    (
        f"{{z}} = int_add({{0}}, int_mul({{1}}, {signed(GOLDEN)}))",
        f"{{z}} = int_mul({{z}} ^ uint_rshift({{z}}, 30), {signed(MIX_1)})",
        f"{{z}} = int_mul({{z}} ^ uint_rshift({{z}}, 27), {signed(MIX_2)})",
        "({z} ^ uint_rshift({z}, 31))",
    ),
    {
        **{op: text for op, text in PLAIN.texts.items() if op != "mix_rare"},
        "plus": "int_add({0}, {1})",
        "times": "int_mul({0}, {1})",
        "add_wrapping": "int_add({0}, {1})",
        "subtract_wrapping": "int_sub({0}, {1})",
        "multiply_wrapping": "int_mul({0}, {1})",
        "left": "int_lshift({0}, {1})",
        "right": "uint_rshift({0}, {1})",
        "shifted": "uint_rshift({0}, {1})",
        "place": "(uint_rshift({0}, {1}) & {2})",
        "below": "(({0} >> 1 & 0x7FFFFFFFFFFFFFFF) % {1})",
        "unit": f"(uint_rshift({{0}}, 11) * {_UNIT})",
        "as_word": "{0}",
        "swapped": "swap{1}({0})",
        "swapped_float": "swap_float{1}({0})",
    },
    signed_words=True,
)

ARRAYS = Dialect(
    "arrays",
    (
        f"{{z}} = {{0}} + words({{1}}) * U({GOLDEN:#x})",
        f"{{z}} = ({{z}} ^ ({{z}} >> U(30))) * U({MIX_1:#x})",
        f"{{z}} = ({{z}} ^ ({{z}} >> U(27))) * U({MIX_2:#x})",
        "({z} ^ ({z} >> U(31)))",
    ),
    {
        **_SHARED,
        "add_wrapping": "({0} + {1})",
        "subtract_wrapping": "({0} - {1})",
        "multiply_wrapping": "({0} * {1})",
        "left": "({0} << U({1}))",
        "right": "({0} >> U({1}))",
        "shifted": "({0} >> U({1})).view(I)",
        "place": "(({0} >> U({1})) & U({2})).view(I)",
        "below": "(({0} >> U(1)).view(I) % {1})",
        "below_unsigned": "(({0} >> U(1)) % U({1})).view(I)",
        "modulo_unsigned": "(words({0}) % U({1})).view(I)",
        "divide_unsigned": "(words({0}) // U({1})).view(I)",
        "unit": f"(({{0}} >> U(11)).view(I) * {_UNIT})",
        "as_word": "words({0})",
        "floating": "{0}.astype(F)",
        "truncated": "{0}.astype(I)",
        "choose": "where({0}, {1}, {2})",
        "both": "({0} & {1})",
        "either": "({0} | {1})",
        "negated": "(~{0})",
        "bisect": "(searched({0}, {1}) - 1)",
        "call": "called({0}, number, {rest})",
        "call_int": "array(called({0}, number, {rest}), I)",
        "call_float": "array(called({0}, number, {rest}), F)",
        "call_bool": "array(called({0}, number, {rest}), bool)",
        "size": "sizes({0})",
        "swapped": "swapped({0}, {1})",
        "swapped_float": "swapped({0}, -{1})",
    },
    guided=False,
    word="U({0})",
)

try:
    from __pypy__ import intop

    _WRAPPING = {name: getattr(intop, name) for name in ("int_add", "int_sub", "int_mul", "int_lshift", "uint_rshift")}
except ImportError:
    _WRAPPING = {}
#: what lines of PLAIN and MACHINE call
SCALAR_NAMES: dict[str, Any] = {**_WRAPPING, "bisect_right": bisect_right, "mixed_once": mixed_once}

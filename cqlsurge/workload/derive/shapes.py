"""What is learned of a column's values: shares, lengths, ranges. Values themselves are forgotten with the sample.

A shape is learned from a sample of values (None where a row has none) and writes itself as an expression of our file.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cqlsurge.load.cql import types as t
from cqlsurge.workload.derive.histograms import Histogram, Piece, learn

#: so few different values are learned with their shares, where the sample has this many times more
FEW = 48
REPEATS = 10
#: different values, as a share of all, below which they are learned as a population that repeats
REPEATING = 0.5
_INTEGERS = {"tinyint", "smallint", "int", "bigint", "varint"}
_LIMITS = {
    kind: (-(1 << bits), (1 << bits) - 1)
    for kind, bits in (("tinyint", 7), ("smallint", 15), ("int", 31), ("bigint", 63))
}
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Shape:
    """What is learned: an expression of our file, and histograms by what they are of, for people and tests."""

    text: str
    learned: tuple[tuple[str, Histogram], ...] = ()
    set_share: float = 1.0

    def expression(self) -> str:
        """The expression with the share of rows that have a value."""
        if self.set_share >= 1:
            return self.text
        return f"maybe({100 * self.set_share:.4g}%, {self.text})"


def shape_of(cql_type: t.CqlType | None, values: Sequence[Any], keep_values: bool = False) -> Shape | None:
    """The shape of a sample; None where it has no value that could be learned from, and the default serves.

    keep_values: few values may stand in the file as they are.
    """
    present = [value for value in values if value is not None]
    if not present or cql_type is None:
        return None
    found = _of_values(cql_type, present, keep_values)
    if found is None:
        return None
    return Shape(found.text, found.learned, len(present) / len(values))


def _of_values(cql_type: t.CqlType, values: Sequence[Any], keep_values: bool) -> Shape | None:
    if isinstance(cql_type, t.NativeType):
        return _native(cql_type.name, values, keep_values)
    if isinstance(cql_type, (t.ListType, t.SetType)):
        kind = "list" if isinstance(cql_type, t.ListType) else "set"
        return _collection(kind, [cql_type.element], [list(value) for value in values], keep_values)
    if isinstance(cql_type, t.MapType):
        pairs = [list(value.items()) for value in values]
        return _collection("map", [cql_type.key, cql_type.value], pairs, keep_values)
    if isinstance(cql_type, t.TupleType):
        parts = [_part(of, [value[at] for value in values], keep_values) for at, of in enumerate(cql_type.elements)]
        return Shape(f"tuple({', '.join(part.text for part in parts)})", _all(parts))
    if isinstance(cql_type, t.UserType):
        fields = {
            name: _part(of, [getattr(value, name) for value in values], keep_values) for name, of in cql_type.fields
        }
        inner = ", ".join(f"{name!r}: {part.text}" for name, part in fields.items())
        learned = tuple((f"{name} {what}", of) for name, part in fields.items() for what, of in part.learned)
        return Shape(f"{{{inner}}}", learned)
    if isinstance(cql_type, t.VectorType):
        part = _part(cql_type.element, [element for value in values for element in value], keep_values)
        return Shape(f"vector({part.text})", part.learned)
    return None


def _part(cql_type: t.CqlType, values: Sequence[Any], keep_values: bool) -> Shape:
    """A part of a larger value, with its share of nulls; by default of its type where it has nothing to learn from."""
    found = shape_of(cql_type, values, keep_values)
    if found is None:
        return Shape("null")
    if found.set_share >= 1:
        return found
    return Shape(f"null({100 * (1 - found.set_share):.4g}%, {found.text})", found.learned)


def _all(parts: Sequence[Shape]) -> tuple[tuple[str, Histogram], ...]:
    return tuple(one for part in parts for one in part.learned)


def _collection(kind: str, inner: list[t.CqlType], values: list[list[Any]], keep_values: bool) -> Shape:
    counts = learn([len(value) for value in values], private=False)
    elements = [element for value in values for element in value]
    columns = [[pair[at] for pair in elements] for at in range(2)] if kind == "map" else [elements]
    parts = [_part(of, column, keep_values) for of, column in zip(inner, columns, strict=True)]
    learned = (("elements", counts), *((f"of {what}", of) for part in parts for what, of in part.learned))
    return Shape(f"{kind}({size_text(counts)}, {', '.join(part.text for part in parts)})", learned)


def _native(kind: str, values: Sequence[Any], keep_values: bool) -> Shape | None:
    if kind == "boolean":
        share = sum(map(bool, values)) / len(values)
        return Shape(
            f"boolean({100 * share:.4g}%)", (("true", learn([int(value) for value in values], private=False)),)
        )
    if kind == "duration":
        return _durations(values)
    numbers = _NUMBERS.get(kind)
    if numbers is None and kind not in _INTEGERS and kind not in _MADE:
        return None
    counted = Counter(values)
    if len(counted) <= FEW and len(values) >= REPEATS * len(counted):
        return _few(kind, counted, keep_values)
    if kind in _MADE:
        return _MADE[kind](values, counted)
    assert numbers is None or callable(numbers)
    if kind in _INTEGERS:
        return _integers(kind, values)
    return numbers(values) if numbers is not None else None


def _integers(kind: str, values: Sequence[int]) -> Shape | None:
    if kind == "varint" and max(abs(value) for value in values) >= 1 << 62:
        size = max((value.bit_length() + 8) // 8 for value in values)
        return Shape(f"varint({size})")
    found = learn([int(value) for value in values], limits=_LIMITS.get(kind, _LIMITS["bigint"]))
    return Shape(number_text(found), (("value", found),))


def _reals(values: Sequence[float]) -> Shape | None:
    finite = [float(value) for value in values if math.isfinite(value)]
    if not finite:
        return None
    found = learn(finite)
    return Shape(number_text(found), (("value", found),))


def _decimals(values: Sequence[Any]) -> Shape | None:
    scale = Counter(-value.as_tuple().exponent for value in values if value.is_finite()).most_common(1)[0][0]
    unscaled = [int(value.scaleb(scale)) for value in values]
    if max(map(abs, unscaled)) >= 1 << 62:
        return None
    found = learn(unscaled)
    return Shape(f"decimal({number_text(found)}, {scale})", (("unscaled", found),))


def _timestamps(values: Sequence[Any]) -> Shape | None:
    import datetime

    epoch = datetime.datetime(1970, 1, 1)
    found = learn([(value - epoch) // datetime.timedelta(milliseconds=1) for value in values])
    return Shape(f"timestamp({number_text(found)})", (("ms", found),))


def _dates(values: Sequence[Any]) -> Shape | None:
    found = learn([int(value.days_from_epoch) for value in values])
    return Shape(f"date({number_text(found)})", (("days", found),))


def _times(values: Sequence[Any]) -> Shape | None:
    found = learn([int(value.nanosecond_time) for value in values], limits=(0, 86_400_000_000_000 - 1))
    return Shape(f"time({number_text(found)})", (("ns", found),))


def _durations(values: Sequence[Any]) -> Shape | None:
    parts = []
    learned = []
    for name in ("months", "days", "nanoseconds"):
        found = learn([int(getattr(value, name)) for value in values])
        if found.low < 0 < found.high:
            return None  # parts of a duration must have one sign
        parts.append(number_text(found))
        learned.append((name, found))
    return Shape(f"duration({', '.join(parts)})", tuple(learned))


_NUMBERS: dict[str, Callable[[Sequence[Any]], Shape | None]] = {
    "float": _reals,
    "double": _reals,
    "decimal": _decimals,
    "timestamp": _timestamps,
    "date": _dates,
    "time": _times,
}


def _letters(generator: str) -> Callable[[Sequence[Any], Counter[Any]], Shape]:
    def make(values: Sequence[Any], counted: Counter[Any]) -> Shape:
        lengths = learn([len(value) for value in values], private=False)
        name, more = _alphabet(generator, values)
        learned: tuple[tuple[str, Histogram], ...] = (("length", lengths),)
        if len(counted) < REPEATING * len(values):
            ranks = _ranks(counted)
            return Shape(
                f"{name}({size_text(lengths)}, {number_text(ranks)}{more})", (*learned, ("share by rank", ranks))
            )
        return Shape(f"{name}({size_text(lengths)}{more})", learned)

    return make


def _addresses(values: Sequence[Any], counted: Counter[Any]) -> Shape:
    six = sum(":" in str(value) for value in values) > len(values) / 2
    if len(counted) < REPEATING * len(values):
        ranks = _ranks(counted)
        return Shape(f"{'inet6' if six else 'inet'}({number_text(ranks)})", (("share by rank", ranks),))
    return Shape("inet6()" if six else "inet()")


def _uuids(values: Sequence[Any], counted: Counter[Any]) -> Shape:
    timed = sum(value.version == 1 for value in values) > len(values) / 2
    name = "timeuuid" if timed else "uuid"
    if len(counted) < REPEATING * len(values):
        ranks = _ranks(counted)
        return Shape(f"{name}({number_text(ranks)})", (("share by rank", ranks),))
    return Shape(f"{name}()")


_MADE: dict[str, Callable[[Sequence[Any], Counter[Any]], Shape]] = {
    "text": _letters("text"),
    "ascii": _letters("ascii"),
    "blob": _letters("blob"),
    "inet": _addresses,
    "uuid": _uuids,
    "timeuuid": _uuids,
}


def _ranks(counted: Counter[Any]) -> Histogram:
    """The shares of different values, the most frequent first, by number from 0."""
    ordered = [rank for rank, (_, count) in enumerate(counted.most_common()) for _ in range(count)]
    return learn(ordered, private=False)


def _alphabet(generator: str, values: Sequence[Any]) -> tuple[str, str]:
    """(generator, further arguments) whose values shrink about as much as these."""
    shrinks = _shrinks(values)
    if generator == "blob":
        return "blob", ", fill='text'" if shrinks < 0.3 else ""
    if all(set(value) <= _HEX for value in values):
        return "hex", ""
    return generator, ""


def _shrinks(values: Sequence[Any]) -> float:
    """What is left of a sample of values, one after the other, when they are compressed."""
    joined = b"".join(value if isinstance(value, bytes) else value.encode() for value in values[:2000])[: 1 << 18]
    return len(zlib.compress(joined, 1)) / max(1, len(joined))


def _few(kind: str, counted: Counter[Any], keep_values: bool) -> Shape | None:
    """A few different values with their shares; made up, unless they may be kept."""
    shares = counted.most_common()
    ranks = Histogram(tuple(Piece(rank, rank, float(count)) for rank, (_, count) in enumerate(shares)), whole=True)
    learned = (("share by rank", ranks),)
    if keep_values and kind in {"text", "ascii"}:
        listed = ", ".join(repr(str(value)) for value, _ in shares)
        if len({count for _, count in shares}) == 1:
            return Shape(f"choice({listed})", learned)
    if kind in {"text", "ascii", "blob"}:
        lengths = learn([len(value) for value in counted.elements()], private=False)
        generator = "text" if kind == "ascii" else kind
        names = _names([len(value) for value, _ in shares]) if kind == "text" else None
        if names is not None:
            weights = ", ".join(f"{name}={count}" for name, (_, count) in zip(names, shares, strict=True))
            return Shape(f"choice({weights})", (("length", lengths), *learned))
        return Shape(f"{generator}({size_text(lengths)}, {number_text(ranks)})", (("length", lengths), *learned))
    if kind in {"uuid", "timeuuid", "inet"}:
        return Shape(f"{kind}({number_text(ranks)})", learned)
    if kind in _INTEGERS and (keep_values or max(map(abs, counted)) <= 1000):
        exact = Histogram(tuple(Piece(value, value, float(counted[value])) for value in sorted(counted)), whole=True)
        return Shape(number_text(exact), (("value", exact),))
    return _few_numbers(kind, counted)


def _few_numbers(kind: str, counted: Counter[Any]) -> Shape | None:
    """Few different numbers, dates and times: their shares in their order, instead of the numbers themselves."""
    ordered = sorted(counted)
    ranks = Histogram(tuple(Piece(rank, rank, float(counted[one])) for rank, one in enumerate(ordered)), whole=True)
    text = number_text(ranks)
    forms = {"decimal": f"decimal({text}, 0)", "date": f"date('2026-01-01') + {text}", "time": f"time({text})"}
    forms |= {"float": f"float({text})", "double": f"float({text})", "timestamp": f"timestamp('2026-01-01') + {text}"}
    return Shape(forms.get(kind, text), (("share in order", ranks),))


def _names(lengths: list[int]) -> list[str] | None:
    """Made-up names of these lengths, all different; None where there is no room for them."""
    if min(lengths) < 2 or sum(lengths) > 1500:
        return None
    found = []
    for rank, length in enumerate(lengths):
        digits = f"{rank:02d}" if length > 2 else "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"[rank]
        found.append(("v" + digits + "surge" * (length // 5 + 1))[:length])
    return found if len(set(found)) == len(found) else None


def number_text(of: Histogram) -> str:
    """A histogram as an expression."""
    if of.is_fixed:
        return _end(of.low, of.whole)
    if len(of.pieces) == 1:
        if of.whole:
            return f"uniform({_end(of.low, True)}..{_end(of.high, True)})"
        return f"uniform({_end(of.low, False)}, {_end(of.high, False)})"
    pieces = []
    for piece in of.pieces:
        low, high = _end(piece.low, of.whole), _end(piece.high, of.whole)
        pieces.append(f"({low if piece.low == piece.high else f'{low}..{high}'}, {piece.weight:g})")
    return f"histogram({', '.join(pieces)})"


def _end(value: float, whole: bool) -> str:
    return str(int(value)) if whole else repr(float(value))


def size_text(of: Histogram) -> str:
    """A histogram of lengths or counts, as a size is written."""
    if len(of.pieces) == 1 and not of.is_fixed:
        return f"{int(of.low)}..{int(of.high)}"
    return number_text(of)

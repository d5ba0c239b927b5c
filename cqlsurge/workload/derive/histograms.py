"""Numbers of a sample as a few pieces with a weight each, from which no single number can be told.

Borders of pieces are halves of a range whose ends are rounded; a piece is halved where the sample is not flat inside
it. So borders do not depend on single numbers, and the distance to the sample (Kolmogorov-Smirnov) is bounded.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

#: what one piece may add to the distance
TOLERANCE = 0.006
MOST_PIECES = 120
#: where single numbers must not be told, a piece is no narrower than this share of the range, unless it still has so
#: many different numbers in it, or they are so small that they tell nothing
NARROWEST = 1 / 4096
CROWD = 32
HARMLESS = 1000


@dataclass(frozen=True)
class Piece:
    """Values from `low` to `high`, all alike; for whole numbers both are included, else `high` is not."""

    low: float
    high: float
    weight: float


@dataclass(frozen=True)
class Histogram:
    """Pieces in order; `whole` tells whether values are whole numbers."""

    pieces: tuple[Piece, ...]
    whole: bool

    @property
    def low(self) -> float:
        """The least value."""
        return self.pieces[0].low

    @property
    def high(self) -> float:
        """The largest value."""
        return self.pieces[-1].high

    @property
    def is_fixed(self) -> bool:
        """Whether there is one value only."""
        return self.low == self.high

    def average(self) -> float:
        """The mean."""
        total = sum(piece.weight for piece in self.pieces)
        return sum(piece.weight * (piece.low + piece.high) / 2 for piece in self.pieces) / total

    def share_up_to(self, value: float) -> float:
        """The share of values up to `value`."""
        total = sum(piece.weight for piece in self.pieces)
        passed = 0.0
        for piece in self.pieces:
            if self.whole:
                inside = (math.floor(value) - piece.low + 1) / (piece.high - piece.low + 1)
            else:
                inside = (
                    (value - piece.low) / (piece.high - piece.low)
                    if piece.high > piece.low
                    else float(value >= piece.low)
                )
            passed += piece.weight * max(0.0, min(1.0, inside))
        return passed / total

    def distance(self, values: Sequence[float]) -> float:
        """The Kolmogorov-Smirnov distance to a sample."""
        ordered = sorted(values)
        worst = 0.0
        for value in set(ordered):
            ours = self.share_up_to(value)
            below = self.share_up_to(value - 1) if self.whole else ours
            worst = max(worst, abs(ours - bisect_right(ordered, value) / len(ordered)))
            if not self.whole or value - 1 >= self.low:
                worst = max(worst, abs(below - bisect_left(ordered, value) / len(ordered)) if self.whole else 0.0)
        return worst


def learn(
    values: Sequence[float], private: bool = True, limits: tuple[float, float] = (-math.inf, math.inf)
) -> Histogram:
    """The histogram of a sample of at least one number.

    private: ends are rounded, but not beyond the limits, and pieces never very narrow.
    """
    ordered = sorted(values)
    whole = all(isinstance(value, int) for value in ordered)
    low, high = _ends(ordered[0], ordered[-1], whole, private)
    low, high = max(low, limits[0]), min(high, limits[1])
    if ordered[0] == ordered[-1]:
        return Histogram((Piece(low, high, 1.0),), whole)
    narrowest = (high - low) * NARROWEST if private else 0.0
    tolerance = TOLERANCE
    while True:
        pieces: list[Piece] = []
        _split(ordered, low, high, whole, narrowest, tolerance, pieces)
        if len(pieces) <= MOST_PIECES:
            return Histogram(tuple(pieces), whole)
        tolerance *= 1.5


def _ends(low: float, high: float, whole: bool, private: bool) -> tuple[float, float]:
    """The range; for whole numbers `high` is included. Rounded to two digits of its width where it must be private."""
    if not private or (whole and max(abs(low), abs(high)) <= HARMLESS):
        return low, high
    width = high - low
    if width == 0:
        # One number: of it only the size may be told.
        unit = 10.0 ** math.floor(math.log10(abs(low))) if low else 1.0
    else:
        unit = 10.0 ** (math.floor(math.log10(width)) - 1)
    if whole:
        step = max(10, int(unit))
        return int(low) // step * step, -(-int(high) // step) * step
    return math.floor(low / unit) * unit, math.ceil(high / unit) * unit


def _split(
    ordered: Sequence[float],
    low: float,
    high: float,
    whole: bool,
    narrowest: float,
    tolerance: float,
    pieces: list[Piece],
) -> None:
    """Halves a range until the sample is flat in each piece; empty pieces are left out."""
    waiting = [(low, high)]
    while waiting:
        first, last = waiting.pop()
        begin = bisect_left(ordered, first)
        end = bisect_right(ordered, last) if whole or last == high else bisect_left(ordered, last)
        if begin == end:
            continue
        width = last - first + (1 if whole else 0)
        if _is_narrow(ordered, begin, end, first, last, narrowest, whole) or (
            _bend(ordered, begin, end, first, width, whole) <= tolerance
        ):
            pieces.append(Piece(first, last, float(end - begin)))
            continue
        if whole:
            middle = first + (last - first) // 2
            halves = [(middle + 1, last), (first, middle)]
        else:
            middle = first + (last - first) / 2
            if not first < middle < last:
                pieces.append(Piece(first, last, float(end - begin)))
                continue
            halves = [(middle, last), (first, middle)]
        waiting += halves


def _is_narrow(
    ordered: Sequence[float], begin: int, end: int, first: float, last: float, narrowest: float, whole: bool
) -> bool:
    """Whether a piece must not be halved."""
    if first == last:
        return True
    width = last - first + (1 if whole else 0)
    if width > narrowest or (whole and max(abs(first), abs(last)) <= HARMLESS):
        return False
    return len(set(ordered[begin:end])) < CROWD


def _bend(ordered: Sequence[float], begin: int, end: int, first: float, width: float, whole: bool) -> float:
    """How far the sample between two places is from flat, as a share of the whole sample."""
    count = end - begin
    worst = 0.0
    step = max(1, count // 64)
    for place in [*range(begin, end, step), end - 1]:
        value = ordered[place]
        above = bisect_right(ordered, value, begin, end) - begin
        below = bisect_left(ordered, value, begin, end) - begin
        at = (value - first) / width
        worst = max(worst, abs(above / count - (at + (1 / width if whole else 0.0))), abs(below / count - at))
    return worst * count / len(ordered)

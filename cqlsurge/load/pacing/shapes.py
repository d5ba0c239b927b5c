"""An asked rate over time, its cumulative count and the inverse: when each operation of the whole run is due.

A shape is a row of segments, in each of which the rate goes straight from one value to another; after the last one it
either repeats or keeps a final rate. A sine is made of such segments too (notation.py). Rates are whole thousandths of
an operation per second, times whole nanoseconds since the start of the phase, and counts whole units of which UNIT make
one operation: so (first rate + last rate) * length is a segment's count, exactly. Only inside a sloping segment is
there a float, relative to that segment's start: it cannot drift. Square roots and divisions of floats are rounded the
same way everywhere, so all interpreters agree to the nanosecond.
"""

from __future__ import annotations

from bisect import bisect_right
from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

UNIT = 2 * 10**12  # 2 * thousandths per one * nanoseconds per second
RATE_SCALE = 1000
MAX_RATE = 100_000_000 * RATE_SCALE


class Segment(NamedTuple):
    """The rate goes straight from `first` to `last` in `length_ns`."""

    length_ns: int
    first: int
    last: int


class Place(NamedTuple):
    """A segment where it stands in time; `length_ns` is None for the final rate, which has no end."""

    start_ns: int
    start_units: int
    length_ns: int | None
    first: int
    last: int

    def units(self) -> int:
        """The count of the whole segment."""
        return (self.first + self.last) * (self.length_ns or 0)

    def units_until(self, offset_ns: int) -> int:
        """The count of its first `offset_ns`."""
        bend = (self.last - self.first) * offset_ns * offset_ns // self.length_ns if self.length_ns else 0
        return 2 * self.first * offset_ns + bend


class Shape:
    """An asked rate over time. `text` is how it was written; `final_rate` None means that the segments repeat."""

    def __init__(self, text: str, segments: Sequence[Segment], final_rate: int | None) -> None:
        self.text = text
        self.segments = tuple(segments)
        self.final_rate = final_rate
        self._times = [0]
        self._units = [0]
        for length_ns, first, last in self.segments:
            self._times.append(self._times[-1] + length_ns)
            self._units.append(self._units[-1] + (first + last) * length_ns)
        if not final_rate and not self._units[-1]:
            raise ValueError(f"{text!r} asks for no operation at all")

    @property
    def peak_rate(self) -> int:
        """The highest rate that it comes to, in thousandths per second."""
        return max([self.final_rate or 0, *(max(each.first, each.last) for each in self.segments)])

    def to_json(self) -> dict[str, Any]:
        """For a plan or a result; holds everything, also the points of a trace."""
        return {"text": self.text, "segments": [list(each) for each in self.segments], "final_rate": self.final_rate}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Shape:
        """The shape of a plan."""
        return cls(data["text"], [Segment(*each) for each in data["segments"]], data["final_rate"])

    def scaled(self, numerator: int, denominator: int) -> Shape:
        """The same shape with each rate multiplied by a fraction (rounded to a thousandth per second)."""

        def rate(value: int) -> int:
            return (value * numerator + denominator // 2) // denominator

        final = None if self.final_rate is None else rate(self.final_rate)
        segments = [Segment(length, rate(first), rate(last)) for length, first, last in self.segments]
        return Shape(self.text, segments, final)

    def place(self, index: int) -> Place:
        """The index-th segment from the start of the phase, repetitions counted; past the end the final rate."""
        if index >= len(self.segments) and self.final_rate is not None:
            return Place(self._times[-1], self._units[-1], None, self.final_rate, self.final_rate)
        cycle, index = divmod(index, len(self.segments))
        return Place(
            cycle * self._times[-1] + self._times[index],
            cycle * self._units[-1] + self._units[index],
            *self.segments[index],
        )

    def place_at(self, value: int, starts: list[int]) -> Place:
        """The place in which a time (or count) lies, given the starts of the segments in it."""
        cycle = 0
        if self.final_rate is None:
            cycle, value = divmod(value, starts[-1])
        index = min(bisect_right(starts, value) - 1, len(self.segments))
        return self.place(cycle * len(self.segments) + index)

    def units_at(self, time_ns: int) -> int:
        """The count due before a time, in units."""
        place = self.place_at(time_ns, self._times)
        return place.start_units + place.units_until(time_ns - place.start_ns)

    def count_before(self, time_ns: int) -> int:
        """How many operations are due before a time, of all processes together (constant arrivals)."""
        return -(-self.units_at(time_ns) // UNIT)

    def due_ns(self, number: int) -> int | None:
        """When operation `number` (from 0, of all processes together, constant arrivals) is due; None if never."""
        return self.time_of(number * UNIT)

    def time_of(self, units: int) -> int | None:
        """When a count, in units, is reached, rounded down; None if never."""
        place = self.place_at(units, self._units)
        units -= place.start_units
        if place.first == place.last:
            return place.start_ns + units // (2 * place.first) if place.first else None
        whole, rest = divmod(units, UNIT)
        return sloping_times(place, (whole,), rest / UNIT, 1.0, 1)[0]

    def rate_at(self, time_ns: int) -> float:
        """The asked rate at a time, in operations per second."""
        place = self.place_at(time_ns, self._times)
        slope = (place.last - place.first) / place.length_ns if place.length_ns else 0.0
        return (place.first + slope * (time_ns - place.start_ns)) / RATE_SCALE


def sloping_times(place: Place, counts: Iterable[int], rest: float, scale: float, parts: int) -> list[int]:
    """Due times in a segment at rising counts, rest + scale * each, of one of `parts` streams that share its rate.

    With the rate a at the segment's start and its slope s, a count of c is reached after 2c / (a + sqrt(a^2 + 2sc)).
    """
    length_ns = place.length_ns or 0
    per_ns = 10**12 * parts
    first = place.first / per_ns
    slope = 2 * (place.last - place.first) / (per_ns * length_ns)
    square = first * first
    base = place.start_ns
    latest = 0
    out: list[int] = []
    append = out.append
    for each in counts:
        count = rest + each * scale
        under = square + slope * count
        root = first + (sqrt(under) if under > 0.0 else 0.0)
        offset = int(2.0 * count / root) if root else 0
        if offset > latest:
            latest = offset if offset < length_ns else length_ns
        append(base + latest)
    return out

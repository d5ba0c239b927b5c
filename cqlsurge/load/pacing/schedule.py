"""The due times of one load process, listed in blocks.

With `constant` arrivals the operations of all processes together are evenly spaced along the shape's count, and process
`part` of `parts` has every parts-th of them. With `poisson` each process has a stream of its own at its share of the
rate; together they are a Poisson process of the whole rate. A schedule whose final rate is 0 ends: `fill` then gives
fewer times than it was asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .arrivals import ENTRIES, ONE, draws, gap_table
from .shapes import RATE_SCALE, UNIT, Place, Shape, sloping_times

if TYPE_CHECKING:
    from collections.abc import Mapping

ARRIVALS = ("constant", "poisson")
#: gaps of more operations than this, per second in thousandths, would take a process longer to draw than they last
MAX_POISSON = 5_000_000 * RATE_SCALE
STEADY = ENTRIES // 4  # from this many operations in a segment of one rate a table of its gaps in ns pays


def pacing_json(shape: Shape, arrivals: str = "constant") -> dict[str, Any]:
    """The pacing of a phase as a plan carries it; `Pacer.from_json` reads it. Raises ValueError."""
    if arrivals == "poisson" and shape.peak_rate > MAX_POISSON:
        raise ValueError(
            f"{shape.text!r} asks for {shape.peak_rate // RATE_SCALE} random arrivals per second, each to be drawn; the"
            f" most is {MAX_POISSON // RATE_SCALE}: ask for less, or use --arrivals constant"
        )
    return {"shape": shape.to_json(), "arrivals": arrivals}


class Pacer:
    """The schedule of process `part` (from 0) of `parts`. Operations are numbered from 0 within the process.

    `delay_ns` is added to every due time that `fill` gives from then on: a pause adds its length to it.
    """

    def __init__(
        self, shape: Shape, arrivals: str = "constant", *, seed: int = 1, part: int = 0, parts: int = 1, stream: int = 0
    ) -> None:
        """`stream` tells apart the Poisson streams that one process goes through (see `rescaled`)."""
        if arrivals not in ARRIVALS:
            raise ValueError(f"arrivals are {arrivals!r}: they are one of {', '.join(ARRIVALS)}")
        if not 0 <= part < parts:
            raise ValueError(f"part {part} is not one of {parts} parts")
        self.shape, self.arrivals, self.delay_ns = shape, arrivals, 0
        self.next_k = 0
        self._seed, self._part, self._parts, self._stream = seed, part, parts, stream
        self._index = 0  # of the segment in which the next operation may lie
        self._origin = part * UNIT  # constant: operation k is due at the count origin + k * parts
        # Poisson: where the schedule starts, its sum of gaps in this segment, the gaps drawn and how many are used.
        self._from_ns = 0
        self._reached: int | None = None
        self._draws = array("H")
        self._blocks, self._given = 0, 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, seed: int, part: int, parts: int) -> Pacer:
        """The pacer of one process from a plan."""
        return cls(Shape.from_json(data["shape"]), data["arrivals"], seed=seed, part=part, parts=parts)

    def fill(self, start_k: int, count: int) -> list[int]:
        """The due times of operations start_k to start_k + count, in ns from the start of the phase, never falling.

        Blocks follow each other: `start_k` must be `next_k`, else ValueError. Fewer times mean that the schedule ends.
        """
        if start_k != self.next_k:
            raise ValueError(f"block starts at operation {start_k}, the schedule stands at {self.next_k}")
        fill = self._fill_constant if self.arrivals == "constant" else self._fill_poisson
        out: list[int] = []
        while len(out) < count:
            place = self.shape.place(self._index)
            if place.length_ns is None and not place.first:
                break
            times = fill(place, count - len(out))
            out += times
            self.next_k += len(times)
            if len(out) < count:
                self._index += 1
        return [each + self.delay_ns for each in out] if self.delay_ns else out

    def count_until(self, time_ns: int) -> int:
        """How many operations are due at a time (from the start of the phase) or before it; constant arrivals only."""
        time_ns -= self.delay_ns
        if time_ns < 0:
            return 0
        step = self._parts * UNIT
        count = max(0, (self.shape.units_at(time_ns) - self._origin) // step)
        # Due times are rounded down, and on slopes they come of floats: the exact count is close by.
        while (due_ns := self.shape.time_of(self._origin + count * step)) is not None and due_ns <= time_ns:
            count += 1
        while count and (due_ns := self.shape.time_of(self._origin + (count - 1) * step)) is not None:
            if due_ns <= time_ns:
                break
            count -= 1
        return count

    def rescaled(self, now_ns: int, factor: float, start_k: int) -> Pacer:
        """A pacer that goes on from now with each rate multiplied; its first operation is `start_k`.

        `start_k` must be the first operation that is due after `now_ns` (times from the start of the phase): drop what
        was listed from there on. What part of the wait for it has passed stays passed. ValueError for a factor that
        leaves no rate: a pause is a `delay_ns`.
        """
        ratio = Fraction(factor).limit_denominator(1_000_000)
        now = now_ns - self.delay_ns
        shape = self.shape.scaled(ratio.numerator, ratio.denominator)
        pacer = Pacer(
            shape, self.arrivals, seed=self._seed, part=self._part, parts=self._parts, stream=self._stream + 1
        )
        pacer.delay_ns, pacer.next_k = self.delay_ns, start_k
        done = start_k * self._parts * UNIT
        ahead = max(0, self._origin + done - self.shape.units_at(now))
        pacer._origin = shape.units_at(now) + ahead - done
        pacer._from_ns = now
        return pacer

    def _fill_constant(self, place: Place, count: int) -> list[int]:
        """Up to `count` times that lie in one segment; fewer mean that it is used up."""
        step = self._parts * UNIT
        units = self._origin + self.next_k * step - place.start_units
        if place.length_ns is not None:
            count = min(count, max(0, -((units - place.units()) // step)))
        if not count:
            return []
        if place.first != place.last:
            whole, rest = divmod(units, UNIT)
            counts = range(whole, whole + count * self._parts, self._parts)
            return sloping_times(place, counts, rest / UNIT, 1.0, 1)
        return _even_times(place, units, step, count)

    def _fill_poisson(self, place: Place, count: int) -> list[int]:
        """Up to `count` times that lie in one segment; fewer mean that it is used up.

        The process has no memory: each segment starts its wait anew, and so the gap that crosses its end is dropped.
        """
        share = UNIT * self._parts
        over = place.length_ns is not None and place.start_ns + place.length_ns <= self._from_ns
        if over or not place.first + place.last:
            return []
        steady = place.first == place.last and (place.length_ns is None or place.units() >= STEADY * share)
        end: int | None
        if steady:  # sums of gaps are times
            gaps = gap_table((self._parts * 10**12) / (place.first * ONE))
            end = None if place.length_ns is None else place.start_ns + place.length_ns
        else:  # sums of gaps are counts
            gaps, end = gap_table(), place.units() * ONE // share
        if self._reached is None:
            start = max(place.start_ns, self._from_ns)
            self._reached = start if steady else place.units_until(start - place.start_ns) * ONE // share
        sums = self._sums(gaps, end, count)
        return sums if steady else sloping_times(place, sums, 0.0, 1.0 / ONE, self._parts)

    def _sums(self, gaps: list[int], end: int | None, count: int) -> list[int]:
        """Up to `count` sums of drawn gaps that go on from `_reached`; fewer where they come to the end."""
        out: list[int] = []
        while len(out) < count:
            if self._given == len(self._draws):
                self._draws, self._given = draws(self._seed, self._part, self._stream, self._blocks), 0
                self._blocks += 1
            chunk = self._draws[self._given : self._given + count - len(out)]
            at = self._reached or 0
            sums = [at := at + gaps[each] for each in chunk]
            if end is not None and at >= end:
                inside = bisect_left(sums, end)
                self._given += inside + 1
                self._reached = None
                return out + sums[:inside]
            self._given += len(sums)
            self._reached = at
            out += sums
        return out


def _even_times(place: Place, units: int, step: int, count: int) -> list[int]:
    """Due times at counts `units`, `units + step` ... from the start of a segment of one rate; exact, rounded down."""
    per_ns = 2 * place.first
    time_ns, late = divmod(units, per_ns)
    time_ns += place.start_ns
    whole, rest = divmod(step, per_ns)
    if not rest:
        return list(range(time_ns, time_ns + count * whole, whole))
    out: list[int] = []
    append = out.append
    for _ in range(count):
        append(time_ns)
        time_ns += whole
        late += rest
        if late >= per_ns:
            late -= per_ns
            time_ns += 1
    return out

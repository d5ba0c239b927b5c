"""Ends a run once a percentile is known well enough: `p99 +- 2%`. Pure; told of each second's histogram.

By batch means: the measured phase is cut into batches of consecutive seconds, each with enough operations for its
percentile to be one. Seconds beside each other are alike, so batches double in length until their percentiles are
hardly correlated, and what correlation remains widens the interval (results/statistics.py). A drift over the whole run
shows as correlation too. Memory is bounded: there are at most 64 batches, of growing length.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from cqlsurge.load.latency.histogram import filled
from cqlsurge.load.latency.layout import value_at
from cqlsurge.results.statistics import series_spread, t_quantile
from cqlsurge.units import Goal, show_us

CONFIDENCE = 0.95
BATCHES_MAX = 64
BATCHES_MIN = 12
#: not before this much of the measured phase, however narrow the interval looks
SECONDS_MIN = 10
#: operations beyond the percentile that a batch must hold
TAIL = 20


class Batch(NamedTuple):
    """Counts by index of the histogram, of so many seconds."""

    counts: dict[int, int]
    seconds: int


class Until:
    """Takes the seconds of the measured phase; see the module's text."""

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        self._batches: list[Batch] = []
        self._open = Batch({}, 0)
        self._length = 1
        self._seconds = 0
        self.estimate_us = 0.0
        self.half_width: float | None = None

    def add(self, counts: list[int]) -> None:
        """One second's histogram."""
        self._seconds += 1
        self._open = _joined(self._open, Batch({index: counts[index] for index in filled(counts)}, 1))
        enough = sum(self._open.counts.values()) * (1 - self.goal.percentile / 100) >= TAIL
        if self._open.seconds < self._length or not enough:
            return
        self._batches.append(self._open)
        # Where one second holds too few operations all batches are as long as the longest had to be.
        self._length = max(self._length, self._open.seconds)
        self._open = Batch({}, 0)
        if len(self._batches) > BATCHES_MAX:
            self._batches = [_joined(*self._batches[at : at + 2]) for at in range(0, BATCHES_MAX, 2)]
            self._length *= 2
        self._judge()

    def _judge(self) -> None:
        if len(self._batches) < BATCHES_MIN:
            return
        logs = [math.log(_percentile(batch.counts, self.goal.percentile)) for batch in self._batches]
        spread = series_spread(logs)
        if spread is None:
            return
        self.estimate_us = math.exp(spread.estimate) / 1000
        self.half_width = math.expm1(t_quantile(1 - CONFIDENCE, spread.df) * math.sqrt(spread.variance))

    @property
    def reached(self) -> bool:
        """Whether the percentile is known well enough."""
        return self.half_width is not None and self.half_width <= self.goal.share and self._seconds >= SECONDS_MIN

    @property
    def facts(self) -> dict[str, Any]:
        """For the result: what was asked for and what was reached; half_width is a share, None where not yet known."""
        return {
            "percentile": self.goal.percentile,
            "asked_half_width": self.goal.share,
            "reached": self.reached,
            "half_width": None if self.half_width is None else round(self.half_width, 5),
            "typical_us": round(self.estimate_us, 3),
            "confidence": CONFIDENCE,
            "batches": len(self._batches),
            "batch_s": self._length,
        }


def line(facts: dict[str, Any]) -> str:
    """Until.facts in words."""
    name = f"p{facts['percentile']:g}"
    if facts["half_width"] is None:
        return f"{name}: not enough of the run to tell"
    answer = "reached" if facts["reached"] else "not reached"
    return (
        f"{name} of a typical {facts['batch_s']} s is {show_us(facts['typical_us'])} +- {facts['half_width']:.1%}; "
        f"+- {facts['asked_half_width']:.1%} {answer} ({facts['batches']} batches, {facts['confidence']:.0%})"
    )


def _joined(one: Batch, other: Batch) -> Batch:
    counts = dict(one.counts)
    for index, count in other.counts.items():
        counts[index] = counts.get(index, 0) + count
    return Batch(counts, one.seconds + other.seconds)


def _percentile(counts: dict[int, int], percentile: float) -> int:
    """In ns, as cqlsurge.load.latency.histogram has it."""
    rank = max(1, math.ceil(percentile / 100 * sum(counts.values())))
    seen = 0
    for index in sorted(counts):
        seen += counts[index]
        if seen >= rank:
            return value_at(index)
    return 1

"""What a histogram says: count, mean, percentiles; and the merge of two.

All functions take a list of counts in the layout of `layout.py`. Percentiles follow HdrHistogram: the highest value
equivalent to the one at rank ceil(percentile * count / 100). Histograms are merged, percentiles are never averaged.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from functools import cache
from itertools import accumulate, compress
from operator import mul
from typing import TYPE_CHECKING, TypedDict

from .layout import COUNTS_LENGTH, lowest_at, median_at, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: counts that are looked at together
BLOCK = 1024
_EMPTY = [0] * BLOCK

#: the three latencies of an operation: response is wait and service
LATENCIES = ("wait", "service", "response")
PERCENTILES = (("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99_9", 99.9), ("p99_99", 99.99))


class LatencySummary(TypedDict):
    """Latencies in microseconds; `count` operations. All zero when nothing was counted."""

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    p99_9: float
    p99_99: float
    max: float


def filled(counts: Sequence[int]) -> list[int]:
    """The indexes of the counts that are not zero, rising."""
    if sys.implementation.name == "pypy":
        return [i for i, count in enumerate(counts) if count]
    found: list[int] = []  # by what runs in C, which on PyPy is slower than a loop; most blocks are empty
    for begin in range(0, len(counts), BLOCK):
        block = counts[begin : begin + BLOCK]
        if block != _EMPTY:
            found += compress(range(begin, begin + BLOCK), block)
    return found


@cache
def middles() -> tuple[int, ...]:
    """median_at of each index."""
    return tuple(median_at(index) for index in range(COUNTS_LENGTH))


def add(into: list[int], other: Sequence[int]) -> None:
    """Adds each count of `other` to `into`, in place."""
    for i in filled(other):
        into[i] += other[i]


def count_of(counts: Sequence[int]) -> int:
    """How many latencies were counted."""
    return sum(counts)


def minimum(counts: Sequence[int]) -> int:
    """The lowest latency in ns, rounded down to its cell; 0 if there is none."""
    return next((lowest_at(i) for i, n in enumerate(counts) if n), 0)


def maximum(counts: Sequence[int]) -> int:
    """The highest latency in ns, rounded up to the end of its cell; 0 if there is none."""
    indexes = filled(counts)
    return value_at(indexes[-1]) if indexes else 0


def mean(counts: Sequence[int]) -> float:
    """The mean latency in ns, each taken at the middle of its cell; 0.0 if there is none."""
    return mean_of(counts, filled(counts))


def mean_of(counts: Sequence[int], indexes: Sequence[int]) -> float:
    """As `mean`, where the indexes of the counts that are not zero are known."""
    middle = middles()
    numbers = [counts[i] for i in indexes]
    return sum(map(mul, numbers, [middle[i] for i in indexes])) / sum(numbers) if numbers else 0.0


def rank_of(percentile: float, total: int) -> int:
    """Which of `total` values in rising order is the percentile; exact to four decimals."""
    return max(1, -(-round(percentile * 10_000) * total // 1_000_000))


def percentiles(counts: Sequence[int], wanted: Iterable[float]) -> list[int]:
    """Latencies in ns at percentiles (0-100, in rising order) in one pass; zeros if nothing was counted."""
    return percentiles_of(counts, filled(counts), wanted)


def percentiles_of(counts: Sequence[int], indexes: Sequence[int], wanted: Iterable[float]) -> list[int]:
    """As `percentiles`, where the indexes of the counts that are not zero are known."""
    if not indexes:
        return [0 for _ in wanted]
    seen = list(accumulate([counts[i] for i in indexes]))
    found = []
    for percentile in wanted:
        index = indexes[bisect_left(seen, rank_of(percentile, seen[-1]))]
        found.append(lowest_at(index) if percentile == 0 else value_at(index))
    return found


def percentile(counts: Sequence[int], wanted: float) -> int:
    """The latency in ns at one percentile (0-100); 0 if nothing was counted."""
    return percentiles(counts, (wanted,))[0]


def summary(counts: Sequence[int], max_ns: int | None = None) -> LatencySummary:
    """The figures of the result document, in microseconds.

    `max_ns` is the exact maximum where it was recorded apart; no percentile is then above it.
    """
    indexes = filled(counts)
    values = percentiles_of(counts, indexes, [wanted for _, wanted in PERCENTILES])
    highest = (value_at(indexes[-1]) if indexes else 0) if max_ns is None else max_ns
    p50, p90, p99, p99_9, p99_99 = (min(value, highest) / 1000 for value in values)
    return {
        "count": count_of(counts),
        "mean": mean_of(counts, indexes) / 1000,
        "p50": p50,
        "p90": p90,
        "p99": p99,
        "p99_9": p99_9,
        "p99_99": p99_99,
        "max": highest / 1000,
    }

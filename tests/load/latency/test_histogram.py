"""What histograms say.

How: random latencies are counted and every figure is compared with the one computed from the sorted list itself,
within one cell; ranks are compared with exact fractions.
"""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import compress
from math import ceil

import pytest

from cqlsurge.load.latency import histogram, layout


def counted(values: list[int]) -> list[int]:
    counts = layout.new_counts()
    for value in values:
        counts[layout.index_of(value)] += 1
    return counts


def lognormal(seed: int, count: int) -> list[int]:
    drawn = random.Random(seed)
    return [int(drawn.lognormvariate(13, 2)) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 99, 100, 101, 1000, 12_345])
def test_percentiles_are_those_of_the_sorted_values(count: int) -> None:
    values = sorted(lognormal(count, count))
    counts = counted(values)
    for wanted in (1, 10, 50, 90, 99, 99.9, 99.99, 100):
        exact = values[ceil(Fraction(str(wanted)) * count / 100) - 1]
        assert histogram.percentile(counts, wanted) == layout.value_at(layout.index_of(exact))


def test_rank_is_exact_where_floats_are_not() -> None:
    for total in (1, 7, 100, 999, 1000, 1001, 10**6, 10**15 + 7):
        for wanted in ("0.0001", "33.3", "50", "99", "99.9", "99.99", "99.999", "100"):
            rank = ceil(Fraction(wanted) * total / 100)
            assert histogram.rank_of(float(wanted), total) == max(1, rank)


def test_mean_and_ends_are_within_a_cell() -> None:
    values = lognormal(3, 5000)
    counts = counted(values)
    assert histogram.count_of(counts) == 5000
    assert histogram.mean(counts) == pytest.approx(sum(values) / len(values), rel=1e-3)
    assert histogram.minimum(counts) == layout.lowest_at(layout.index_of(min(values)))
    assert histogram.maximum(counts) == layout.value_at(layout.index_of(max(values)))
    assert histogram.percentile(counts, 0) == histogram.minimum(counts)


def test_both_ways_of_finding_filled_counts_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counted(lognormal(5, 2000))
    expected = list(compress(range(len(counts)), counts))
    for name in ("pypy", "cpython"):
        monkeypatch.setattr("sys.implementation.name", name)
        assert histogram.filled(counts) == expected


def test_merging_is_counting_all_together() -> None:
    first, second = lognormal(1, 3000), lognormal(2, 1000)
    merged = counted(first)
    histogram.add(merged, counted(second))
    assert merged == counted(first + second)


def test_summary_is_in_microseconds_and_bounded_by_the_exact_maximum() -> None:
    values = [1_000_000] * 9999 + [5_000_001]
    found = histogram.summary(counted(values), max(values))
    assert found["count"] == 10_000
    assert found["p50"] == found["p99_99"] == pytest.approx(1000, rel=1e-3)
    assert found["max"] == 5000.001
    assert found["mean"] == pytest.approx(1000.4, rel=1e-3)
    alone = histogram.summary(counted([777_777]), 777_777)
    assert alone["p50"] == alone["p99_99"] == alone["max"] == 777.777
    assert histogram.summary(counted([777_777]))["max"] >= 777.777


def test_an_empty_histogram_is_all_zero() -> None:
    assert set(histogram.summary(layout.new_counts()).values()) == {0}
    assert histogram.minimum(layout.new_counts()) == histogram.maximum(layout.new_counts()) == 0


def test_a_latency_past_the_end_is_counted_as_clamped() -> None:
    counts = counted([10**9, 2 * 3600 * 10**9])
    assert counts[layout.CLAMPED_INDEX] == 1
    assert histogram.count_of(counts) == 2
    assert histogram.summary(counts, 2 * 3600 * 10**9)["max"] == 7200e6

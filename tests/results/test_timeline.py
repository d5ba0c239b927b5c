"""The timeline: thinned rows against rows computed from all their operations at once; heat texts there and back."""

from __future__ import annotations

import random

from cqlsurge.load.latency.histogram import add, percentiles
from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.seconds import Second
from cqlsurge.results.timeline import Timeline, heat_cells, heat_from_us, heat_text


def seconds(count: int) -> list[Second]:
    draw = random.Random(1)
    made = []
    for t_s in range(1, count + 1):
        counts = new_counts()
        for _ in range(20):
            counts[index_of(round(draw.lognormvariate(12, 1)))] += 1
        begin_ns, end_ns = (t_s - 1) * 10**9, t_s * 10**9
        made.append(Second(t_s, begin_ns, end_ns, ok=20, errors=t_s % 3, warmup=t_s <= 2, counts=counts))
    return made


def test_a_short_run_has_a_row_a_second() -> None:
    timeline = Timeline(limit=8)
    for second in seconds(8):
        timeline.add(second)
    assert [row["t_s"] for row in timeline.rows] == list(range(1, 9))
    assert [row["warmup"] for row in timeline.rows[:3]] == [True, True, False]
    assert timeline.last_s == 8


def test_a_long_run_stays_bounded_and_exact() -> None:
    """Whatever the length: no second is lost or counted twice, and percentiles are those of merged histograms."""
    made = seconds(70)
    timeline = Timeline(limit=8)
    for length, second in enumerate(made, 1):
        timeline.add(second)
        assert len(timeline.rows) <= 8
        begun = 0
        for row in timeline.rows:
            part = made[begun : row["t_s"]]
            assert row["ok"] == sum(one.ok for one in part) == 20 * row["span_s"]
            assert row["errors"] == sum(one.errors for one in part)
            counts = new_counts()
            for one in part:
                add(counts, one.counts)
            assert row["p99_us"] == percentiles(counts, (99.0,))[0] / 1000
            assert row["heat"] == heat_text(counts)
            begun = row["t_s"]
        assert begun == length
    assert len(timeline.recent) == 70, "the last seconds stay as they were"


def test_heat_says_in_which_quarter_of_an_octave_latencies_lie() -> None:
    counts = new_counts()
    for latency_us, count in ((1.0, 3), (1000.0, 5), (70_000_000.0, 1)):
        counts[index_of(round(latency_us * 1000))] += count
    cells = heat_cells(heat_text(counts))
    assert sorted(cells.values()) == [1, 3, 5]
    for cell, latency_us in zip(sorted(cells), (1.0, 1000.0, 70_000_000.0), strict=True):
        assert heat_from_us(cell) * 0.93 <= latency_us < heat_from_us(cell + 1) * 1.01
    assert heat_cells(heat_text(new_counts())) == {}

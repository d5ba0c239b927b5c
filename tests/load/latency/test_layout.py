"""The layout of a histogram.

How: `index_of` is compared with a slow restatement of HdrHistogram's arithmetic, at every edge of a cell row and at
random values; the snippet for hot loops is cut out of the module's own docstring, run, and compared with `index_of`.
"""

from __future__ import annotations

import random
import textwrap

from cqlsurge.load.latency import layout
from cqlsurge.load.latency.layout import COUNTS_LENGTH, index_of

EDGES = sorted(
    {
        max(0, (1 << bits) * scale + offset)
        for bits in range(43)
        for scale in (1, 3, 1023, 1024, 1025, 2047)
        for offset in (-65, -64, -1, 0, 1, 63, 64)
    }
)


def slow_index(value: int) -> int:
    """AbstractHistogram.getBucketIndex, getSubBucketIndex and countsArrayIndex, with unit magnitude 6."""
    mask = 2047 << 6
    bucket = (value | mask).bit_length() - 6 - 11
    sub_bucket = value >> (bucket + 6)
    return ((bucket + 1) << 10) + sub_bucket - 1024


def samples() -> list[int]:
    drawn = random.Random(7)
    return EDGES + [int(drawn.lognormvariate(13, 4)) for _ in range(20_000)]


def test_index_is_that_of_hdrhistogram() -> None:
    for value in samples():
        if value < 1 << 42:
            assert index_of(value) == slow_index(value), value


def test_values_past_either_end_are_kept() -> None:
    assert index_of(0) == index_of(-1) == index_of(-(10**12)) == 0
    assert index_of((1 << 42) - 1) == index_of(1 << 42) == index_of(10**18) == layout.CLAMPED_INDEX == COUNTS_LENGTH - 1
    assert index_of(layout.HIGHEST_TRACKABLE_NS) < layout.CLAMPED_INDEX


def test_cells_follow_each_other_without_gap() -> None:
    expected = 0
    for index in range(COUNTS_LENGTH):
        assert layout.lowest_at(index) == expected
        assert index_of(expected) == index_of(layout.value_at(index)) == index_of(layout.median_at(index)) == index
        expected += layout.width_at(index)
    assert expected == 1 << 42


def test_three_significant_digits() -> None:
    for index in range(layout.SUB_BUCKETS, COUNTS_LENGTH):
        assert layout.width_at(index) * 1000 < layout.lowest_at(index)


def test_the_snippet_for_hot_loops_equals_index_of() -> None:
    text = layout.__doc__ or ""
    lines = text[text.index("    v = ns >> 6") :].split("\n\n")[0]
    snippet = compile(textwrap.dedent(lines), "snippet", "exec")
    for ns in [*samples(), -1, -64, -(10**9), 1 << 42, 10**15]:
        names = {"ns": ns, "counts": layout.new_counts(), "BITS": layout.BITS, "index_of": index_of}
        exec(snippet, names)
        assert names["i"] == index_of(ns), ns
        assert names["counts"][index_of(ns)] == 1


def test_the_table_ends_where_the_snippet_says() -> None:
    assert layout.TABLE_LIMIT == 8388608
    assert len(layout.BITS) == layout.TABLE_LIMIT >> 11
    assert "elif v < 8388608:" in (layout.__doc__ or "")

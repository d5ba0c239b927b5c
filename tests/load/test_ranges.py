"""The bounded set of numbers against a plain Python set."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cqlsurge.load.outcomes.ranges import Ranges

PIECES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 20)), max_size=60)


@given(PIECES)
def test_it_holds_what_was_added_and_nothing_else(pieces: list[tuple[int, int]]) -> None:
    ranges, plain = Ranges(), set()
    for first, length in pieces:
        ranges.add(first, first + length)
        plain.update(range(first, first + length))
    assert {number for number in range(-1, 260) if number in ranges} == plain
    assert len(ranges) == len(plain)
    assert all(past < first for (_, past), (first, _) in pairwise(ranges.pairs())), "ranges must not touch"
    assert not ranges.overflow


@given(PIECES)
def test_beyond_its_limit_it_only_grows(pieces: list[tuple[int, int]]) -> None:
    ranges, plain = Ranges(limit=5), set()
    for first, length in pieces:
        ranges.add(first, first + length)
        plain.update(range(first, first + length))
    assert all(number in ranges for number in plain)
    assert len(ranges.pairs()) <= 5
    assert ranges.overflow or len(ranges) == len(plain)

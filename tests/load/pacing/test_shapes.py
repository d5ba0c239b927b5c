"""Counts over time and their inverse.

How: the cumulative count is compared with a numeric integration of the rate; the inverse with the count: of each
operation's due time, exactly as many operations are due before as its number says. Exact fractions check plain rates
at the far end of long runs.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.shapes import UNIT, Segment, Shape

S = 10**9
SHAPES = [
    "333",
    "step:1k,2k,500@3s",
    "ramp:100..2k@7s",
    "ramp:2k..0.5@7s",
    "ramp:0..1k@20s",
    "sine:1k+-1k@5s",
    "spike:100..3k@1s/4s",
]


@pytest.mark.parametrize("text", SHAPES)
def test_count_is_the_integral_of_the_rate(text: str) -> None:
    shape = parse(text)
    step = S // 1000
    total = 0.0
    for i in range(15_000):
        total += shape.rate_at(i * step + step // 2) * step / S
        if i % 1000 == 999:
            assert shape.units_at((i + 1) * step) / UNIT == pytest.approx(total, abs=0.1)


@pytest.mark.parametrize("text", SHAPES)
def test_due_time_and_count_are_inverse(text: str) -> None:
    shape = parse(text)
    earlier = 0
    for number in range(5000):
        due = shape.due_ns(number)
        assert due is not None
        assert due >= earlier
        earlier = due
        assert shape.units_at(due) <= number * UNIT + UNIT // 1000  # 1 ns at 1M/s is a thousandth of an operation
        assert shape.units_at(due + 2) >= number * UNIT


def test_plain_rates_are_exact_after_weeks() -> None:
    for text, rate in (("5M", 5_000_000), ("333333.333", Fraction("333333.333")), ("0.001", Fraction(1, 1000))):
        shape = parse(text)
        for number in (0, 1, 7, 10**6 + 1, 10**13 + 9):
            assert shape.due_ns(number) == number * 10**9 // rate
        assert shape.count_before(1_814_400 * S) == -(-1_814_400 * rate // 1)


def test_a_shape_that_ends() -> None:
    shape = parse("step:10,20,0@1s")
    assert shape.count_before(10 * S) == shape.count_before(10**6 * S) == 30
    assert shape.due_ns(29) == 1_950_000_000
    assert shape.due_ns(30) is None


def test_scaling_multiplies_rates_and_keeps_times() -> None:
    shape = parse("step:10,20@1s").scaled(3, 2)
    assert [shape.rate_at(t) for t in (0, S, 9 * S)] == [15, 30, 30]
    with pytest.raises(ValueError, match="no operation"):
        shape.scaled(0, 1)


def test_segments_repeat_without_drift() -> None:
    shape = Shape("x", [Segment(3, 7000, 7000), Segment(4, 0, 11_000)], None)
    per_period = 2 * 7000 * 3 + 11_000 * 4
    assert shape.units_at(7 * 10**15 + 3) == per_period * 10**15 + 2 * 7000 * 3

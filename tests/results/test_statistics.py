"""How: quantiles against printed tables; tests and intervals against their stated error rates on drawn numbers."""

from __future__ import annotations

import math
import random

import pytest

from cqlsurge.results.statistics import (
    Difference,
    Spread,
    borrowed,
    difference,
    holm,
    series_spread,
    spread_of,
    t_quantile,
    two_sided_p,
    with_trend,
)


@pytest.mark.parametrize(
    ("level", "df", "expected"),
    [
        (0.05, 1, 12.706), (0.05, 4, 2.776), (0.01, 4, 4.604), (0.05, 8, 2.306), (0.001, 8, 5.041),
        (0.05, 30, 2.042), (0.05, 1e9, 1.960),
    ],
)  # fmt: skip
def test_quantiles_are_those_of_the_tables(level: float, df: float, expected: float) -> None:
    assert t_quantile(level, df) == pytest.approx(expected, abs=6e-4)
    assert two_sided_p(t_quantile(level, df), df) == pytest.approx(level, rel=1e-6)


def test_one_degree_of_freedom_is_the_cauchy_distribution() -> None:
    for t in (0.0, 0.3, 1.0, 7.0, 1e4):
        assert two_sided_p(t, 1) == pytest.approx(1 - 2 * math.atan(t) / math.pi, abs=1e-9)


def test_welch_by_hand() -> None:
    base = spread_of(2.0, [1.0, 2.0, 3.0], [2.5, 2.0, 1.5])
    candidate = spread_of(6.0, [4.0, 6.0, 8.0], [7.0, 6.0, 5.0])
    found = difference(base, candidate)
    assert found.estimate == 4
    assert found.error == pytest.approx(math.sqrt(1 / 3 + 4 / 3))
    assert found.df == pytest.approx((5 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2))
    low, high = found.interval(found.p_value())
    assert low == pytest.approx(0, abs=1e-6)
    assert high == pytest.approx(8, abs=1e-6)


def test_a_difference_without_an_error_is_certain_or_none() -> None:
    assert Difference(0.0, 0.0, 3).p_value() == 1
    assert Difference(0.1, 0.0, 3).p_value() == 0


def test_a_single_run_varies_as_the_others_do() -> None:
    spread = spread_of(0.0, [-1.0, 0.0, 1.0], [0.5, 0.0, -0.5])
    assert borrowed(5.0, spread, 3) == Spread(5.0, pytest.approx(1.0), 2)


def test_holm_with_weights() -> None:
    # 0.02 <= 0.05 * 5/10; then 0.02 <= 0.05 * 2/5; then 0.04 > 0.05 * 2/3 and all left fail with it
    assert holm([0.02, 0.02, 0.04, 0.9], [5, 2, 2, 1], 0.05) == [
        (True, 0.025), (True, 0.02), (False, pytest.approx(0.1 / 3)), (False, pytest.approx(0.05 / 3)),
    ]  # fmt: skip
    assert holm([], [], 0.05) == []


def draw_series(rng: random.Random, count: int, correlation: float) -> list[float]:
    value, out = rng.gauss(0, 1), []
    for _ in range(count):
        out.append(value)
        value = correlation * value + math.sqrt(1 - correlation**2) * rng.gauss(0, 1)
    return out


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_intervals_of_correlated_series_hold(correlation: float) -> None:
    rng, wrong, pairs = random.Random(7), 0, 300
    for _ in range(pairs):
        first, second = (series_spread(draw_series(rng, 120, correlation)) for _ in range(2))
        assert first is not None
        assert second is not None
        wrong += difference(first, second).p_value() < 0.05
    assert wrong / pairs < 0.08


def test_short_series_say_nothing() -> None:
    assert series_spread([1.0] * 11) is None
    constant = series_spread([3.0] * 12)
    assert constant is not None
    assert (constant.estimate, constant.variance) == (3.0, 0.0)


def test_a_trend_over_the_runs_is_taken_out() -> None:
    rng = random.Random(3)
    order = ([0.0, 3, 4, 7, 8], [1.0, 2, 5, 6, 9])
    base, candidate = ([0.05 * place + rng.gauss(0, 0.01) for place in places] for places in order)
    found = with_trend(base, [value + 0.03 for value in candidate], order)
    assert found is not None
    assert found.estimate == pytest.approx(0.03, abs=0.02)
    assert found.error < 0.02
    assert with_trend([0.0, 1, 0, 1, 0], [1.0, 0, 0, 1, 0], order) is None
    apart = ([0.0, 1, 2, 3, 4], [5.0, 6, 7, 8, 9])
    after = with_trend([0.0, 1, 2, 3, 4], [5.0, 6, 7, 8, 9.1], apart)
    assert after is not None  # a trend and a difference look the same here: no difference is believed
    assert after.estimate == pytest.approx(5.02)
    assert after.p_value() > 0.2
    assert with_trend(base[:2], candidate[:2], (order[0][:2], order[1][:2])) is None

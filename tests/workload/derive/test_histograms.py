"""Learned histograms are near to their samples, however these are spread, and tell no single number."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from cqlsurge.workload.derive.histograms import Histogram, Piece, learn

DRAW = random.Random(7)
SAMPLES: dict[str, Callable[[], float]] = {
    "uniform": lambda: DRAW.randint(0, 10_000_000),
    "bell": lambda: round(DRAW.gauss(500_000, 20_000)),
    "heavy tail": lambda: int(DRAW.paretovariate(0.9) * 10),
    "lognormal": lambda: int(DRAW.lognormvariate(8, 2)),
    "two hills": lambda: round(DRAW.gauss(100, 5) if DRAW.random() < 0.3 else DRAW.gauss(9000, 300)),
    "ages": lambda: DRAW.randint(18, 80),
    "times": lambda: 1_760_000_000_000 + DRAW.randint(0, 86_400_000 * 90),
    "negative": lambda: -int(DRAW.expovariate(1e-6)),
    "real": lambda: DRAW.gauss(0, 1),
    "real tail": lambda: DRAW.paretovariate(1.1),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_learned_shape_is_near_to_its_sample(name: str) -> None:
    values = [SAMPLES[name]() for _ in range(6000)]
    found = learn(values)
    assert found.distance(values) < 0.05
    fresh = [SAMPLES[name]() for _ in range(6000)]
    assert found.distance(fresh) < 0.06


@pytest.mark.parametrize("name", SAMPLES)
def test_lengths_and_counts_may_be_exact(name: str) -> None:
    values = [SAMPLES[name]() for _ in range(5000)]
    found = learn(values, private=False)
    assert found.distance(values) < 0.05
    assert (found.low, found.high) == (min(values), max(values))


def test_borders_are_no_values_of_the_sample() -> None:
    values = [DRAW.randint(10**11, 10**12) for _ in range(1000)]
    borders = {end for piece in learn(values).pieces for end in (piece.low, piece.high)}
    assert not borders & set(values)
    spike = [123_457] * 900 + [DRAW.randint(0, 1_000_000) for _ in range(100)]
    assert all(piece.low != piece.high for piece in learn(spike).pieces)
    assert all(123_457 not in (piece.low, piece.high) for piece in learn([123_457] * 5).pieces)


def test_a_single_number_keeps_its_size_only() -> None:
    found = learn([123_457] * 10)
    assert (found.low, found.high) == (100_000, 200_000)
    assert learn([0, 0]).is_fixed
    assert learn([34, 34], private=False).is_fixed


def test_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    flat = Histogram((Piece(1, 10, 1.0),), whole=True)
    assert flat.distance(list(range(1, 11))) == pytest.approx(0)
    assert flat.distance([1] * 10) == pytest.approx(0.9)
    assert flat.distance([10] * 10) == pytest.approx(0.9)
    assert flat.average() == 5.5


def test_ends_stay_within_the_limits_of_the_type() -> None:
    values = [DRAW.randint(0, 2**31 - 1) for _ in range(500)] + [2**31 - 1]
    assert learn(values, limits=(-(2**31), 2**31 - 1)).high == 2**31 - 1
    assert learn(values).high > 2**31 - 1

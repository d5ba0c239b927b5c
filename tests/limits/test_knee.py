"""The knee of curves whose knee is known: queues, with noise of a measurement; and of one that has none."""

from __future__ import annotations

import math
import random

import pytest

from cqlsurge.limits.knee import knee, polynomial

POINTS = 10


def mm1(rate: float, mu: float) -> float:
    return 1 / (mu - rate) if rate < mu else 10.0


def md1(rate: float, mu: float) -> float:
    load = rate / mu
    return (1 + load / (2 * (1 - load))) / mu if load < 1 else 10.0


def mmc(rate: float, servers: int, mean_s: float) -> float:
    load = rate * mean_s
    if load >= servers:
        return 10.0
    terms = [k * math.log(load) - math.lgamma(k + 1) for k in range(servers)]
    last = servers * math.log(load) - math.lgamma(servers + 1) + math.log(servers / (servers - load))
    waits = math.exp(last) / (sum(map(math.exp, terms)) + math.exp(last))
    return mean_s + waits / (servers / mean_s - rate)


QUEUES = {
    "M/M/1": (lambda rate: mm1(rate, 30_000.0), 30_000.0, 0.5),
    "M/D/1": (lambda rate: md1(rate, 30_000.0), 30_000.0, 2 - math.sqrt(2)),
    "M/M/2": (lambda rate: mmc(rate, 2, 0.002), 1_000.0, None),
    "M/M/8": (lambda rate: mmc(rate, 8, 0.002), 4_000.0, None),
    "M/M/32": (lambda rate: mmc(rate, 32, 0.002), 16_000.0, None),
}


@pytest.mark.parametrize("name", QUEUES)
def test_the_knee_is_within_5_percent(name: str) -> None:
    response, capacity, known = QUEUES[name]
    rates = [capacity * at / 4000 for at in range(1, 4000)]
    true = known * capacity if known else max(rates, key=lambda rate: rate / response(rate))
    for seed in range(50):
        draw = random.Random(seed)
        asked = [capacity * (0.05 + 1.05 * at / (POINTS - 1)) for at in range(POINTS)]
        points = [(min(rate, capacity * 0.999), response(rate) * draw.gauss(1, 0.005)) for rate in asked]
        found = knee(points)
        assert found.rate == pytest.approx(true, rel=0.05), seed
        assert found.low < found.rate < found.high


def test_a_flat_system_has_no_knee() -> None:
    found = knee([(rate, 0.002 * (1 + 0.001 * (rate % 7))) for rate in range(1000, 9000, 1000)])
    assert (found.rate, found.high) == (None, 8000)


def test_a_knee_needs_three_rates() -> None:
    with pytest.raises(ValueError, match="three"):
        knee([(1.0, 1.0), (1.001, 1.0), (2.0, 1.0)])


def test_a_polynomial_through_its_points() -> None:
    assert polynomial([1, 2, 3, 4], [1 + x + x**3 for x in (1, 2, 3, 4)], 3) == pytest.approx([1, 1, 0, 1], abs=1e-6)

"""The knee of a curve of response time against rate, by Kleinrock's power.

The knee is the rate at which rate / mean response is the largest: where the line from the origin touches the curve. Up
to there more load brings more in throughput than it costs in response, beyond it costs more than it brings. It depends
on no axis and no scale. M/M/1 has it at half of its capacity, M/D/1 at 2 - sqrt(2) of it. Sources: L. Kleinrock, "Power
and deterministic rules of thumb", ICC 1979; R. Jain, "The Art of Computer Systems Performance Analysis", 1991, 3.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: the peak is the top of a polynomial through the points around the best one: so many on each side, and those whose
#: power is above this share of its
BESIDE = 2
NEAR = 0.6
DEGREE = 3
#: a top that is no higher than this above the last rate is none that was seen
SEEN = 0.01
GRID = 400


@dataclass(frozen=True)
class Knee:
    """The knee's rate; low, high: between these the power is within 1 % of the largest, or the curve ends.

    None for `rate`: no knee up to the highest rate, `high`.
    """

    rate: float | None
    low: float
    high: float


def knee(points: Sequence[tuple[float, float]]) -> Knee:
    """Of (rate that was reached, mean response) pairs, in any order. Raises ValueError for fewer than three."""
    merged = _merged(points)
    if len(merged) < 3:
        raise ValueError("a knee needs three rates at least")
    rates = [rate for rate, _ in merged]
    powers = [rate / response for rate, response in merged]
    best = max(range(len(powers)), key=powers.__getitem__)
    if best == len(powers) - 1:
        return Knee(None, rates[0], rates[-1])
    window = [merged[at] for at in range(len(merged)) if abs(at - best) <= BESIDE or powers[at] > NEAR * powers[best]]
    scale = window[-1][0]
    fit = polynomial([rate / scale for rate, _ in window], [1 / response for _, response in window], DEGREE)
    lowest, highest = rates[max(0, best - BESIDE)] / scale, rates[min(best + BESIDE, len(rates) - 1)] / scale
    grid = [lowest + (highest - lowest) * at / GRID for at in range(GRID + 1)]
    values = [x * sum(factor * x**power for power, factor in enumerate(fit)) for x in grid]
    top = max(range(len(values)), key=values.__getitem__)
    if values[top] * scale < powers[-1] * (1 + SEEN):
        return Knee(None, rates[0], rates[-1])
    near = [x for x, value in zip(grid, values, strict=True) if value >= 0.99 * values[top]]
    return Knee(grid[top] * scale, near[0] * scale, near[-1] * scale)


def _merged(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Rising rates; those within 1 % of each other as one, with their mean response."""
    merged: list[list[tuple[float, float]]] = []
    for point in sorted(points):
        if merged and point[0] <= merged[-1][0][0] * 1.01:
            merged[-1].append(point)
        else:
            merged.append([point])
    return [(sum(r for r, _ in one) / len(one), sum(v for _, v in one) / len(one)) for one in merged]


def polynomial(xs: Sequence[float], ys: Sequence[float], degree: int) -> list[float]:
    """Factors of the polynomial with the least squares of relative errors, the constant first.

    The degree is lower where there are few points.
    """
    size = min(degree + 1, len(xs))
    rows = [
        [math.fsum(x ** (i + j) / y**2 for x, y in zip(xs, ys, strict=True)) for j in range(size)]
        + [math.fsum(x**i / y for x, y in zip(xs, ys, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        pivot = max(range(i, size), key=lambda row: abs(rows[row][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for row in range(size):
            if row != i:
                factor = rows[row][i] / rows[i][i]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[i], strict=True)]
    return [rows[i][size] / rows[i][i] for i in range(size)]

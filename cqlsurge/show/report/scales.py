"""Axes: where a value lies on a chart, and at which values ticks stand. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis from `low` to `high`, drawn from pixel `start` to pixel `end`."""

    low: float
    high: float
    start: float
    end: float
    ticks: list[float]
    show: Callable[[float], str]
    label: str = ""
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; values beyond an end lie on it."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def linear(
    low: float, high: float, start: float, end: float, show: Callable[[float], str], label: str = "", count: int = 6
) -> Axis:
    """An axis with about `count` ticks at round values; its upper end is raised to a tick where `low` is 0."""
    high = high if high > low else low + 1
    step = _round_step((high - low) / count)
    if low == 0:
        high = math.ceil(high / step - 1e-9) * step
    first = math.ceil(low / step - 1e-9)
    ticks = [step * at for at in range(first, math.floor(high / step + 1e-9) + 1)]
    return Axis(low, high, start, end, ticks, show, label)


def logarithmic(
    low: float, high: float, start: float, end: float, show: Callable[[float], str], label: str = ""
) -> Axis:
    """An axis whose ends are lowered and raised to 1, 2 or 5 times a power of ten; ticks stand at those."""
    low = max(low, 1e-3)
    high = max(high, low * 1.01)
    marks = [factor * 10.0**power for power in range(-4, 13) for factor in (1, 2, 5)]
    low = max(mark for mark in marks if mark <= low * (1 + 1e-9))
    high = min(mark for mark in marks if mark >= high * (1 - 1e-9))
    ticks = [mark for mark in marks if low <= mark <= high]
    if len(ticks) > 8:
        ticks = [mark for mark in ticks if f"{mark:e}".startswith("1")]
    return Axis(low, high, start, end, ticks, show, label, log=True)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))

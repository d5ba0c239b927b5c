"""The statistics of a comparison, pure: Student's t, differences of two sides, means of autocorrelated series, Holm.

Nothing here knows of runs or documents. Figures come as logarithms where ratios are meant; the method as a whole, and
how often it errs, stands in docs/comparison.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist, fmean, variance

#: from here on Student's t is the normal distribution for all that is asked of it
NORMAL_DF = 1e6
#: figures are said to follow the order of the runs when that is as unlikely as this to be chance
TREND_P = 0.02
#: sides are interleaved where their middles lie no further apart than this many runs
TREND_GAP = 1.5
#: batches of a series: at least so many are left, and their means may be correlated so much
BATCHES_MIN = 6
CORRELATION_MAX = 0.1
#: a shorter series says nothing about how it varies
SERIES_MIN = 2 * BATCHES_MIN


Order = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Difference:
    """An estimated difference, its standard error and the error's degrees of freedom."""

    estimate: float
    error: float
    df: float

    def p_value(self) -> float:
        """How likely a difference as large as this is, either way, where there is none."""
        return two_sided_p(self.estimate / self.error, self.df) if self.error else float(self.estimate == 0)

    def interval(self, level: float) -> tuple[float, float]:
        """The two-sided confidence interval that is wrong with probability `level`."""
        half = t_quantile(level, self.df) * self.error
        return self.estimate - half, self.estimate + half


@dataclass(frozen=True)
class Spread:
    """What one side says: its estimate, the variance of that estimate, and the variance's degrees of freedom."""

    estimate: float
    variance: float
    df: float


def two_sided_p(t: float, df: float) -> float:
    """P(|T| >= |t|) for Student's t with df degrees of freedom."""
    if df >= NORMAL_DF:
        return 2 * NormalDist().cdf(-abs(t))
    return _beta_share(df / (df + t * t), df / 2, 0.5)


def t_quantile(level: float, df: float) -> float:
    """The t > 0 with P(|T| >= t) = level, 0 < level < 1."""
    if df >= NORMAL_DF:
        return -NormalDist().inv_cdf(level / 2)
    low, high = 0.0, 1.0
    while two_sided_p(high, df) > level:
        low, high = high, high * 2
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, df) > level else (low, middle)
    return high


def _beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the continued fraction converges fast below this point only
        return 1 - _beta_share(1 - x, b, a)
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return scale * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            step = c * d
            value *= step
        if abs(step - 1) < 1e-14:
            break
    return value


def spread_of(whole: float, each: Sequence[float], without: Sequence[float]) -> Spread:
    """The spread of a figure of two or more runs together, from that figure of each run and of all but one.

    The jackknife knows how a merged percentile hangs on single runs, but sees nothing where values come in steps; the
    runs alone see those. The greater of both variances is believed.
    """
    count = len(each)
    pseudo = [count * whole - (count - 1) * one for one in without]
    return Spread(whole, max(variance(each), variance(pseudo)) / count, count - 1)


def difference(base: Spread, candidate: Spread, floor: float = 0.0) -> Difference:
    """Welch's: each side has its own variance. `floor`: the least standard error that is believed."""
    total = base.variance + candidate.variance
    parts = sum(one.variance**2 / one.df for one in (base, candidate))
    df = total * total / parts if parts else NORMAL_DF
    return Difference(candidate.estimate - base.estimate, math.hypot(math.sqrt(total), floor), df)


def borrowed(single: float, spread: Spread, runs: int) -> Spread:
    """The spread of a side of one run, if it varies from run to run as the other side does."""
    return Spread(single, spread.variance * runs, spread.df)


def interleaved(order: Order) -> bool:
    """Whether the runs of both sides were made in turn; `order` has the place of each run among all."""
    return abs(fmean(order[0]) - fmean(order[1])) <= TREND_GAP


def with_trend(base: Sequence[float], candidate: Sequence[float], order: Order) -> Difference | None:
    """The difference where figures follow the order of the runs; None where they do not clearly.

    Interleaved sides: a linear trend is taken out; not knowing it exactly adds to the error and takes a degree of
    freedom. One side after the other: the trend may be all of the difference, and so what it comes to adds to the
    error. The sides' own variances stay apart. For three runs a side at least.
    """
    total = len(base) + len(candidate)
    if min(len(base), len(candidate)) < 3:
        return None
    middles, means = [fmean(places) for places in order], [fmean(base), fmean(candidate)]
    x = [[place - middle for place in places] for places, middle in zip(order, middles, strict=True)]
    y = [[value - mean for value in values] for values, mean in zip((base, candidate), means, strict=True)]
    sum_xx = sum(one * one for side in x for one in side)
    slope = sum(a * b for side in zip(x, y, strict=True) for a, b in zip(*side, strict=True)) / sum_xx
    rest = [[b - slope * a for a, b in zip(*side, strict=True)] for side in zip(x, y, strict=True)]
    residual = sum(one * one for side in rest for one in side) / (total - 3)
    if not slope or (residual and two_sided_p(slope / math.sqrt(residual / sum_xx), total - 3) >= TREND_P):
        return None
    gap, left = middles[1] - middles[0], (total - 3) / (total - 2)
    if not interleaved(order):
        plain = [Spread(mean, variance(side) / len(side), len(side) - 1) for mean, side in zip(means, y, strict=True)]
        return difference(plain[0], plain[1], slope * gap)
    spreads = [Spread(0.0, variance(side) / len(side) / left, len(side) - 1) for side in rest]
    found = difference(spreads[0], spreads[1], math.sqrt(residual / sum_xx) * abs(gap))
    return Difference(means[1] - means[0] - slope * gap, found.error, found.df * left)


def series_spread(series: Sequence[float]) -> Spread | None:
    """The mean of an autocorrelated series and its variance, by batch means; None for fewer than twelve values.

    Batches double in length until their means are hardly correlated or few are left; what correlation remains widens
    the variance and takes degrees of freedom, and the widest variance found on the way is believed.
    """
    if len(series) < SERIES_MIN:
        return None
    middle = fmean(series)
    widest, size = Spread(middle, 0.0, len(series) - 1), 1
    while (count := len(series) // size) >= BATCHES_MIN:
        first = len(series) - count * size  # an incomplete batch is left out, at the start, where a run still settles
        batches = [fmean(series[first + i * size : first + (i + 1) * size]) for i in range(count)]
        correlation = _lag_one(batches)
        inflation = (1 + correlation) / (1 - correlation) if correlation > 0 else 1.0
        found = Spread(middle, variance(batches) / count * inflation, max(1.0, (count - 1) / inflation))
        widest = max(widest, found, key=lambda spread: spread.variance)
        if correlation <= CORRELATION_MAX:
            break
        size *= 2
    return widest


def _lag_one(values: Sequence[float]) -> float:
    """Correlation of neighbours, corrected for the bias of short series, at most 0.9."""
    middle = fmean(values)
    power = sum((value - middle) ** 2 for value in values)
    if not power:
        return 0.0
    shared = sum((a - middle) * (b - middle) for a, b in pairwise(values))
    return min(0.9, shared / power + 1 / len(values))


def holm(p_values: Sequence[float], weights: Sequence[float], level: float) -> list[tuple[bool, float]]:
    """Holm's step-down test with weights: for each p-value whether it counts, and the level it was held against.

    At most a share `level` of families in which nothing differs have any that counts, however they depend.
    """
    left = set(range(len(p_values)))
    result = [(False, 0.0)] * len(p_values)
    while left:
        total = sum(weights[i] for i in left)
        best = min(left, key=lambda i: p_values[i] / weights[i])
        at = level * weights[best] / total
        if p_values[best] > at:
            for i in left:
                result[i] = (False, level * weights[i] / total)
            break
        result[best] = (True, at)
        left.remove(best)
    return result

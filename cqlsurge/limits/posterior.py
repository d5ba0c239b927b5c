"""What steps say of the limit: a posterior over the limit and how sharply the system breaks there, on a grid.

The share of operations over the goal is taken to be a logistic curve of the logarithm of the rate, which passes the
goal's share at the limit. That is what the tail of a queue does near its limit (M/M/1: ln share = -(mu - rate) * T),
and what psychometrics fits where a threshold is sought. Away from the limit nothing hangs on the curve: a step that was
decided counts as lying at least so far on its side of the goal, only doubtful ones as lying where they were seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cqlsurge.limits.steps import FAILED, HELD, Evidence

POINTS = 90
#: d ln(share) / d ln(rate) at the limit: from hardly any to a wall
SHARPNESS = tuple(2.0 * 1.8**k for k in range(13))
#: so far from the goal, as a logarithm of odds, nothing hangs on how far: a queue without end has no steady share
FAR_ABOVE, FAR_BELOW = 2.3, -3.0
#: so near to it a long step tells how far it is
NEAR = 1.0
#: likelihoods are tabulated by distance from the goal in log odds: so many a unit, up to 12 units each way
FINE = 10
MIDDLE = 12 * FINE
LAST = 2 * MIDDLE
#: one step can speak so strongly against a curve, not more: systems drift, steps err
STRONGEST = 12.0
#: how far from the capacity seen the limit may be: mostly this share below
BELOW_CAPACITY = 0.05
#: how well that capacity is known
CAPACITY_ERROR = 0.015


@dataclass(frozen=True)
class Trial:
    """What one step at `rate` showed of the goal.

    strongest: how much it may weigh, as a logarithm of odds. whole: it was not ended because of what it showed.
    """

    rate: float
    evidence: Evidence
    strongest: float = STRONGEST
    whole: bool = False


@dataclass(frozen=True)
class Posterior:
    """Rates in rising order with their probabilities; `sharpness`: the mean of its logarithm, as a number."""

    rates: Sequence[float]
    weights: Sequence[float]
    sharpness: float

    def quantile(self, share: float) -> float:
        """The rate below which the limit lies with this probability."""
        seen = 0.0
        for at, weight in enumerate(self.weights):
            if seen + weight >= share:
                part = (share - seen) / weight if weight else 0.0
                below = self.rates[at - 1] if at else self.rates[0]
                return below + (self.rates[at] - below) * part
            seen += weight
        return self.rates[-1]


def posterior(trials: Sequence[Trial], lowest: float, highest: float, capacity: float | None = None) -> Posterior:
    """Of the limit between two rates. Twice: the second grid lies where the first has found something."""
    rough = _on_grid(trials, lowest, highest, capacity)
    low, high = rough.quantile(0.0005), rough.quantile(0.9995)
    margin = (high / low) ** 0.1 * 1.002
    return _on_grid(trials, max(lowest, low / margin), min(highest, high * margin), capacity)


def _on_grid(trials: Sequence[Trial], lowest: float, highest: float, capacity: float | None) -> Posterior:
    ratio = math.log(max(highest / lowest, 1.0001))
    rates = [lowest * math.exp(ratio * at / (POINTS - 1)) for at in range(POINTS)]
    trials = [trial for trial in trials if lowest / 1.1 < trial.rate < highest * 1.3]  # others are told by the range
    priors = [_log_prior(rate, capacity) for rate in rates]
    logs = [[prior] * len(SHARPNESS) for prior in priors]
    for trial in trials:
        table = _log_likelihoods(trial.evidence, trial.strongest, trial.whole)
        for rate, row in zip(rates, logs, strict=True):
            distance = math.log(trial.rate / rate) * FINE
            for at, sharp in enumerate(SHARPNESS):
                place = int(sharp * distance + MIDDLE)
                row[at] += table[place if 0 <= place <= LAST else LAST if place > 0 else 0]
    highest_log = max(max(row) for row in logs)
    rows = [[math.exp(value - highest_log) for value in row] for row in logs]
    total = sum(sum(row) for row in rows)
    by_sharp = [sum(row[at] for row in rows) / total for at in range(len(SHARPNESS))]
    sharpness = math.exp(sum(math.log(s) * w for s, w in zip(SHARPNESS, by_sharp, strict=True)))
    return Posterior(rates, [sum(row) / total for row in rows], sharpness)


def _log_prior(rate: float, capacity: float | None) -> float:
    """All rates alike, but where a capacity was seen: mostly a little below it, hardly ever above."""
    if capacity is None:
        return 0.0
    if rate > capacity:
        return -((rate / capacity - 1) ** 2) / (2 * CAPACITY_ERROR**2)
    return math.log(0.2 + 0.8 * math.exp(-(1 - rate / capacity) / BELOW_CAPACITY))


@lru_cache(maxsize=512)
def _log_likelihoods(one: Evidence, strongest: float, whole: bool) -> list[float]:
    """Of a step's counts, for operations fewer by the dispersion, by how far the true share is from the goal.

    That distance is in log odds, FINE steps a unit, the goal at MIDDLE; 0 is the best that any distance gets.
    """
    if not one.of:
        return [0.0] * (LAST + 1)
    goal = math.log(one.share / (1 - one.share))
    beyond = one.errors_from_goal
    seen = min(max(one.observed, _share(goal + FAR_BELOW)), _share(goal + FAR_ABOVE))
    far = abs(math.log(seen / (1 - seen)) - goal) > NEAR
    decided = far if whole else beyond > FAILED or beyond < HELD
    if decided:
        # A step that ends once it is decided often does at an extreme, and bursts are rare: half of the way is sure.
        seen = _share((goal + math.log(seen / (1 - seen))) / 2)
    many = one.of / one.dispersion
    table = []
    for place in range(LAST + 1):
        share = _share(goal + (place - MIDDLE) / FINE)
        if decided and (share > seen) == (beyond > 0):
            table.append(0.0)
        else:
            distance = seen * math.log(share / seen) + (1 - seen) * math.log((1 - share) / (1 - seen))
            table.append(max(many * distance, -strongest))
    return table


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-min(30.0, max(-30.0, log_odds))))

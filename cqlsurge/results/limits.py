"""Limits on a comparison, for CI: `p99 > +5%`, `throughput < -3%`, `errors > +0.1%`.

The rule: a limit is broken only if the interval says so, that is if the change is beyond the limit with a confidence
of 95%, one-sided, over all limits together. What cannot be judged breaks no limit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cqlsurge.errors import UsageError
from cqlsurge.results.compare import LEVEL, Comparison
from cqlsurge.results.statistics import Difference

_LIMIT = re.compile(r"\s*([a-z][a-z0-9_.]*)\s*([<>])\s*([+-]?)([0-9]+(?:\.[0-9]+)?)\s*%\s*\Z")


@dataclass(frozen=True)
class Limit:
    """A change that is too much. `change`: 0.05 is 5% more than base; for `errors` a difference of shares."""

    text: str
    metric: str
    above: bool
    change: float


@dataclass(frozen=True)
class Outcome:
    """What came of a limit."""

    limit: Limit
    broken: bool
    text: str


def parse_limit(text: str) -> Limit:
    """A limit from its text. Raises UsageError."""
    match = _LIMIT.match(text)
    if match is None:
        raise UsageError(f"--fail-if {text!r} is not understood: write it as 'p99 > +5%' or 'throughput < -3%'")
    metric, side, sign, number = match.groups()
    change = float(number) / 100 * (-1 if sign == "-" else 1)
    if change <= -1:
        raise UsageError(f"--fail-if {text!r}: nothing falls by 100% or more")
    return Limit(text.strip(), metric, side == ">", change)


def check_limits(comparison: Comparison, limits: Sequence[Limit]) -> list[Outcome]:
    """What came of each limit. Raises UsageError for a metric that the comparison has not."""
    return [_check(comparison, limit, LEVEL / len(limits)) for limit in limits]


def _check(comparison: Comparison, limit: Limit, level: float) -> Outcome:
    finding = comparison[limit.metric]
    if finding.difference is None:
        return Outcome(limit, False, f"{limit.text}: not judged, {finding.note}")
    bound = limit.change if finding.unit == "share" else math.log1p(limit.change)
    found = finding.difference
    distance = (found.estimate - bound) * (1 if limit.above else -1)
    p_value = Difference(distance, found.error, found.df).p_value() / 2  # one-sided
    broken = distance > 0 and p_value < level
    points = " points" if finding.unit == "share" else ""
    saw = f"{finding.change * 100:+.2f}%{points} seen"
    if broken:
        return Outcome(limit, True, f"{limit.text}: broken, {saw}")
    why = "beyond the limit, but that may be chance" if distance > 0 else "within the limit"
    return Outcome(limit, False, f"{limit.text}: kept, {saw}, {why}")

"""Goals of a search, `p99 < 10ms, errors < 0.1%`: each as the largest share of operations that may break it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cqlsurge.units import parse_duration_s, parse_share

EXAMPLE = '"p99 < 10ms, errors < 0.1%"'
_PERCENTILE = re.compile(
    r"(?:(?P<kind>[a-z_][a-z0-9_-]*)\s+)?p(?P<percentile>\d+(?:[._]\d+)?)\s*<=?\s*(?P<limit>\S+)\Z"
)
_ERRORS = re.compile(r"errors\s*<=?\s*(?P<share>\S+)\Z")


@dataclass(frozen=True)
class SloGoal:
    """`share`: of the operations, how many may break it. `limit_us`: longer responses do; None: errors do.

    `kind`: of which operations; None is all of them. An operation that failed breaks each goal.
    """

    text: str
    share: float
    limit_us: float | None = None
    kind: str | None = None


def parse_slo(text: str) -> list[SloGoal]:
    """All goals of an --slo. Raises ValueError with the form."""
    goals = [_goal(part.strip()) for part in text.split(",") if part.strip()]
    if not any(goal.limit_us is not None for goal in goals):
        raise ValueError(f"{text!r} has no goal for a latency: write it as {EXAMPLE}")
    return goals


def _goal(text: str) -> SloGoal:
    if found := _PERCENTILE.match(text):
        percentile = float(found["percentile"].replace("_", "."))
        if not 0 < percentile < 100:
            raise ValueError(f"{text!r}: a percentile is above 0 and below 100, as in {EXAMPLE}")
        try:
            limit_us = round(parse_duration_s(found["limit"]) * 1e6, 3)
        except ValueError:
            limit_us = 0.0
        if limit_us <= 0 or found["limit"][-1].isdigit():
            raise ValueError(f"{text!r}: give the limit with its unit, as in {EXAMPLE}")
        return SloGoal(text, round(1 - percentile / 100, 9), limit_us, found["kind"])
    if found := _ERRORS.match(text):
        share = parse_share(found["share"])
        if not 0 < share < 1:
            raise ValueError(f"{text!r}: a share of errors is above 0 and below 1, as in {EXAMPLE}")
        return SloGoal(text, share)
    raise ValueError(f"{text!r} is no goal: write percentiles and errors as in {EXAMPLE}")

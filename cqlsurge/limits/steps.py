"""A step of load at one asked rate, and when its seconds have decided whether it holds its goals.

Operations come in clusters: where one waits too long, so do its neighbours. Shares are therefore judged with a
dispersion, the variance of a second's count over that of independent operations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cqlsurge.limits.goals import SloGoal

#: the first second of a step only fills queues and caches
SETTLE = 1
#: clusters a second that operations over the goal are taken to come in until seconds tell better
CLUSTERS_S = 0.5
#: seconds that the dispersion assumed before counts for
PRIOR_SECONDS = 4
#: standard errors from the goal at which a step is decided; it is looked at each second, so more than for one look
FAILED, HELD = 3.0, -1.8
SECONDS_MIN = 3
#: operations waiting that grow so much, as a share of the rate, are a queue that does not end
OVERLOAD = 0.05


@dataclass(frozen=True)
class Second:
    """What one second of a step showed. `over`: by goal, of the `of` operations that ended how many broke it.

    `due`, `ended`: operations that became due, that ended. `waiting`: due and not ended, at the end of the second.
    """

    span_s: float
    due: int
    ended: int
    waiting: int
    of: tuple[int, ...]
    over: tuple[int, ...]


@dataclass
class Step:
    """One step and what it has shown so far. `limit_s`: it ends then. `began_s`: within the search.

    `bound_by`: what bound it where it failed, as a run's verdict has it; set from outside.
    """

    rate: float
    limit_s: float
    goals: Sequence[SloGoal]
    purpose: str = "short"
    began_s: float = 0.0
    seconds: list[Second] = field(default_factory=list)
    elapsed_s: float = 0.0
    bound_by: str = ""
    state: str = "running"  # then held, failed or doubtful

    def add(self, second: Second) -> None:
        """Takes a second; `state` may change."""
        self.seconds.append(second)
        self.elapsed_s += second.span_s

    @property
    def counted(self) -> list[Second]:
        """The seconds that count: all but the first, where there are others."""
        return self.seconds[SETTLE:] if len(self.seconds) > SETTLE else self.seconds

    @property
    def whole(self) -> bool:
        """Whether it is a long step that went on to its end."""
        return self.purpose == "hold" and self.elapsed_s >= 0.9 * self.limit_s

    def evidence(self, goal: int, dispersion: float | None = None) -> Evidence:
        """Counts for one goal. Operations that wait longer than it allows break it already."""
        rows = self.counted
        of = sum(row.of[goal] for row in rows)
        over = sum(row.over[goal] for row in rows)
        limit_us = self.goals[goal].limit_us
        late = 0.0
        if rows and limit_us is not None:
            due_s = rows[-1].due / max(rows[-1].span_s, 1e-9)
            # No more than these can be waiting for less than the limit; a third more, since load comes unevenly.
            late = max(0.0, rows[-1].waiting - 1.34 * due_s * limit_us / 1e6 - 10)
        share = self.goals[goal].share
        own = dispersion_of([(row.of[goal], row.over[goal]) for row in rows])
        assumed = dispersion or 1 + share * self.rate / CLUSTERS_S
        weight = max(0, len(rows) - 1)
        blended = (weight * own + PRIOR_SECONDS * assumed) / (weight + PRIOR_SECONDS)
        return Evidence(of + late, over + late, share, max(1.0, blended), own)

    @property
    def worst(self) -> int:
        """The goal that is nearest to being broken, or furthest beyond."""
        found = [self.evidence(at) for at in range(len(self.goals))]
        return max(range(len(found)), key=lambda at: found[at].observed / found[at].share)

    @property
    def capacity(self) -> float | None:
        """Operations ended a second while more and more waited: what it does at most. None: it kept up, or stood."""
        rows = self.seconds
        busy = [
            row
            for before, row in pairwise(rows)
            if row.waiting > before.waiting and before.waiting > OVERLOAD * self.rate
        ]
        ended = sum(row.ended for row in busy)
        return ended / sum(row.span_s for row in busy) if ended else None

    @property
    def observed(self) -> float:
        """The share over the goal that is nearest to being broken."""
        return self.evidence(self.worst).observed


@dataclass(frozen=True)
class Evidence:
    """`over` of `of` operations broke a goal that allows `share`; `dispersion` as the module's text has it."""

    of: float
    over: float
    share: float
    dispersion: float
    own: float = 1.0

    @property
    def observed(self) -> float:
        """The share that broke the goal."""
        return self.over / self.of if self.of else 0.0

    @property
    def errors_from_goal(self) -> float:
        """How many standard errors beyond the goal what was seen is; negative: within it."""
        expected = self.of * self.share
        return (self.over - expected) / math.sqrt(self.dispersion * max(expected, 1e-9)) if self.of else 0.0


def dispersion_of(counts: Sequence[tuple[int, int]]) -> float:
    """Variance of the seconds' counts over that of independent operations, 1 at least; neighbours' likeness counted."""
    of, over = sum(n for n, _ in counts), sum(x for _, x in counts)
    if len(counts) < 3 or not over or over >= of:
        return 1.0
    share = over / of
    rests = [(x - n * share) / math.sqrt(max(n * share * (1 - share), 1e-9)) for n, x in counts if n]
    if len(rests) < 3:
        return 1.0
    variance = sum(rest * rest for rest in rests) / (len(rests) - 1)
    if len(rests) >= 8 and variance > 0:
        likeness = sum(a * b for a, b in pairwise(rests)) / (len(rests) - 1) / variance
        likeness = min(0.33, max(0.0, likeness))
        variance *= (1 + likeness) / (1 - likeness)
    return max(1.0, variance)


def decide(step: Step, dispersion: float | None, planned_s: float | None = None) -> str:
    """What the seconds say of a step: held, failed, or still running. `planned_s`: it may not be held before.

    With `planned_s` it has failed, too, once it could not hold even if nothing more broke the goal.
    """
    rows = step.counted
    if len(step.seconds) < SECONDS_MIN:
        return "running"
    found = [step.evidence(at, dispersion) for at in range(len(step.goals))]
    for one in found:
        sure = planned_s is None or one.over > one.share * step.rate * planned_s or one.observed > 0.5
        if sure and one.errors_from_goal > FAILED and one.over > 10:
            return "failed"
    enough = planned_s is None and len(rows) >= SECONDS_MIN
    if enough and all(one.errors_from_goal < HELD for one in found):
        return "held"
    return "running"

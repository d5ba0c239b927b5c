"""The search for the highest rate that holds the goals: which step comes next, when it is decided, what it all says.

1. A climb: rates that double every two seconds until one breaks, which brackets the limit and shows the capacity.
2. Steps at the middle of what is known (posterior.py), each for as long as it is in doubt.
3. A long step (`hold_s`) at the rate that would be the answer. It returns to a rate that was held before, so that
   what is otherwise by then is drift: from then on only long steps say that a rate holds.
4. Where there is time, a long step higher up, as long as the interval is wide.

The answer is the highest rate that was held for long, with the 95 % interval of the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cqlsurge.limits.goals import SloGoal
from cqlsurge.limits.posterior import STRONGEST, Posterior, Trial, posterior
from cqlsurge.limits.steps import CLUSTERS_S, SECONDS_MIN, SETTLE, Second, Step, decide

CLIMB_RUNG_S = 2
CLIMB = 2.0
#: an ordinary step's time: at most this
STEP_S = 15.0
#: start and end of a step
BESIDE_S = 1.0
#: a long step is worth beginning when so much of it is left
SHORTEST_HOLD = 0.8
#: short steps are made while more than this share of the time is left
SHORT_UNTIL = 0.7
SHORT_STEPS = 5
#: no limit is known better: bursts that come once in some minutes may have been missed
FINEST = 0.006
#: seconds that the dispersion assumed counts for beside what steps have shown: bursts are rare, so it shows late
PRIOR_S = 10
#: how much a short step may say (see posterior.STRONGEST) where the system was seen to drift
WHILE_DRIFTING = 1.0
#: the climb may have broken by chance, where nothing was warm yet
ABOVE_CLIMB = 3.0
#: and one of the climb: two seconds, the first of them all
WHILE_CLIMBING = 3.0


@dataclass
class Bounds:
    """How far a search may go."""

    max_time_s: float = 300.0
    max_steps: int = 12
    precision: float = 0.03
    hold_s: float = 60.0
    first_rate: float = 500.0
    max_rate: float = 2e6


@dataclass
class Answer:
    """What a search has found so far. Rates in operations per second.

    rate: the highest that was held, None where none was. low, high: 95 % interval of the limit; high None: no limit
    was met. state: found, bracket (ended before the interval was as narrow as asked), none (even the lowest rate
    broke), unlimited (held up to the highest rate asked). drift: what was not the same twice, in words.
    """

    state: str
    rate: float | None
    low: float
    high: float | None
    confirmed: bool
    bound_by: str
    drift: list[str] = field(default_factory=list)
    sharpness: float | None = None
    limit: float | None = None


class Search:
    """See the module's text. `next_step`, then `add` each of its seconds until it says so, then `end_step`; again."""

    def __init__(self, goals: Sequence[SloGoal], bounds: Bounds) -> None:
        self.goals, self.bounds = list(goals), bounds
        self.steps: list[Step] = []
        self.climb: list[Step] = []
        self.drift: list[str] = []
        self.elapsed_s = 0.0
        self.capacity: float | None = None
        self._client_limit: float | None = None
        self._done = False

    # -- what comes next

    def next_step(self) -> Step | None:
        """The next step to make; None when the search is over. The first is the climb (`climb_rates`)."""
        if not self.climb and not self.steps:
            return self._begin(Step(self.bounds.first_rate, self.climb_s, self.goals, "climb"))
        left_s = self.bounds.max_time_s - self.elapsed_s
        if self._done or len(self.steps) + 1 >= self.bounds.max_steps or left_s < 4:
            return None
        plan = self._plan(left_s)
        return None if plan is None else self._begin(plan)

    @property
    def climb_rates(self) -> list[float]:
        """The rates of the climb, each for CLIMB_RUNG_S."""
        rates = [self.bounds.first_rate]
        while rates[-1] * CLIMB < self.bounds.max_rate:
            rates.append(rates[-1] * CLIMB)
        return [*rates, self.bounds.max_rate] if rates[-1] < self.bounds.max_rate else rates

    @property
    def climb_s(self) -> float:
        """How long the climb takes at most."""
        return float(len(self.climb_rates) * CLIMB_RUNG_S)

    @property
    def hold_s(self) -> float:
        """How long a long step is: there must be time for some."""
        return min(self.bounds.hold_s, self.bounds.max_time_s / 5)

    def _begin(self, step: Step) -> Step:
        step.began_s = self.elapsed_s
        self.current = step
        return step

    def _plan(self, left_s: float) -> Step | None:
        known = self.known()
        low, high = known.quantile(0.025), known.quantile(0.975)
        hold_s = self.hold_s
        short = [step for step in self.steps if step.purpose == "short"]
        quick = (
            high / low - 1 > self.bounds.precision
            and not self._long()
            and len(short) < SHORT_STEPS
            and left_s > SHORT_UNTIL * self.bounds.max_time_s
        )
        if quick:
            return Step(known.quantile(0.5), min(STEP_S, max(SECONDS_MIN + 1.0, left_s - hold_s)), self.goals)
        if left_s < hold_s * SHORTEST_HOLD + BESIDE_S:
            return None
        aim = self._hold_rate(known, low, high)
        return None if aim is None else Step(aim, min(hold_s, left_s - BESIDE_S), self.goals, "hold")

    def _hold_rate(self, known: Posterior, low: float, high: float) -> float | None:
        """The rate of the next long step; None where none is needed.

        First a rate that ought to hold, one that was held before where that is near. Then higher ones: what broke there
        in a short step may have been chance.
        """
        room = 1 + self.bounds.precision
        held = self._held_long()
        failed = [step.rate for step in self._long() if step.state == "failed"]
        if held is None:
            aim = min([max(known.quantile(0.25), known.quantile(0.5) / (1 + self.bounds.precision / 3)), *failed])
            if failed and aim > min(failed) * 0.995:
                aim = min(failed) * 0.99
            near = [step.rate for step in self.steps if step.state == "held" and aim / 1.01 < step.rate < aim * 1.005]
            return max((rate for rate in near if rate not in failed), default=aim)
        above = min((rate for rate in failed if rate > held), default=high)
        if above <= held * room and high <= held * room**2 and failed:
            return None
        if high <= held * (1 + self.bounds.precision / 2) and failed:
            return None
        return min(max(known.quantile(0.5), held * (1 + self.bounds.precision / 2)), above * 0.998 if failed else above)

    def _long(self) -> list[Step]:
        return [step for step in self.steps if step.purpose == "hold"]

    # -- while a step goes on

    def add(self, second: Second) -> bool:
        """Takes a second of the current step; whether it is decided and ought to end."""
        step = self.current
        step.add(second)
        if step.purpose == "climb":
            return self._climb_is_over()
        planned_s = step.limit_s if step.purpose == "hold" else None
        step.state = decide(step, self._dispersion(step.rate), planned_s)
        return step.state != "running"

    def _climb_is_over(self) -> bool:
        """After two seconds beside each other that break a goal, the first of all aside."""
        last = self.current.seconds[SETTLE:][-2:]
        return len(last) == 2 and all(self._breaks(second) for second in last)

    def _breaks(self, second: Second) -> bool:
        for at, goal in enumerate(self.goals):
            if second.over[at] > max(3.0, 3 * goal.share * second.of[at]):
                return True
            limit_s = (goal.limit_us or 0.0) / 1e6
            if goal.limit_us is not None and second.waiting > 1.5 * second.due * limit_s + 50:
                return True
        return False

    def end_step(self, wall_s: float, bound_by: str = "") -> None:
        """The step has ended, after so much time with what goes beside it. `bound_by`: as a run's verdict has it."""
        step = self.current
        self.elapsed_s += wall_s
        step.bound_by = bound_by
        if step.purpose == "climb":
            self._end_climb(step)
            return
        if step.state == "running":
            within = all(step.evidence(at).observed <= goal.share for at, goal in enumerate(self.goals))
            step.state = ("held" if within else "failed") if step.whole else "doubtful"
        self.steps.append(step)
        self._note_capacity(step)
        if step.state == "failed" and bound_by == "client":
            self._client_limit = min(step.rate, self._client_limit or step.rate)
        self._look_for_drift(step)

    def _end_climb(self, climb: Step) -> None:
        """Takes the climb apart: a short step for each rate."""
        broke = self._climb_is_over() if climb.seconds else False
        climb.state = "failed" if broke else "held"
        for at, rate in enumerate(self.climb_rates):
            rows = climb.seconds[at * CLIMB_RUNG_S : (at + 1) * CLIMB_RUNG_S]
            if rows:
                rung = Step(rate, CLIMB_RUNG_S, self.goals, "climb", climb.began_s + at * CLIMB_RUNG_S)
                for row in rows:
                    rung.add(row)
                self.climb.append(rung)
        self.climb_broke = broke
        self.climb_bound_by = climb.bound_by
        if self.climb:
            top = self.climb[-1]
            top.state = "failed" if broke else "held"
            self._note_capacity(top)
            if broke and climb.bound_by == "client":
                self._client_limit = top.rate

    def _note_capacity(self, step: Step) -> None:
        """The latest word on what the system does at most, unless more was held."""
        capacity = step.capacity
        if capacity is not None and capacity < 0.985 * step.rate:
            self.capacity = capacity
        if step.state == "held" and self.capacity is not None and step.rate > self.capacity * 1.01:
            self.capacity = None

    # -- what is known

    def _dispersion(self, rate: float) -> float:
        """The dispersion near the goal at this rate: what is assumed, bettered by steps that were there."""
        assumed = 1 + self.goals[0].share * rate / CLUSTERS_S
        total, seconds = PRIOR_S * assumed, float(PRIOR_S)
        for step in self.steps:
            one = step.evidence(step.worst)
            if one.over >= 30 and 0.2 < one.observed / one.share < 5:
                total += len(step.counted) * min(one.own, 2 * assumed) * rate / step.rate
                seconds += len(step.counted)
        return total / seconds

    def known(self) -> Posterior:
        """The posterior of the limit from all that has been seen."""
        goal = self._goal()
        trials = [
            Trial(step.rate, step.evidence(goal, self._dispersion(step.rate)), self._weight(step), step.whole)
            for step in [*self.climb, *self.steps]
        ]
        lowest, highest = self._range()
        return posterior(trials, lowest, highest, self.capacity)

    def _goal(self) -> int:
        """The goal that breaks first: the worst of the lowest step that failed."""
        failed = [step for step in [*self.steps, *self.climb[-1:]] if step.state == "failed"]
        return min(failed, key=lambda step: step.rate).worst if failed else 0

    def _weight(self, step: Step) -> float:
        """How much a step may say. Where the system drifts a short one says little of what holds for long."""
        if step.purpose == "hold":
            return STRONGEST
        if step.purpose == "climb":
            return WHILE_CLIMBING
        failed = [one.rate for one in self._long() if one.state == "failed"]
        if not self.drift and not (step.state == "held" and failed and step.rate >= min(failed)):
            return STRONGEST
        worst = step.evidence(step.worst)
        lasting = worst.over > worst.share * step.rate * self.hold_s
        return STRONGEST if step.state == "failed" and lasting else WHILE_DRIFTING

    def _range(self) -> tuple[float, float]:
        failed = [step.rate for step in self.steps if step.state == "failed"]
        top = self.climb[-1].rate if self.climb else self.bounds.first_rate
        highest = max([top * ABOVE_CLIMB, *failed]) * 1.02
        held = [step.rate for step in self.steps if step.state == "held" and step.purpose == "hold"]
        floor = [step.rate / CLIMB for step in self.climb[:-1]]
        lowest = max(floor, default=self.bounds.first_rate / 8)
        lowest = min([lowest, *(rate / 4 for rate in failed), *(rate / 2 for rate in held)])
        return lowest, highest

    def _held_long(self) -> float | None:
        """The highest rate that was held for long and at which no other long step failed."""
        held = [step.rate for step in self.steps if step.purpose == "hold" and step.state == "held"]
        return max(held, default=None)

    def _look_for_drift(self, step: Step) -> None:
        """Says when the same rate, or a lower one, does now what it did not do before."""
        for other in self.steps[:-1]:
            upper, lower = (other, step) if other.rate >= step.rate else (step, other)
            if upper.state != "held" or lower.state != "failed":
                continue
            one, two = lower.evidence(lower.worst), upper.evidence(lower.worst)
            apart = one.errors_from_goal - two.errors_from_goal
            if apart > 6 and one.observed > 3 * one.share:
                first, then = sorted((upper, lower), key=lambda each: each.began_s)
                self.drift.append(
                    f"{first.rate:,.0f}/s {first.state} at {first.began_s:.0f} s, "
                    f"{then.rate:,.0f}/s {then.state} at {then.began_s:.0f} s"
                )
                return

    def answer(self) -> Answer:
        """What is known, at any time."""
        if not self.climb:
            return Answer("none", None, 0.0, None, False, "")
        if not self.climb_broke and not any(step.state == "failed" for step in self.steps):
            top = self.climb[-1].rate
            return Answer("unlimited", top, top, None, False, self.climb_bound_by)
        known = self.known()
        low, high = known.quantile(0.025), known.quantile(0.975)
        tried = [*self.climb, *self.steps]
        if not any(step.observed <= step.goals[step.worst].share for step in tried):
            lowest = min(step.rate for step in tried)
            return Answer("none", None, 0.0, lowest, False, self._bound_by(), self.drift)
        held = self._held_long()
        # A lower rate was held, but what is known says that there is more: then that is the answer, though not tried.
        likely = min(known.quantile(0.2), known.quantile(0.5) / (1 + self.bounds.precision / 1.5))
        confirmed = held is not None and held >= likely
        failed = [step.rate for step in self._long() if step.state == "failed"]
        rate = held if held is not None and confirmed else min([known.quantile(0.4), *failed])
        low, high = min(low, rate * (1 - FINEST)), max(high, rate * (1 + FINEST))
        state = "found" if confirmed and high / low - 1 <= 3 * self.bounds.precision else "bracket"
        return Answer(
            state, rate, low, high, confirmed, self._bound_by(high),
            self.drift, known.sharpness, max(rate, known.quantile(0.5)),
        )  # fmt: skip

    def _bound_by(self, high: float = 0.0) -> str:
        """What bound the step that failed last; the client, where it was at its limit below what may be the limit."""
        if self._client_limit is not None and self._client_limit <= high * 1.1:
            return "client"
        return next((step.bound_by for step in reversed(self.steps) if step.state == "failed"), self.climb_bound_by)

"""`curve`: response times from idle to beyond saturation and back, on one prepared database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from cqlsurge.errors import RunError, UsageError
from cqlsurge.results.curve import build, knee_of, point_of, side
from cqlsurge.results.document import Document
from cqlsurge.results.listener import Listener
from cqlsurge.runs.find import WARMUP_CONCURRENCY, WARMUP_OWN_S, WARMUP_S, cause, settings_of
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.steps import Made, Steps, open_steps, shared_database
from cqlsurge.settings import Settings

#: the lowest and the highest rate, as shares of the closed load's maximum
IDLE, BEYOND = 0.05, 1.15
#: beside the knee that was seen, to see it better
BESIDE_KNEE = (0.85, 1.15)
#: each step begins with so much time that does not count
STEP_WARMUP_S = 1.0
#: in flight in each process: of the closed load, and at most of a step that asks for more than there is
CLOSED_IN_FLIGHT = 64
OPEN_IN_FLIGHT = 1024
#: every other rate is visited again on the way back
BACK = 2


@dataclass(frozen=True)
class CurvePlan:
    """points: rates on the way up; step_s: of each; rates: instead of shares of the closed load's maximum."""

    points: int = 8
    step_s: float = 10.0
    rates: tuple[float, ...] = ()


def curve(
    sides: Sequence[tuple[str, Settings]],
    plan: CurvePlan | None = None,
    listener: Listener | None = None,
    interrupts: Interrupts | None = None,
    tell: Callable[[str, dict[str, Any]], object] = lambda name, point: None,
) -> Document:
    """The curves of all sides, (name, settings) each, at the same rates, those of the first side's maximum.

    `tell` gets the side's name and each point. Interrupted, the document has what was measured. Raises UsageError for
    settings that cannot be, and other CqlsurgeErrors where nothing could be measured.
    """
    plan, listener, interrupts = plan or CurvePlan(), listener or Listener(), interrupts or Interrupts()
    if plan.points < 3:
        raise UsageError("--points: a curve needs three at least")
    common = [settings_of(settings) for _, settings in sides]
    curves: list[dict[str, Any]] = []
    rates = list(plan.rates)
    facts, state, ended = None, "done", ""
    with ExitStack() as stack:
        own = common[0].address is None
        shared = stack.enter_context(shared_database(common[0].address, listener, interrupts))
        for (name, _), settings in zip(sides, common, strict=True):
            with open_steps(settings, listener, interrupts, shared) as steps:
                made = Curve(steps, plan, rates, lambda point, name=name: tell(name, point))  # type: ignore[misc]
                state, ended = made.run(own)
                facts = facts or steps.facts
                curves.append(side(name, steps.facts, made.points, made.closed))
                rates = rates or made.rates
            if state != "done":
                break
    if facts is None or not any(one["points"] for one in curves):
        if state == "interrupted":
            raise KeyboardInterrupt
        raise RunError(ended or "nothing was measured")
    return build(curves, facts, state=state, ended=ended)


class Curve:
    """One side's steps. `rates`: those to use; none where its own closed load's maximum says."""

    def __init__(
        self, steps: Steps, plan: CurvePlan, rates: Sequence[float], tell: Callable[[dict[str, Any]], object]
    ) -> None:
        self.points: list[dict[str, Any]] = []
        self.closed: dict[str, Any] | None = None
        self.rates = sorted(rates)
        self._steps, self._plan, self._tell = steps, plan, tell
        self._state, self._ended = "done", ""

    def run(self, own: bool) -> tuple[str, str]:
        """All steps; (done, interrupted or partial, why it ended early)."""
        warmup_s = self._steps.settings.warmup or (WARMUP_OWN_S if own else WARMUP_S)
        if not self._steps.prepare(warmup_s, WARMUP_CONCURRENCY if own else 1):
            return "interrupted", ""
        if not self._measure_closed():
            return self._state, self._ended
        if not self.rates:
            assert self.closed is not None
            most, points = self.closed["throughput_ops_s"], self._plan.points
            self.rates = [most * (IDLE + (BEYOND - IDLE) * at / (points - 1)) for at in range(points)]
        for rate in self.rates:
            if not self._point(rate, "up"):
                return self._state, self._ended
        found = knee_of(self.points)
        beside = [found["rate"] * part for part in BESIDE_KNEE] if found is not None and found["rate"] else []
        back = self.rates[:-1][::-BACK]
        for rate, direction in [*((rate, "down") for rate in back), *((rate, "knee") for rate in beside)]:
            if not self._point(rate, direction):
                break
        return self._state, self._ended

    def _measure_closed(self) -> bool:
        concurrency = self._steps.settings.concurrency or CLOSED_IN_FLIGHT
        settings = replace(
            self._steps.settings, rate=None, arrivals="constant", max_backlog=None, concurrency=concurrency,
            duration=self._plan.step_s, warmup=STEP_WARMUP_S,
        )  # fmt: skip
        made = self._steps.make(settings, name="closed load")
        latencies = made.document["latency_us"].get("all")
        if latencies is not None:
            self.closed = {
                "in_flight": concurrency * self._steps.processes,
                "throughput_ops_s": made.document["throughput_ops_s"],
                "p50_us": latencies["service"]["p50"],
                "p99_us": latencies["service"]["p99"],
                "bound_by": made.document["verdict"]["bound_by"],
            }
        return self._went_well(made) and self.closed is not None

    def _point(self, rate: float, direction: str) -> bool:
        settings = replace(self._steps.settings, rate=f"{rate:.1f}", duration=self._plan.step_s, warmup=STEP_WARMUP_S)
        made = self._steps.make(settings, concurrency=OPEN_IN_FLIGHT, name=direction)
        if made.document["latency_us"]:
            self.points.append(point_of(made.document, rate, direction, cause(made.document)))
            self._tell(self.points[-1])
        return self._went_well(made)

    def _went_well(self, made: Made) -> bool:
        if made.result.interrupted:
            self._state = "interrupted"
        elif made.result.lost:
            self._state, self._ended = "partial", made.result.lost[0]
        return self._state == "done"

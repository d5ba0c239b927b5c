"""`find`: carries out what the search asks for (limits/search.py), on one prepared database."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from cqlsurge.errors import RunError, UsageError
from cqlsurge.limits.goals import SloGoal, parse_slo
from cqlsurge.limits.search import CLIMB_RUNG_S, Bounds, Search
from cqlsurge.limits.steps import Second as StepSecond
from cqlsurge.load.latency.layout import index_of
from cqlsurge.results.document import Document
from cqlsurge.results.find import build as build_document
from cqlsurge.results.find import step_record
from cqlsurge.results.listener import Listener
from cqlsurge.results.seconds import Second
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.phase import Observer, PhaseRun
from cqlsurge.runs.steps import Made, Steps, open_steps
from cqlsurge.settings import RATE_CONCURRENCY, Settings

#: operations in flight, as a multiple of what the goal allows by Little's law; beyond that they wait here, and count
ROOM = 8
LEAST_IN_FLIGHT = 64
#: while the rate climbs nothing is known yet; what was sent must be answered before the next step
CLIMB_IN_FLIGHT = 1024
#: the first operations of a load process are slow; our own database is cold, too
WARMUP_S = 2.0
WARMUP_OWN_S = 20.0
#: in flight in each process while our own database is warmed up
WARMUP_CONCURRENCY = 32
#: where more of the response than this is waiting here, and the rate was not sent, it is the client that is slow
WAITING = 0.5


class StepWatch(Observer):
    """Tells the search of each second, and ends the step when that has heard enough."""

    hears_seconds = True

    def __init__(self, search: Search, goals: Sequence[SloGoal]) -> None:
        self._search, self._goals = search, goals
        self._limits = [None if goal.limit_us is None else index_of(round(goal.limit_us * 1000)) for goal in goals]
        self._decided = self._stopped = False
        self._waiting = 0

    def second(self, second: Second) -> None:
        """See Observer."""
        if second.t_s == 0 or self._decided:
            return
        ended = second.ok + second.errors
        waiting = second.in_flight + second.backlog
        counts = [self._count(at, second) for at in range(len(self._goals))]
        seen = StepSecond(
            span_s=second.span_s,
            due=max(0, ended + waiting - self._waiting),
            ended=ended,
            waiting=waiting,
            of=tuple(of for of, _ in counts),
            over=tuple(over for _, over in counts),
        )
        self._waiting = waiting
        self._decided = self._search.add(seen)

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        if self._decided and not self._stopped:
            self._stopped = True
            phase.stop(phase.plan.message["drain_s"])

    def _count(self, at: int, second: Second) -> tuple[int, int]:
        """How many operations the goal is about, and how many broke it; those that failed break each goal."""
        goal, limit = self._goals[at], self._limits[at]
        if limit is None:
            return second.ok + second.errors, second.errors
        kinds = [second.kinds[goal.kind]] if goal.kind in second.kinds else []
        if goal.kind is None:
            kinds = list(second.kinds.values())
        of = sum(sum(kind["response"]) for kind in kinds)
        over = sum(sum(kind["response"][limit + 1 :]) for kind in kinds)
        return of, min(of, over + second.errors)


def find(
    settings: Settings,
    slo: str,
    bounds: Bounds | None = None,
    listener: Listener | None = None,
    interrupts: Interrupts | None = None,
    tell: Callable[[Document], object] = lambda document: None,
) -> Document:
    """Searches the highest rate that holds the goals; the document says what was found, also where it was interrupted.

    `tell` gets the document as far as it has come, after each step. Raises UsageError for settings or goals that cannot
    be, other CqlsurgeErrors where nothing could be measured, and KeyboardInterrupt before there is load.
    """
    goals = _goals(slo)
    settings = settings_of(settings)
    bounds = bounds or Bounds()
    listener, interrupts = listener or Listener(), interrupts or Interrupts()
    with open_steps(settings, listener, interrupts) as steps:
        own = steps.database.own is not None
        if not steps.prepare(settings.warmup or (WARMUP_OWN_S if own else WARMUP_S), WARMUP_CONCURRENCY if own else 1):
            raise KeyboardInterrupt
        return Finding(steps, Search(goals, bounds), listener, tell, slo).run()


def settings_of(settings: Settings) -> Settings:
    """What all steps have in common. Raises UsageError for what the steps decide themselves."""
    for name in ("rate", "operations", "duration", "until"):
        if getattr(settings, name) is not None:
            raise UsageError(f"--{name} is for a single run: the steps have their own")
    if settings.technique in {"batch", "sync"}:
        raise UsageError(f"technique {settings.technique} cannot hold a rate: use window")
    # The longest that there may be: what is read and written is the same in all steps, and no step runs out of it.
    return replace(settings, rate="1", duration=1.0)


class Finding:
    """A search that goes on: its steps, made; their records."""

    def __init__(
        self, steps: Steps, search: Search, listener: Listener, tell: Callable[[Document], object], slo: str
    ) -> None:
        self._steps, self._search, self._listener, self._tell, self._slo = steps, search, listener, tell, slo
        self._records: list[Document] = []
        self._best: Document | None = None
        self._ended = ""

    def run(self) -> Document:
        """All steps."""
        search, state = self._search, "done"
        begin_s = time.monotonic()
        while (step := search.next_step()) is not None:
            made = self._make()
            search.elapsed_s = 0.0
            search.end_step(0.0, cause(made.document))
            search.elapsed_s = time.monotonic() - begin_s
            self._records.append(step_record(step, made.document))
            if step.purpose == "hold" and step.state == "held":
                self._keep(made.document)
            self._tell(self.document("running"))
            if made.result.interrupted:
                state = "interrupted"
                break
            if made.result.lost:
                state, self._ended = "partial", made.result.lost[0]
                if not search.steps:
                    raise RunError(self._ended)
                break
        return self.document(state)

    def _make(self) -> Made:
        search, base = self._search, self._steps.settings
        step = search.current
        if step.purpose == "climb":
            rates = ",".join(f"{rate:.0f}" for rate in search.climb_rates)
            rate, length_s, concurrency = f"step:{rates}@{CLIMB_RUNG_S}s", search.climb_s, CLIMB_IN_FLIGHT
        else:
            rate, length_s = f"{step.rate:.1f}", float(math.floor(step.limit_s))
            concurrency = self._in_flight(step.rate)
        settings = replace(base, rate=rate, duration=length_s, warmup=0.0)
        return self._steps.make(settings, [StepWatch(search, search.goals)], concurrency, step.purpose)

    def _in_flight(self, rate: float) -> int:
        limit_s = max(goal.limit_us or 0.0 for goal in self._search.goals) / 1e6
        needed = math.ceil(ROOM * rate * limit_s / self._steps.processes)
        return min(RATE_CONCURRENCY, max(LEAST_IN_FLIGHT, needed))

    def _keep(self, document: Document) -> None:
        if self._best is None or document["throughput_ops_s"] > self._best["throughput_ops_s"]:
            self._best = document

    def document(self, state: str) -> Document:
        """What is known so far."""
        return build_document(
            self._search.answer(),
            state=state,
            ended=self._ended,
            slo=self._slo,
            facts=self._steps.facts,
            bounds=self._search.bounds,
            records=self._records,
            best=self._best,
            took_s=self._search.elapsed_s,
        )


def cause(document: Document) -> str:
    """What bound a step, of the server and the client. Where the rate was kept, it is whoever took the time."""
    verdict = document["verdict"]["bound_by"]
    if verdict == "client":
        return "client"
    latencies = document["latency_us"].get("all")
    if verdict == "rate" and latencies and latencies["wait"]["p99"] > WAITING * latencies["response"]["p99"]:
        return "client"
    if verdict == "concurrency" and document["settings"]["concurrency"] is not None:
        return "concurrency"
    return "server"


def _goals(slo: str) -> list[SloGoal]:
    try:
        return parse_slo(slo)
    except ValueError as error:
        raise UsageError(f"--slo: {error}") from error

"""What ends a phase early: errors that --on-error names, a table that is dropped, figures that --stop-if names, and
--until's precision."""

from __future__ import annotations

import time
from typing import Any

from cqlsurge.load.outcomes.policy import STOP
from cqlsurge.results.expectations import judged
from cqlsurge.results.figures import figures_of
from cqlsurge.results.seconds import Second
from cqlsurge.results.statements import statements_of
from cqlsurge.results.until import Until
from cqlsurge.runs.database import Database
from cqlsurge.runs.phase import Observer, PhaseRun
from cqlsurge.settings import Settings
from cqlsurge.units import parse_goal

TABLE_EVERY_S = 0.5
FIGURES_EVERY_S = 1.0
#: before so much has been measured a figure ends nothing
LEAST_S, LEAST_OPERATIONS = 2.0, 100


class ErrorStop(Observer):
    """Ends a phase at the first error of a class whose policy is `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._classes = [name for name, policy in settings.error_policies.items() if policy == STOP]

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        if phase.result.lost or not self._classes:
            return
        errors = phase.result.counts.by_class("errors")
        for name in self._classes:
            if errors.get(name):
                phase.end_early(
                    f"the run was stopped: {errors[name]:,} operations ended in {name} (--on-error {name}=stop)"
                )
                return


class TableStop(Observer):
    """Ends a phase of whose tables somebody drops one: every further operation would only say so in its own words."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._look_at_s = 0.0
        self._seen: set[str] = set()

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        now_s = time.monotonic()
        if now_s < self._look_at_s or phase.result.lost:
            return
        self._look_at_s = now_s + TABLE_EVERY_S
        there = self._database.tables_there
        for name in sorted(self._seen - there)[:1]:
            phase.end_early(f"the table {name} was dropped while the run went on")
        self._seen = there


class FigureStop(Observer):
    """Ends a phase once a figure of what it has measured so far is as none should be."""

    def __init__(self, told: dict[str, Any]) -> None:
        """told: what is known of the statements before the run (statements_of)."""
        self._told = told
        self._look_at_s = 0.0

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        now_s = time.monotonic()
        if not phase.plan.stop_if or now_s < self._look_at_s or phase.result.lost:
            return
        counts = phase.result.counts
        figures = figures_of(counts, phase.result.numbers(), phase=phase.plan.name)
        figures.statements = statements_of(counts.processes, self._told)
        self._look_at_s = time.monotonic() + FIGURES_EVERY_S
        if figures.duration_s < LEAST_S or figures.measured_finished < LEAST_OPERATIONS:
            return
        for one in judged(phase.plan.stop_if, figures, phase.plan.headline):
            if one["holds"]:
                phase.end_early(f"the run was stopped, as asked for: {one['text']}")
                return


class PrecisionStop(Observer):
    """Ends the measured phase once a percentile is known well enough; without a goal it does nothing."""

    def __init__(self, settings: Settings) -> None:
        self._until = Until(parse_goal(settings.until)) if settings.until else None
        self.hears_seconds = self._until is not None
        self._measuring = self._stopped = False

    @property
    def facts(self) -> dict[str, Any] | None:
        """For the result: Until.facts, if there is a goal."""
        return None if self._until is None else self._until.facts

    def begin(self, phase: PhaseRun) -> None:
        """See Observer."""
        self._measuring = phase.plan.measured

    def second(self, second: Second) -> None:
        """See Observer."""
        if self._until is not None and self._measuring and not second.warmup and second.t_s:
            self._until.add(second.counts)

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        if self._until is not None and self._until.reached and not self._stopped:
            self._stopped = True
            phase.stop(phase.plan.message["drain_s"])

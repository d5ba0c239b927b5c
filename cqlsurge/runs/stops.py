"""What ends a phase early: errors that --on-error names, a table that is dropped, and --until's precision."""

from __future__ import annotations

import time
from typing import Any

from cqlsurge.load.outcomes.policy import STOP
from cqlsurge.results.seconds import Second
from cqlsurge.results.until import Until
from cqlsurge.runs.database import Database
from cqlsurge.runs.phase import Observer, PhaseRun
from cqlsurge.settings import Settings
from cqlsurge.units import parse_goal

TABLE_EVERY_S = 0.5


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
    """Ends a phase whose table somebody drops: every further operation would only say so in its own words."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._look_at_s = 0.0
        self._seen = False

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        now_s = time.monotonic()
        if now_s < self._look_at_s or phase.result.lost:
            return
        self._look_at_s = now_s + TABLE_EVERY_S
        there = self._database.has_table
        if self._seen and not there:
            settings = self._database.settings
            phase.end_early(f"the table {settings.keyspace}.{settings.table} was dropped while the run went on")
        self._seen = there


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

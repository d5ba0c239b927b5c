"""What it takes to take up again a run that was cut off: its document, and how long there was no load since."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from cqlsurge.errors import UsageError
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.results.document import Document
from cqlsurge.results.files import read_document
from cqlsurge.results.resumed import open_ranges
from cqlsurge.runs.phases import PhasePlan
from cqlsurge.runs.plan import RunPlan
from cqlsurge.settings import Settings

#: numbers that a process is given at once, in seconds of its rate: they are in doubt when the run is cut off
BLOCK_S = 2.0
ENDED = ("done",)


@dataclass(frozen=True)
class Resume:
    """`document`: as the run had told it last; `gap_s`: from then to now."""

    document: Document
    gap_s: float

    def phase(self, phase: PhasePlan) -> PhasePlan:
        """What is left of that phase."""
        duration_s = phase.message["duration_s"]
        if duration_s is not None:
            duration_s = max(1.0, duration_s - self.document["duration_s"])
        message = {**phase.message, "duration_s": duration_s, "warmup_s": 0.0}
        told = self.document["open"]
        return replace(phase, message=message, first=told["next"], again=tuple(open_ranges(self.document)))

    @property
    def settings(self) -> Settings:
        """Those of the run, which must not empty its table again."""
        return replace(Settings.from_json(self.document["settings"]), truncate=False)


def read_resume(path: str) -> Resume:
    """The run to take up again. Raises ResultError for what is no result, UsageError for what cannot be taken up."""
    document = read_document(path)
    if document["state"] in ENDED:
        raise UsageError(f"{path} has ended: there is nothing left to take up again")
    if "open" not in document:
        raise UsageError(f"{path} was cut off before it was measured: start it anew")
    settings = Settings.from_json(document["settings"])
    if settings.address is None:
        raise UsageError(f"{path}: its database, which was started for the run alone, is gone; give a run an ADDRESS")
    if settings.rate is not None and parse_rate(settings.rate).segments:
        raise UsageError(f"{path}: a run can be taken up again at a constant rate alone, not at {settings.rate}")
    if settings.until is not None:
        raise UsageError(f"{path}: a run with --until cannot be taken up again")
    return Resume(document, max(0.0, time.time() - Path(path).stat().st_mtime))


def phases_left(plan: RunPlan, resume: Resume | None, processes: int) -> list[PhasePlan]:
    """The phases of a run, or what is left of the last one of a run that is taken up again."""
    phases = [replace(phase, block=_block(phase, plan.settings, processes)) for phase in plan.phases]
    return phases if resume is None else [resume.phase(phases[-1])]


def _block(phase: PhasePlan, settings: Settings, processes: int) -> int:
    """Numbers that a process is given at once, at most: few where a constant rate says how many it can do."""
    if settings.rate is None or not phase.measured or (rate := parse_rate(settings.rate)).segments:
        return phase.block
    return min(phase.block, int(BLOCK_S * rate.count_before(1_000_000_000) / max(1, processes)))

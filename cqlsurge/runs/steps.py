"""Steps of load one after another, on one prepared database and with one set of load processes: find, curve, soak."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from cqlsurge import __version__
from cqlsurge.errors import RunError
from cqlsurge.host.facts import host_facts
from cqlsurge.results.document import Document, RunFacts
from cqlsurge.results.listener import Listener
from cqlsurge.runs.database import Database, open_database
from cqlsurge.runs.documents import Documents
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.load_processes import LoadProcesses, start_processes
from cqlsurge.runs.phase import Observer, PhaseResult, PhaseRun
from cqlsurge.runs.phases import PhasePlan, measure_phase
from cqlsurge.runs.plan import RunPlan, check_target, make_plan
from cqlsurge.runs.stops import ErrorStop, PrecisionStop
from cqlsurge.runs.topology import LiveTopology, OwnDatabase
from cqlsurge.runs.watch import Watch, server_watch
from cqlsurge.settings import Settings


@dataclass
class Made:
    """A step that was made: its document, how it went, and how long it took with its beginning and end."""

    document: Document
    result: PhaseResult
    wall_s: float


class Steps:
    """See the module's text; made by `open_steps`."""

    def __init__(
        self, plan: RunPlan, database: Database, processes: LoadProcesses, listener: Listener, interrupts: Interrupts
    ) -> None:
        self.settings, self.database = plan.settings, database
        self.processes = len(processes.group.processes)
        self._plan, self._loaded = plan, processes
        self._listener, self._interrupts = listener, interrupts
        self.facts = RunFacts(
            started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            engine=processes.engine,
            runtime=plan.runtime,
            seed=plan.settings.seed,
            settings=plan.settings.to_json(),
            host=host_facts(),
            cluster=database.facts,
            version=__version__,
        )

    def prepare(self, warmup_s: float, concurrency: int) -> bool:
        """Writes the population where the load needs one, and warms up; False where that was interrupted.

        `concurrency`: in flight in each process while it warms up.
        """
        phases = self._plan.phases[:-1]
        if warmup_s:
            warm = replace(
                self.settings, rate=None, duration=warmup_s, concurrency=concurrency, operations=None, warmup=0.0
            )
            phases = [*phases, replace(measure_phase(warm), name="warm-up", measured=True)]
        for phase in phases:
            self._listener.stage(f"{phase.name}: before the first step")
            result = PhaseRun(
                self._loaded.group, phase, self._interrupts, self._listener, [OwnDatabase(self.database)]
            ).run()
            if result.lost:
                raise RunError(f"{phase.name} ended early: {result.lost[0]}")
            if result.interrupted:
                return False
        return True

    def make(
        self, settings: Settings, observers: Sequence[Observer] = (), concurrency: int | None = None, name: str = "step"
    ) -> Made:
        """One step with these settings; `concurrency`: in flight in each process, where they say nothing of it."""
        begin_s = time.monotonic()
        phase = self._phase(settings, concurrency, name)
        facts = replace(
            self.facts,
            settings=settings.to_json(),
            started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        with ExitStack() as stack:
            topology = LiveTopology(self.database, stack)
            watch = Watch(self._loaded.group, partial(server_watch, self.database, settings.server_metrics), stack)
            documents = Documents(settings, facts, None, topology, watch, PrecisionStop(settings))
            own: list[Observer] = [OwnDatabase(self.database), ErrorStop(settings), watch, topology, documents]
            group = self._loaded.group
            result = PhaseRun(group, phase, self._interrupts, self._listener, [*own, *observers]).run()
            watch.finish()
            document = documents.conclude(result, group.hosts, self._listener)
        return Made(document, result, time.monotonic() - begin_s)

    def _phase(self, settings: Settings, concurrency: int | None, name: str) -> PhasePlan:
        phase = measure_phase(settings)
        message = dict(phase.message)
        if settings.concurrency is None and concurrency is not None:
            message["concurrency"] = concurrency
        return replace(phase, name=name, message=message)


@contextmanager
def shared_database(address: str | None, listener: Listener, interrupts: Interrupts) -> Iterator[str]:
    """Our own database for several `open_steps`, where no address is given; its address, or nothing."""
    if address is not None:
        yield ""
        return
    from cqlsurge.database.embedded.cluster import start  # steps on an address need none of its optional packages

    with interrupts.raising():
        cluster = start(progress=listener.stage)
    try:
        yield str(cluster.address)
    finally:
        cluster.stop()


@contextmanager
def open_steps(settings: Settings, listener: Listener, interrupts: Interrupts, shared: str = "") -> Iterator[Steps]:
    """Connects (or starts our own database), has load processes ready; all of it ends with the block.

    `shared`: where our own database is, if it was started for several and the settings name none.
    Raises UsageError for settings that cannot be, and other CqlsurgeErrors where nothing can be measured.
    """
    with ExitStack() as stack:
        with interrupts.raising():
            plan = make_plan(settings.check(), stack, listener)
            database = open_database(plan.settings, stack, listener, shared)
            check_target(plan, database.target)
            processes = start_processes(plan, database, stack, listener)
        steps = Steps(plan, database, processes, listener, interrupts)
        listener.connected(steps.facts.cluster, steps.facts.engine, steps.facts.runtime)
        yield steps

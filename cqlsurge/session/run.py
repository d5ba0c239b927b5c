"""One run, from its settings to its result. What the command line, the ladder and the Python API all call."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cqlsurge import __version__
from cqlsurge.errors import ResultError, UsageError, WorkerError
from cqlsurge.fleet.crew import Crew
from cqlsurge.fleet.environments import ensure
from cqlsurge.fleet.interpreters import Choice, choose
from cqlsurge.host.cores import core_count, core_ids
from cqlsurge.host.facts import host_facts
from cqlsurge.load.engines.registry import EngineInfo, check_technique, engine_info
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.load.pacing.schedule import pacing_json
from cqlsurge.load.worker.messages import VERSION
from cqlsurge.results.document import Document, Frame, Measures, build
from cqlsurge.results.files import ResultFile
from cqlsurge.results.listener import Listener
from cqlsurge.results.verdict import judge
from cqlsurge.session.database import Database, open_database
from cqlsurge.session.interrupts import Interrupts
from cqlsurge.session.measures import measure
from cqlsurge.session.phase import PhasePlan, PhaseResult, PhaseRun
from cqlsurge.settings import STREAM_IDS, Settings

READY_TIMEOUT_S = 90.0
SAVE_EVERY_S = 1.0
#: saving takes at most this part of the time
SAVE_SHARE = 0.02


@dataclass
class Ground:
    """What a run stands on once its settings are understood."""

    settings: Settings
    engine: EngineInfo
    technique: str
    choice: Choice
    python: str
    processes: int


def run(settings: Settings, listener: Listener | None = None, interrupts: Interrupts | None = None) -> Document:
    """Carries the run out and gives its result document, `partial` or `interrupted` where it did not end by itself.

    Raises UsageError for settings that cannot be, and other CqlsurgeErrors where nothing could be measured. A request
    to stop before load begins raises KeyboardInterrupt.
    """
    listener = listener or Listener()
    interrupts = interrupts or Interrupts()
    with ExitStack() as stack:
        with interrupts.raising():
            file = ResultFile(settings.json, force=settings.force) if settings.json else None
            ground = _ground(settings.check(), listener)
            database = open_database(settings, stack, listener)
            _check_concurrency(settings, database)
            crew = stack.enter_context(Crew(ground.python, ground.processes))
            engine_facts = _open_engines(crew, ground, database, listener)
        frame = _frame(ground, database, engine_facts)
        listener.connected(frame.cluster, frame.engine, frame.runtime)
        return _Load(ground, database, crew, frame, file, listener, interrupts).run()


def _ground(settings: Settings, listener: Listener) -> Ground:
    try:
        engine = engine_info(settings.engine)
        technique = check_technique(engine, settings.technique)
    except (KeyError, ValueError) as error:
        raise UsageError(str(error.args[0])) from error
    if settings.rate is not None:
        try:
            parse_rate(settings.rate)
        except (ValueError, OSError) as error:
            raise UsageError(f"--rate: {error}") from error
        if technique == "batch":
            raise UsageError("technique batch waits for whole batches and cannot hold a --rate: use window")
    if technique == "sync":
        if settings.concurrency not in {None, 1}:
            raise UsageError("technique sync has one operation in flight: leave --concurrency at 1, or use window")
        settings = replace(settings, concurrency=1)
    choice = choose(settings.runtime, engine)
    if choice.note:
        listener.note(choice.note)
    python = str(ensure(engine, choice.interpreter.path, listener.stage))
    total = settings.total_operations
    processes = settings.processes or core_count()
    return Ground(settings, engine, technique, choice, python, min(processes, total) if total else processes)


def _check_concurrency(settings: Settings, database: Database) -> None:
    connections = sum(max(1, node.shards) for node in database.target.nodes if node.dc == database.target.local_dc)
    limit = STREAM_IDS * max(1, connections)
    if settings.in_flight_limit > limit:
        raise UsageError(
            f"--concurrency {settings.in_flight_limit} is more than {limit}: {STREAM_IDS} stream ids on each of the "
            f"{connections} connection(s) of a process"
        )


def _open_engines(crew: Crew, ground: Ground, database: Database, listener: Listener) -> dict[str, Any]:
    """Sends each process its plan and waits until all are connected. Raises WorkerError with a process's own words."""
    listener.stage(f"starting {ground.processes} load processes on {ground.choice.interpreter.text}")
    cores = core_ids()
    for process in crew.processes:
        crew.send(process.index, _plan(ground, database, process.index, cores[process.index % len(cores)]))
    facts: dict[int, dict[str, Any]] = {}
    deadline = time.monotonic() + READY_TIMEOUT_S
    while len(facts) < ground.processes:
        for index, message in crew.poll(0.2):
            if message is None:
                process = crew.processes[index]
                words = f": {process.last_words}" if process.last_words else ""
                raise WorkerError(f"load process {index} could not start; it {process.exit_text()}{words}")
            if message["type"] == "failed":
                raise WorkerError(message["text"])
            if message["type"] == "ready":
                facts[index] = message["facts"]
        if time.monotonic() > deadline:
            raise WorkerError(
                f"the load processes were not ready after {READY_TIMEOUT_S:.0f} s; is the machine overloaded?"
            )
    return facts[0]


def _plan(ground: Ground, database: Database, index: int, core: int) -> dict[str, Any]:
    settings = ground.settings
    return {
        "type": "plan",
        "version": VERSION,
        "engine": ground.engine.name,
        "seed": settings.seed,
        "worker": index,
        "workers": ground.processes,
        "workload": _workload(settings, settings.mode),
        "target": database.target.to_json(),
        "options": {
            "technique": ground.technique,
            "request_timeout_s": settings.request_timeout,
            "retries": settings.retries,
            "concurrency": settings.in_flight_limit,
            "compression_asked": settings.compression,
        },
        "core": core,
    }


def _workload(settings: Settings, mode: str) -> dict[str, Any]:
    parameters = {
        "seed": settings.seed,
        "keyspace": settings.keyspace,
        "table": settings.table,
        "mode": mode,
        "keys": settings.population,
        "key_offset": settings.key_offset,
        "blob_size": settings.blob_size,
        "read_ratio": settings.read_ratio,
        "consistency": settings.consistency,
        "fill": settings.fill,
    }
    return {"name": "kv", "parameters": parameters}


def _frame(ground: Ground, database: Database, engine_facts: dict[str, Any]) -> Frame:
    interpreter = ground.choice.interpreter
    return Frame(
        engine={"name": ground.engine.name, "technique": ground.technique or None, **engine_facts},
        runtime={
            "name": interpreter.text,
            "implementation": interpreter.implementation,
            "version": ".".join(map(str, interpreter.version)),
            "path": interpreter.path,
        },
        seed=ground.settings.seed,
        settings=ground.settings.to_json(),
        host=host_facts(),
        cluster=database.facts,
        version=__version__,
    )


class _Load:
    """The part of a run in which there is load: populating where needed, then the measured phase."""

    def __init__(
        self,
        ground: Ground,
        database: Database,
        crew: Crew,
        frame: Frame,
        file: ResultFile | None,
        listener: Listener,
        interrupts: Interrupts,
    ) -> None:
        self.ground, self.database, self.crew, self.frame = ground, database, crew, frame
        self.file, self.listener, self.interrupts = file, listener, interrupts
        self.settings = ground.settings
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.events: list[dict[str, Any]] = []
        self._save_at_s = 0.0

    def run(self) -> Document:
        """Both phases, and the document of the second (or of the first, where it went no further)."""
        if self.settings.mode == "mixed" and self.settings.populate:
            self.listener.stage(f"writing the population of {self.settings.population} keys")
            result = self._phase(self._populate_plan())
            if result.interrupted or result.lost or result.tally.total("ok") < self.settings.population:
                return self._finish(result, "populating ended early: ")
        return self._finish(self._phase(self._measure_plan()))

    def _phase(self, plan: PhasePlan) -> PhaseResult:
        return PhaseRun(self.crew, plan, self.interrupts, self.listener, self._tick).run()

    def _populate_plan(self) -> PhasePlan:
        settings = self.settings
        message = {
            "workload": _workload(settings, "write"),
            "concurrency": max(settings.in_flight_limit if settings.rate is None else 1, 128),
            "drain_s": settings.request_timeout + 2,
        }
        return PhasePlan("populate", settings.population, message)

    def _measure_plan(self) -> PhasePlan:
        settings = self.settings
        pacing = None
        if settings.rate is not None:
            pacing = pacing_json(parse_rate(settings.rate), settings.arrivals)
        message = {
            "workload": None,
            "concurrency": settings.in_flight_limit,
            "pacing": pacing,
            "warmup_s": settings.warmup,
            "duration_s": settings.duration,
            "drain_s": settings.request_timeout + 2,
            "max_backlog": settings.max_backlog,
            "verify_share": settings.verify_share if settings.verify is not None else 0.0,
            "spin": settings.spin,
        }
        headline = "service" if settings.rate is None else "response"
        return PhasePlan("measure", settings.total_operations, message, headline)

    def _tick(self, result: PhaseResult) -> None:
        now_s = time.monotonic()
        changes = self.database.watch.changes()
        for what, address in changes:
            t_s = round((time.monotonic_ns() - result.tally.start_ns) / 1e9, 3)
            self.events.append({"t_s": t_s, "event": f"node {what}", "address": address})
            self.listener.note(f"node {address} is {what}")
        if changes:
            self.crew.send_all(self.database.topology_message())
        if self.file is not None and self.file.path != "-" and now_s >= self._save_at_s:
            self._save(self._document(result, "running"))
            self._save_at_s = time.monotonic() + max(SAVE_EVERY_S, (time.monotonic() - now_s) / SAVE_SHARE)

    def _save(self, document: Document) -> None:
        assert self.file is not None
        try:
            self.file.write(document)
        except ResultError as error:
            self.listener.warn(str(error))

    def _finish(self, result: PhaseResult, prefix: str = "") -> Document:
        state = "interrupted" if result.interrupted else "partial" if result.lost or prefix else "done"
        document = self._document(result, state)
        for text in result.lost:
            document["events"].append({"t_s": document["duration_s"], "event": prefix + text})
        if self.file is not None:
            self._save(document)
        return document

    def _document(self, result: PhaseResult, state: str) -> Document:
        settings = self.settings
        measures = measure(
            result,
            state=state,
            started_at=self.started_at,
            writes=settings.mode != "read",
            total=settings.total_operations,
        )
        return build(self.frame, replace(measures, events=list(self.events)), self._judge(measures))

    def _judge(self, measures: Measures) -> dict[str, Any]:
        throughput = measures.measured_ok / measures.duration_s if measures.duration_s else 0.0
        rate = None
        if self.settings.rate is not None and measures.duration_s:
            shape = parse_rate(self.settings.rate)
            rate = shape.count_before(int(measures.duration_s * 1e9)) / measures.duration_s
        return judge(
            concurrency=self.settings.in_flight_limit,
            rate=rate,
            throughput_ops_s=throughput,
            duration_s=measures.duration_s,
            client=measures.client,
        )


def exit_code(document: Document) -> int:
    """What a run's document means for the shell: 0 done, 1 too many errors or a lost process, 130 interrupted."""
    if document["state"] == "interrupted":
        return 130
    counts = document["operations"]
    errors = counts["failed"] + counts["unknown"]
    budget = str(document["settings"]["error_budget"])
    ended = counts["ok"] + errors
    allowed = float(budget.rstrip("%")) / 100 * ended if budget.endswith("%") else float(budget)
    wrong = document["errors"].get("wrong", 0) + document["errors"].get("missing", 0)
    return 1 if document["state"] != "done" or errors > allowed or wrong else 0

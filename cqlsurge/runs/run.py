"""One run, from its settings to its result. What the command line, the ladder and the Python API all call."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from cqlsurge import __version__
from cqlsurge.errors import UsageError, WorkerError
from cqlsurge.host.facts import host_facts
from cqlsurge.load.outcomes.policy import IGNORE, budgeted, parse_policies
from cqlsurge.processes.group import ProcessGroup
from cqlsurge.results.document import Document, Frame
from cqlsurge.results.files import ResultFile
from cqlsurge.results.listener import Listener
from cqlsurge.runs.compression import chosen_compression
from cqlsurge.runs.database import Database, open_database
from cqlsurge.runs.ground import Ground, check_reach, find_ground
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.load import LoadRun
from cqlsurge.runs.outputs import Outputs
from cqlsurge.runs.plans import engine_plan, measure_phase
from cqlsurge.settings import STREAM_IDS, Settings

READY_TIMEOUT_S = 90.0


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
            outputs = Outputs(settings, stack, listener)
            ground = find_ground(settings.check(), stack, listener)
            measure_phase(ground.settings)  # finds out now what --verify names
            database = open_database(ground.settings, stack, listener)
            check_reach(ground, database.target)
            _check_concurrency(ground.settings, database)
            group = ground.start()
            stack.callback(group.close)
            engine_facts = _open_engines(group, ground, database, listener)
            _check_compression(ground, engine_facts)
        frame = _frame(ground, database, engine_facts)
        listener.connected(frame.cluster, frame.engine, frame.runtime)
        return LoadRun(ground.settings, database, group, frame, file, listener, interrupts, outputs).run()


def _check_concurrency(settings: Settings, database: Database) -> None:
    connections = sum(max(1, node.shards) for node in database.target.nodes if node.dc == database.target.local_dc)
    limit = STREAM_IDS * max(1, connections)
    if settings.in_flight_limit > limit:
        raise UsageError(
            f"--concurrency {settings.in_flight_limit} is more than {limit}: {STREAM_IDS} stream ids on each of the "
            f"{connections} connection(s) of a process"
        )


def _open_engines(group: ProcessGroup, ground: Ground, database: Database, listener: Listener) -> dict[str, Any]:
    """Sends each process its plan and waits until all are connected. Raises WorkerError with a process's own words."""
    count = len(group.processes)
    hosts = f" of {len(group.hosts)} hosts" if group.hosts else ""
    listener.stage(f"starting {count} load processes on {ground.runtime['name']}{hosts}")
    for process in group.processes:
        plan = engine_plan(
            ground.settings,
            ground.engine.name,
            ground.technique,
            database.target,
            worker=process.index,
            workers=count,
            core=ground.cores[process.index],
        )
        group.send(process.index, plan)
    facts: dict[int, dict[str, Any]] = {}
    deadline = time.monotonic() + READY_TIMEOUT_S
    while len(facts) < count:
        for index, message in group.poll(0.2):
            if message is None:
                process = group.processes[index]
                words = f": {process.last_words}" if process.last_words else ""
                raise WorkerError(f"{process.label} could not start; {process.exit_text()}{words}")
            if message["type"] == "failed":
                where = f"{group.processes[index].label}: " if group.hosts else ""
                raise WorkerError(f"{where}{message['text']}")
            if message["type"] == "ready":
                facts[index] = message["facts"]
        if time.monotonic() > deadline:
            raise WorkerError(
                f"the load processes were not ready after {READY_TIMEOUT_S:.0f} s; is the machine overloaded?"
            )
    common = dict(facts[0])
    if "shards_covered" in common:
        common["shards_covered"] = min(each["shards_covered"] for each in facts.values())
    common["notes"] = list(dict.fromkeys(note for each in facts.values() for note in each.get("notes", [])))
    return common


def _check_compression(ground: Ground, facts: dict[str, Any]) -> None:
    if ground.settings.compression and not facts.get("compression"):
        why = "; ".join(facts["notes"]) or f"engine {ground.engine.name} has none"
        raise UsageError(f"--compression cannot be had: {why}; leave it away")


def _frame(ground: Ground, database: Database, engine_facts: dict[str, Any]) -> Frame:
    return Frame(
        engine={
            "name": ground.engine.name,
            "technique": ground.technique or None,
            "compression_reason": chosen_compression(ground.settings).reason,
            **engine_facts,
        },
        runtime=ground.runtime,
        seed=ground.settings.seed,
        settings=ground.settings.to_json(),
        host=host_facts(),
        cluster=database.facts,
        version=__version__,
    )


def exit_code(document: Document) -> int:
    """What a run's document means for the shell: 0 done, 1 too many errors or a lost process, 130 interrupted."""
    if document["state"] == "interrupted":
        return 130
    counts = document["operations"]
    policies = parse_policies(document["settings"].get("on_error") or "")
    errors = budgeted(document["errors"], policies)
    budget = str(document["settings"]["error_budget"])
    ended = counts["ok"] + counts["failed"] + counts["unknown"]
    allowed = float(budget.rstrip("%")) / 100 * ended if budget.endswith("%") else float(budget)
    wrong = any(document["errors"].get(name) and policies.get(name) != IGNORE for name in ("wrong", "missing"))
    return 1 if document["state"] != "done" or document.get("unwritten") or errors > allowed or wrong else 0

"""Starts the load processes of a run, and has their engines connect."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from cqlsurge.errors import UsageError, WorkerError
from cqlsurge.load.worker.messages import VERSION
from cqlsurge.processes.group import ProcessGroup
from cqlsurge.results.listener import Listener
from cqlsurge.runs.compression import chosen_compression
from cqlsurge.runs.database import Database
from cqlsurge.runs.phases import workload
from cqlsurge.runs.plan import RunPlan

READY_TIMEOUT_S = 90.0


@dataclass
class LoadProcesses:
    """Load processes whose engines are connected; `engine`: what these say of themselves, all together."""

    group: ProcessGroup
    engine: dict[str, Any]


def start_processes(plan: RunPlan, database: Database, stack: ExitStack, listener: Listener) -> LoadProcesses:
    """Starts them, and waits until all are connected; they end with the stack.

    Raises WorkerError with a process's own words, and UsageError where compression is asked for and cannot be had.
    """
    group = plan.start()
    stack.callback(group.close)
    count = len(group.processes)
    hosts = f" of {len(group.hosts)} hosts" if group.hosts else ""
    listener.stage(f"starting {count} load processes on {plan.runtime['name']}{hosts}")
    for process in group.processes:
        group.send(process.index, _engine_plan(plan, database, process.index, count, host_place(group, process.index)))
    facts = _common(_wait_until_ready(group))
    if plan.settings.compression and not facts.get("compression"):
        why = "; ".join(facts["notes"]) or f"engine {plan.engine.name} has none"
        raise UsageError(f"--compression cannot be had: {why}; leave it away")
    engine = {
        "name": plan.engine.name,
        "technique": plan.technique or None,
        "compression_reason": chosen_compression(plan.settings, plan.workload).reason,
        **facts,
    }
    return LoadProcesses(group, engine)


def host_place(group: ProcessGroup, worker: int) -> tuple[int, int]:
    """Which of its machine's load processes one is, from 0, and how many those are. Hosts may be of one machine."""
    mine = next((host for host in group.hosts if worker in host.workers), None)
    if mine is None:
        return worker, len(group.processes)
    machine = mine.address.rpartition(":")[0]
    there = [each for host in group.hosts if host.address.rpartition(":")[0] == machine for each in host.workers]
    return there.index(worker), len(there)


def _engine_plan(
    plan: RunPlan, database: Database, worker: int, workers: int, place: tuple[int, int]
) -> dict[str, Any]:
    """The `plan` message of one load process. It holds secrets."""
    settings = plan.settings
    return {
        "type": "plan",
        "version": VERSION,
        "engine": plan.engine.name,
        "seed": settings.seed,
        "worker": worker,
        "workers": workers,
        "host_place": place,
        "workload": _workload(plan),
        "target": database.target.to_json(),
        "options": {
            "technique": plan.technique,
            "request_timeout_s": settings.request_timeout,
            "retries": settings.retries,
            "on_error": settings.on_error,
            "concurrency": max(phase.message["concurrency"] for phase in plan.phases),
        },
        "core": plan.cores[worker],
    }


def _workload(plan: RunPlan) -> dict[str, Any]:
    """What engines are made for: all statements of the run."""
    if plan.workload is None:
        return workload(plan.settings, plan.settings.mode)
    return plan.workload.parameters(plan.workload.phases[-1].name)


def _wait_until_ready(group: ProcessGroup) -> list[dict[str, Any]]:
    """What each engine says of itself once it is connected."""
    facts: dict[int, dict[str, Any]] = {}
    deadline = time.monotonic() + READY_TIMEOUT_S
    while len(facts) < len(group.processes):
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
    return [facts[index] for index in sorted(facts)]


def _common(facts: list[dict[str, Any]]) -> dict[str, Any]:
    """What all engines say together: the fewest shards, all notes."""
    common = dict(facts[0])
    if "shards_covered" in common:
        common["shards_covered"] = min(each["shards_covered"] for each in facts)
    common["notes"] = list(dict.fromkeys(note for each in facts for note in each.get("notes", [])))
    return common

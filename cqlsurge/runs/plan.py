"""What will be run, once the settings are understood: engine, interpreters, where load processes will be, phases."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.host.cores import core_count, core_ids
from cqlsurge.load.engines.contract import Target
from cqlsurge.load.engines.registry import EngineInfo, check_technique, engine_info
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.load.pacing.schedule import pacing_json
from cqlsurge.processes.environments import ensure
from cqlsurge.processes.group import ProcessGroup
from cqlsurge.processes.interpreters import choose
from cqlsurge.processes.local_group import LocalGroup
from cqlsurge.processes.remote_group import RemoteGroup
from cqlsurge.results.files import read_document
from cqlsurge.results.listener import Listener
from cqlsurge.runs.phases import PhasePlan, phases_of
from cqlsurge.runs.workloads import RunWorkload, open_workload
from cqlsurge.settings import NO_ADDRESS, STREAM_IDS, Settings


@dataclass
class RunPlan:
    """See the module's text. `start` starts the load processes; `cores` says which core each of them is for."""

    settings: Settings
    engine: EngineInfo
    technique: str
    runtime: dict[str, Any]
    cores: list[int]
    start: Callable[[], ProcessGroup]
    phases: list[PhasePlan]
    workload: RunWorkload | None = None
    loopback: bool = True  # whether all load processes are on this machine


def make_plan(settings: Settings, stack: ExitStack, listener: Listener) -> RunPlan:
    """Connects to the hosts where there are others, too. Raises UsageError or RunError."""
    workload = open_workload(settings)
    for note in workload.notes if workload is not None else ():
        listener.note(note)
    settings, engine, technique = _understand(settings if workload is None else workload.settings)
    if workload is not None:
        workload = replace(workload, settings=settings)
    if settings.dask or settings.hosts:
        return _remote(settings, engine, technique, stack, listener, workload)
    choice = choose(settings.runtime, engine)
    if choice.note:
        listener.note(choice.note)
    python = str(ensure(engine, choice.interpreter.path, listener.stage))
    count = _limited([settings.processes or core_count()], settings)[0]
    cores = core_ids()
    return RunPlan(
        settings,
        engine,
        technique,
        choice.interpreter.facts,
        [cores[index % len(cores)] for index in range(count)],
        lambda: LocalGroup(python, count),
        _phases(settings, workload, count),
        workload,
    )


def _phases(settings: Settings, workload: RunWorkload | None, processes: int) -> list[PhasePlan]:
    if workload is None:
        return phases_of(settings)
    missing = workload.missing_partitions(read_document(settings.verify)) if settings.verify else []
    return workload.plans(processes, missing)


def _understand(settings: Settings) -> tuple[Settings, EngineInfo, str]:
    try:
        engine = engine_info(settings.engine)
        technique = check_technique(engine, settings.technique)
    except (KeyError, ValueError) as error:
        raise UsageError(str(error.args[0])) from error
    if settings.rate is not None:
        try:
            pacing_json(parse_rate(settings.rate), settings.arrivals)
        except (ValueError, OSError) as error:
            raise UsageError(f"--rate: {error}") from error
        if technique == "batch":
            raise UsageError("technique batch waits for whole batches and cannot hold a --rate: use window")
    if technique == "sync":
        if settings.concurrency not in {None, 1}:
            raise UsageError("technique sync has one operation in flight: leave --concurrency at 1, or use window")
        settings = replace(settings, concurrency=1)
    return settings, engine, technique


def _remote(
    settings: Settings,
    engine: EngineInfo,
    technique: str,
    stack: ExitStack,
    listener: Listener,
    workload: RunWorkload | None,
) -> RunPlan:
    from cqlsurge.processes.dask_hosts import is_loopback, open_hosts  # Dask is needed, and imported, only here

    group: RemoteGroup = stack.enter_context(open_hosts(settings, listener.stage))
    loopback = all(is_loopback(host.address) for host in group.hosts)
    if settings.address is None and not loopback:
        raise UsageError(NO_ADDRESS)
    files = [name for name in (settings.tls_ca, settings.tls_cert, settings.tls_key) if name]
    question = {"engine": engine.name, "runtime": settings.runtime, "files": files}
    group.look(question, divided=bool(settings.local_hosts), note=listener.note, stage=listener.stage)
    counts = _limited([settings.processes or len(host.cores) for host in group.hosts], settings)
    cores = [
        host.cores[index % len(host.cores)]
        for host, count in zip(group.hosts, counts, strict=True)
        for index in range(count)
    ]
    names = list(dict.fromkeys(host.runtime["name"] for host in group.hosts))

    def start() -> ProcessGroup:
        group.start(counts)
        return group

    runtime = {**group.hosts[0].runtime, "name": " and ".join(names)}
    phases = _phases(settings, workload, sum(counts))
    return RunPlan(settings, engine, technique, runtime, cores, start, phases, workload, loopback)


def _limited(counts: list[int], settings: Settings) -> list[int]:
    """So many processes on each host, but no more in all than there are operations."""
    left = settings.total_operations or sum(counts)
    limited = []
    for count in counts:
        limited.append(min(count, left))
        left -= limited[-1]
    return limited


def check_target(plan: RunPlan, target: Target) -> None:
    """Raises UsageError where the plan cannot be carried out against that database."""
    connections = sum(max(1, node.shards) for node in target.nodes if node.dc == target.local_dc)
    limit = STREAM_IDS * max(1, connections)
    wanted = max(phase.message["concurrency"] for phase in plan.phases)
    if wanted > limit:
        raise UsageError(
            f"--concurrency {wanted} is more than {limit}: {STREAM_IDS} stream ids on each of the "
            f"{connections} connection(s) of a process"
        )
    for node in () if plan.loopback else target.nodes:
        try:
            alone = ip_address(node.address).is_loopback
        except ValueError:
            alone = False
        if alone:
            raise UsageError(f"node {node.address} is on loopback, where other hosts cannot reach it: listen elsewhere")

"""What the tests of runs over several hosts share: phases without a database, processes of Dask, who started whom."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cqlsurge.load.worker.messages import VERSION
from cqlsurge.processes.group import ProcessGroup
from cqlsurge.processes.remote_group import RemoteGroup
from cqlsurge.results.document import broken_laws
from cqlsurge.results.figures import figures_of
from cqlsurge.results.host_figures import host_figures
from cqlsurge.results.listener import Listener
from cqlsurge.runs.documents import facts_of
from cqlsurge.runs.phase import Observer, PhaseResult, PhaseRun
from cqlsurge.runs.phases import PhasePlan

ROOT = Path(__file__).resolve().parents[2]
KV = {"seed": 1, "keyspace": "ks", "table": "kv", "mode": "write", "keys": 1000, "blob_size": 32}
PASSWORD = "a secret that Dask must never show"
TARGET = {
    "username": "u",
    "password": PASSWORD,
    "contact_points": [],
    "local_dc": "dc",
    "keyspace": "ks",
    "table": "kv",
    "nodes": [],
}
QUESTION = {"engine": "fake", "runtime": sys.executable, "files": []}


class Heard(Listener):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def look(group: RemoteGroup, **question: Any) -> None:
    group.look({**QUESTION, **question}, divided=True, note=lambda text: None, stage=lambda text: None)


def make_ready(group: ProcessGroup, each: Sequence[dict[str, Any]] = (), **options: Any) -> None:
    """Gives each process of a group the engine `fake`, and waits until all have it. `each`: options of one process."""
    count = len(group.processes)
    for index in range(count):
        plan = {
            "type": "plan", "version": VERSION, "engine": "fake", "seed": 1, "worker": index, "workers": count,
            "workload": {"name": "kv", "parameters": KV}, "target": TARGET, "core": None,
            "options": each[index] if each else options,
        }  # fmt: skip
        group.send(index, plan)
    ready = 0
    while ready < count:
        ready += sum(message is not None and message["type"] == "ready" for _, message in group.poll(1))


def plan(total: int | None, **message: Any) -> PhasePlan:
    common = {"workload": None, "concurrency": 16, "drain_s": 2.0}
    return PhasePlan("measure", total, {**common, **message}, writes=True)


def measures_of(group: ProcessGroup, result: PhaseResult) -> Any:
    """The figures of a phase, whose laws are checked."""
    counts = result.counts
    hosts = [
        host_figures(counts, facts_of(host), sparse, rated=False, whole=True)
        for host, sparse in zip(group.hosts, counts.of_hosts, strict=True)
    ]
    measures = figures_of(counts, result.numbers(), hosts=hosts)
    assert broken_laws({"operations": measures.operations}) == []
    for name in ("due", "issued", "ok"):
        assert sum(host["operations"][name] for host in measures.hosts) == measures.operations[name]
    return measures


class Ticks(Observer):
    """Calls a function at each tick."""

    def __init__(self, tick: Callable[[PhaseRun], None]) -> None:
        self._tick = tick

    def tick(self, phase: PhaseRun) -> None:
        self._tick(phase)


class DaskProcess:
    """A process of Dask's command line. `inside`: what to put before the command. Use as a context manager."""

    def __init__(self, *words: str, inside: Sequence[str] = (), **environment: str) -> None:
        self._command = [*inside, sys.executable, "-m", "dask", *words, "--no-dashboard"]
        variables = {name: value for name, value in {**os.environ, **environment}.items() if value}
        self.child = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True, cwd="/", env=variables)

    def wait_for(self, words: str) -> str:
        """The line of its log that holds these words."""
        assert self.child.stderr is not None
        lines = []
        while words not in (line := self.child.stderr.readline()):
            assert line, f"{self._command} ended: {''.join(lines)}"
            lines.append(line)
        return line

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def __enter__(self) -> DaskProcess:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()


def wait_for(condition: Any, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

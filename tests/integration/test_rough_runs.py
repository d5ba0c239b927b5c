"""What long runs meet: a full disk, the death of the parent, tablets that move, wall clocks that step.

How: whole runs as processes against the simulator; a small RLIMIT_FSIZE stands for a full disk (writes fail alike).
"""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cqlsurge.load.compiled.clock import Clock
from cqlsurge.results.document import broken_laws
from cqlsurge.runs.topology import TabletWatch
from tests.integration.wire_support import Simulator, simulator

ROOT = Path(__file__).resolve().parents[2]

#: who may ask the wall clock, and what for: never to measure or to wait
WALL_CLOCK = {
    "load/engines/scylla_driver/session.py": "client timestamps",
    "load/engines/wire/engine.py": "client timestamps: once, the monotonic clock from there on",
    "load/engines/wire/receive_stamps.py": "how far the kernel's stamps, of the wall clock, are from ours",
    "load/worker/main.py": "the hello message",
    "load/latency/hdr.py": "a log's start, in words",
    "runs/run.py": "started_at",
    "runs/steps.py": "started_at",
    "runs/resume.py": "how old the file of the earlier run is",
    "runs/outputs.py": "a log's start",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("rough"), "--nodes", "1") as running:
        yield running


def program(server: Simulator, *words: str, **options: Any) -> subprocess.Popen[str]:
    address = f"{server.host}:{server.port}"
    command = [sys.executable, str(ROOT / "program.py"), address, "--processes", "1", "--runtime", "cpython", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


#: the limit is set when the load processes have started, and no bytecode is written: it would be cut off, and kept
FULL_DISK = """
import resource, sys
from cqlsurge.results.listener import Listener
from cqlsurge.runs.run import exit_code, run
from cqlsurge.settings import Settings

class Fill(Listener):
    def connected(self, *facts):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    def warn(self, text):
        sys.stdout.write(f"warning: {text}\\n")

address, path = sys.argv[1:]
document = run(Settings(address=address, json=path, duration=3.0, processes=1, runtime="cpython"), Fill())
sys.stdout.write(f"{document['state']} {document['operations']['ok']}\\n")
sys.exit(exit_code(document))
"""


def test_a_full_disk_does_not_end_the_run(server: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    command = [sys.executable, "-B", "-c", FULL_DISK, f"{server.host}:{server.port}", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, "the run is done, its file is not: " + done.stdout + done.stderr
    warning, last = done.stdout.splitlines()
    assert "could not be written" in warning
    assert "the run goes on" in warning
    state, count = last.split()
    assert state == "done"
    assert int(count) > 0
    assert list(tmp_path.iterdir()) == []


def test_the_death_of_the_parent_leaves_what_was_measured(server: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    run = program(server, "--duration", "60s", "--concurrency", "8", "--json", str(path))
    try:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            document = json.loads(path.read_text()) if path.exists() else {}
            if document.get("operations", {}).get("ok"):
                break
            time.sleep(0.1)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    document = json.loads(path.read_text())
    assert document["state"] == "running"
    assert document["operations"]["ok"] > 0
    assert document["latency_us"]["write"]["service"]["count"] > 0
    assert broken_laws(document) == []
    assert document["verdict"]["bound_by"]


def test_tablets_that_move_are_noticed() -> None:
    maps = iter([((1, (("a", 0),)),), ((1, (("b", 0),)),)])
    watch = TabletWatch(lambda: next(maps), every_s=0.01)
    watch.start()
    seen = set()
    deadline = time.monotonic() + 20
    while len(seen) < 2 and time.monotonic() < deadline:
        seen |= {watch.latest} - {None}
    watch.stop()
    assert len(seen) == 2


def test_only_monotonic_clocks_measure() -> None:
    """A wall clock that steps can do no harm where nobody looks at it."""
    asked = set()
    for room in ("load", "processes", "runs"):
        for path in (ROOT / "cqlsurge" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and ast.unparse(node) in {
                    "time.time", "time.time_ns", "time.gmtime", "time.localtime", "datetime.now", "datetime.utcnow",
                }:  # fmt: skip
                    asked.add(str(path.relative_to(ROOT / "cqlsurge")))
    assert asked == set(WALL_CLOCK)


def test_timestamps_go_on_evenly_when_the_wall_clock_steps() -> None:
    clock = Clock(unix_ns=1_700_000_000_000_000_000, monotonic_ns=5_000_000_000)
    stamps = [clock.timestamp_us(5_000_000_000 + step * 1_000_000) for step in range(5)]
    assert stamps == [1_700_000_000_000_000 + step * 1000 for step in range(5)]

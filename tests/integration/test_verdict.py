"""Situations built to order get their right verdict: on the null server, the simulator and the real Cassandra.

How: servers and load run in processes of their own, as users run them. A server is made slow by SIGSTOP and SIGCONT in
turn, a client short of CPU by pinning it, and the simulator away from it, to one core. The rest is settings.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cqlsurge.database.embedded import EmbeddedCluster
from cqlsurge.host.cores import core_ids
from tests.conftest import start_or_skip

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
STOPPED_S, RUNNING_S = 0.3, 0.1


@dataclass
class Server:
    """A server that a test may stop and pin: its address and its process."""

    address: str
    pid: int


@contextmanager
def simulated(folder: Path, python: str, *options: str) -> Iterator[Server]:
    ready = folder / "ready"
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from cqlsurge.simulator.__main__ import main; main()"
    process = subprocess.Popen(
        [python, "-I", "-c", start, str(ROOT), "--port", "0", "--ready-file", str(ready), *options],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            if ready.exists() and ready.read_text():
                break
            assert process.poll() is None, "the simulator ended"
            time.sleep(0.05)
        yield Server(ready.read_text().strip(), process.pid)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module", params=["null", "simulator", "cassandra"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if request.param == "cassandra":
        # One of our own: it is stopped now and then.
        with start_or_skip(1) as cluster:
            pid = own_pid(cluster)
            yield Server(cluster.address, pid)
        return
    pypy = str(request.getfixturevalue("pypy"))
    options = ["--null"] if request.param == "null" else []
    with simulated(tmp_path_factory.mktemp(request.param), pypy, *options) as found:
        yield found


def own_pid(cluster: EmbeddedCluster) -> int:
    pid = cluster.nodes[0].jvm_pid
    assert pid is not None
    return pid


def verdict(server: Server, folder: Path, *words: str, cores: set[int] | None = None) -> dict[str, Any]:
    """The verdict of a short run; its words are printed, to be seen where a test fails."""
    path = folder / "run.json"
    command = [sys.executable, str(ROOT / "program.py"), server.address, "--quiet", "--json", str(path), *words]
    pin = None if cores is None else lambda: os.sched_setaffinity(0, cores)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, preexec_fn=pin)
    print(done.stdout, done.stderr)
    assert path.exists(), done.stdout + done.stderr
    document: dict[str, Any] = json.loads(path.read_text())
    said: dict[str, Any] = document["verdict"]
    assert f"bound by    {said['bound_by']}" in done.stdout
    return said


def codes(said: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in said["reasons"]}


@contextmanager
def standing_still_at_times(pid: int) -> Iterator[None]:
    over = threading.Event()

    def cycle() -> None:
        while not over.wait(RUNNING_S):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(STOPPED_S)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=cycle)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def one_core_for_the_client() -> tuple[int, set[int]]:
    """A core for the client, and the others. On a crowded machine nobody knows who is short of CPU."""
    first, *others = core_ids()
    if not others or os.getloadavg()[0] > 2 * len(core_ids()):
        pytest.skip("client and server need a core each, and the machine is not free")
    return first, set(others)


def pin(server: Server, cores: set[int]) -> None:
    """All threads of a server to these cores."""
    for task in os.listdir(f"/proc/{server.pid}/task"):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task), cores)


def test_one_core_for_a_client_that_batches(pypy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wire engine on CPython without numpy costs more than the null server: its answers lie at the client.

    It comes first, while no other server of this module takes time from the null server's core.
    """
    monkeypatch.setenv("CQLSURGE_WIRE_NUMPY", "0")
    first, others = one_core_for_the_client()
    with simulated(tmp_path, str(pypy), "--null") as server:
        pin(server, others)
        said = verdict(
            server, tmp_path, "--runtime", "cpython", "--processes", "3", "--concurrency", "256", "--duration", "3s",
            "--warmup", "1s", cores={first},
        )  # fmt: skip
    assert said["bound_by"] == "client"
    assert said["figures"]["client_share"] >= 0.5


def test_one_in_flight(server: Server, tmp_path: Path) -> None:
    said = verdict(server, tmp_path, "--concurrency", "1", "--duration", "2s")
    assert said["bound_by"] == "concurrency"
    assert "--concurrency 64" in said["advice"]


def test_a_rate_below_capacity(server: Server, tmp_path: Path) -> None:
    said = verdict(server, tmp_path, "--rate", "200", "--duration", "3s", "--warmup", "1s")
    assert said["bound_by"] == "rate"
    assert said["figures"]["rate_asked_ops_s"] == pytest.approx(200, rel=0.01)


def test_a_slow_server(server: Server, tmp_path: Path) -> None:
    with standing_still_at_times(server.pid):
        said = verdict(server, tmp_path, "--concurrency", "32", "--duration", "3s")
    assert said["bound_by"] == "server"


def test_a_client_on_one_core(server: Server, tmp_path: Path) -> None:
    """Three processes of the costliest engine on one core; the server has all others to itself."""
    first, others = one_core_for_the_client()
    before = os.sched_getaffinity(server.pid)
    pin(server, others)
    try:
        said = verdict(
            server, tmp_path, "--engine", "scylla-driver", "--technique", "batch", "--runtime", "cpython",
            "--processes", "3", "--concurrency", "32", "--duration", "4s", "--warmup", "2s", cores={first},
        )  # fmt: skip
    finally:
        pin(server, before)
    assert said["bound_by"] == "client"
    assert "3 load processes share 1 core" in said["advice"]

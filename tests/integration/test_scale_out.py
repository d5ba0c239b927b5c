"""The same run on many hosts, as its users start it.

How: hosts are network namespaces that the test makes, each with an address of its own; a real Cassandra in one, Dask
and load processes in others. Keys are counted by scylla-driver alone, from outside. Faults are real signals.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

from cqlsurge.load.latency.hdr import decode
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.results.document import broken_laws
from tests.conftest import cannot_have
from tests.database.embedded.held import CLI
from tests.integration.netns import Network, network, why_not
from tests.integration.wire_support import simulator
from tests.processes.hosts import DaskProcess, runs, wait_for

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "program.py")]
LOADERS = ("h1", "h2", "h3")
DASK_PORT = "8786"

READ_KEYS = """
import sys
from cassandra.cluster import Cluster
session = Cluster([sys.argv[1]], protocol_version=4, compression=False).connect()
for row in session.execute("SELECT key FROM once.kv", timeout=60):
    print(row.key.hex)
"""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """`db` with Cassandra on port 9042, `ctl` with a Dask scheduler, a Dask worker on each of the loaders."""
    if reason := why_not():
        cannot_have(reason)
    ready = tmp_path_factory.mktemp("netns") / "ready"
    with ExitStack() as stack:
        net = stack.enter_context(network("ctl", "db", *LOADERS))
        words = ["cassandra", "--listen", net.address("db"), "--port", "9042", "--ready-file", str(ready)]
        held = subprocess.Popen(
            [*net.inside("db"), sys.executable, "-c", CLI, *words], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        stack.callback(held.wait)
        stack.callback(held.terminate)
        common = ["--host", net.address("ctl"), "--port", DASK_PORT]
        scheduler = stack.enter_context(DaskProcess("scheduler", *common, inside=net.inside("ctl")))
        workers = []
        for name in LOADERS:
            words = ["worker", dask_address(net), "--host", net.address(name), "--nthreads", "1", "--no-nanny"]
            workers.append(stack.enter_context(DaskProcess(*words, inside=net.inside(name))))
        scheduler.wait_for("Scheduler at:")
        for worker in workers:
            worker.wait_for("Registered to")
        wait_for(lambda: ready.exists() or held.poll() is not None, 240)
        if held.poll() is not None:
            assert held.stderr is not None
            cannot_have(held.stderr.read().decode())
        yield net


def dask_address(net: Network) -> str:
    return f"tcp://{net.address('ctl')}:{DASK_PORT}"


def command(net: Network, path: Path, *words: str) -> list[str]:
    load = [*PROGRAM, net.address("db"), "--dask", dask_address(net), "--processes", "1", "--json", str(path)]
    return [*net.inside("ctl"), *load, *words]


def test_three_hosts_write_each_key_once(hosts: Network, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    words = ["--operations", "12001", "--concurrency", "32", "--keyspace", "once"]
    done = subprocess.run(command(hosts, path, *words), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    read = [*hosts.inside("ctl"), sys.executable, "-c", READ_KEYS, hosts.address("db")]
    keys = subprocess.run(read, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    expected = KeyValue(seed=1, keyspace="once", table="kv", mode="write", keys=12_001)
    assert len(keys) == 12_001
    assert set(keys) == {expected.routing_key(index).hex() for index in range(12_001)}
    document = json.loads(path.read_text())
    # As many writes as keys: none was written twice.
    assert document["operations"]["issued"] == document["operations"]["ok"] == 12_001
    assert [host["host"] for host in document["hosts"]] == [hosts.address(name) for name in LOADERS]
    assert all(host["operations"]["ok"] > 0 for host in document["hosts"])
    for name, text in document["histograms"]["write"].items():
        parts = [decode(host["histograms"]["write"][name]) for host in document["hosts"]]
        assert decode(text) == [sum(cell) for cell in zip(*parts, strict=True)]
    assert document["client"]["start_skew_ms"] < 50
    carried = sum(host["message_bytes"] for host in document["hosts"])
    assert carried < 0.01 * (document["client"]["bytes_out"] + document["client"]["bytes_in"])


def test_the_rate_is_held_when_a_host_is_lost(hosts: Network, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    words = ["--rate", "600", "--duration", "8s", "--keyspace", "lost", "--blob-size", "100"]
    child = subprocess.Popen(command(hosts, path, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for_load(child)
    for pid in hosts.pids("h3"):
        os.kill(pid, signal.SIGKILL)
    text, _ = child.communicate(timeout=60)
    assert child.returncode == 1, text
    lost = hosts.address("h3")
    assert f"on {lost}) is lost: host {lost}: the connection to its Dask worker broke" in text
    document = json.loads(path.read_text())
    assert document["state"] == "partial"
    assert broken_laws(document) == []
    assert [host["lost"] is None for host in document["hosts"]] == [True, True, False]
    assert document["unacknowledged"]["ranges"]
    noticed_s = next(event["t_s"] for event in document["events"] if "whole rate" in event["event"])
    rows = [row for row in document["timeline"] if noticed_s + 3 <= row["t_s"] - 1 and row["t_s"] <= 8]
    assert rows, document["timeline"]
    assert sum(row["ok"] for row in rows) / sum(row["span_s"] for row in rows) == pytest.approx(600, rel=0.1)


def test_ctrl_c_stops_all_hosts(tmp_path: Path) -> None:
    """As a terminal sends it: to all processes that it started."""
    path, page = tmp_path / "run.json", tmp_path / "run.html"
    with simulator(tmp_path) as server:
        words = ["--hosts", "local:2", "--processes", "1", "--runtime", "cpython", "--duration", "60s"]
        outputs = ["--json", str(path), "--report", str(page)]
        child = subprocess.Popen(
            [*PROGRAM, f"{server.host}:{server.port}", *words, *outputs],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        wait_for_load(child)
        pids = load_processes(child.pid)
        assert len(pids) == 2
        began_s = time.monotonic()
        os.killpg(child.pid, signal.SIGINT)
        wait_for(lambda: not any(map(runs, pids)), 10)
        assert time.monotonic() - began_s < 3
        text, _ = child.communicate(timeout=10)
    assert child.returncode == 130, text
    assert "INTERRUPTED" in text
    assert "Traceback" not in text
    document: dict[str, Any] = json.loads(path.read_text())
    assert document["state"] == "interrupted"
    assert [host["host"] for host in document["hosts"]] == ["local1", "local2"]
    assert "local2" in page.read_text()


def wait_for_load(child: subprocess.Popen[str]) -> None:
    """Until the measured phase of a run has gone on for a second or two."""
    assert child.stdout is not None
    assert any(line.startswith("measure") for line in iter(child.stdout.readline, ""))
    time.sleep(1.5)


def load_processes(pid: int) -> list[int]:
    """The load processes that a process has started, itself or through others."""
    found, parents = [], [pid]
    while parents:
        words = ["pgrep", "-a", "-P", ",".join(map(str, parents))]
        lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
        parents = [int(line.split()[0]) for line in lines]
        found += [int(line.split()[0]) for line in lines if "bootstrap.py" in line]
    return found


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--hosts", "h1,h2"], "other hosts cannot reach it"),
        (["127.0.0.1", "--hosts", "local:2", "--dask", "tcp://127.0.0.1:1"], "not both"),
        (["127.0.0.1", "--dask", "tcp://127.0.0.1:1"], "no Dask scheduler answers at tcp://127.0.0.1:1"),
        (["127.0.0.1", "--hosts", "local:0"], "not 1 or more"),
    ],
)
def test_what_cannot_be_is_said_before_the_load(words: list[str], part: str) -> None:
    done = subprocess.run([*PROGRAM, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {1, 2}
    assert part in done.stderr
    assert "Traceback" not in done.stderr

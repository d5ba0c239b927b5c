"""The main job as its users see it: `program.py` in a process of its own, against the real Cassandra.

Keys are counted and values compared by this test through scylla-driver alone. Faults are real signals to processes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import RoundRobinPolicy

from cqlsurge.database.embedded import EmbeddedCluster
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.results.document import broken_laws

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "program.py")]
#: PyPy compiles its loops anew in each process: seconds of CPU that most of these tests have no need of
CPYTHON = ["--runtime", "cpython"]

pytestmark = pytest.mark.cassandra


@pytest.fixture(scope="module")
def session(cassandra: EmbeddedCluster) -> Iterator[Session]:
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    cluster = Cluster(
        [cassandra.host], port=cassandra.port, protocol_version=4, compression=False,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
    )  # fmt: skip
    yield cluster.connect()
    cluster.shutdown()


def program(cassandra: EmbeddedCluster, *words: str, code: int = 0) -> str:
    runtime = [] if "--runtime" in words else CPYTHON
    result = subprocess.run(
        [*PROGRAM, cassandra.address, *words, *runtime], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout + result.stderr


def document(cassandra: EmbeddedCluster, path: Path, *words: str, code: int = 0) -> dict[str, Any]:
    program(cassandra, *words, "--json", str(path), code=code)
    data: dict[str, Any] = json.loads(path.read_text())
    assert broken_laws(data) == []
    return data


def test_each_key_is_written_once_and_none_besides(
    cassandra: EmbeddedCluster, session: Session, tmp_path: Path
) -> None:
    """20000 operations over 3 processes: the remainder is included, whatever the blocks were."""
    data = document(
        cassandra, tmp_path / "run.json", "--keyspace", "once", "--operations", "20000", "--processes", "3",
        "--concurrency", "32", "--runtime", "auto",
    )  # fmt: skip
    assert data["state"] == "done"
    assert data["operations"]["ok"] == 20_000
    assert data["client"]["processes"] == 3
    expected = KeyValue(seed=1, keyspace="once", table="kv", mode="write", keys=20_000)
    rows = {row.key.bytes: row.value for row in session.execute("SELECT key, value FROM once.kv", timeout=60)}
    assert rows.keys() == {expected.routing_key(index) for index in range(20_000)}
    for index in range(0, 20_000, 97):
        assert rows[expected.routing_key(index)] == expected.value(index)


@pytest.mark.parametrize("engine", ["wire", "scylla-driver"])
def test_reads_find_what_another_engine_wrote(cassandra: EmbeddedCluster, tmp_path: Path, engine: str) -> None:
    writer = "scylla-driver" if engine == "wire" else "wire"
    common = ["--keyspace", f"across_{engine[:4]}", "--operations", "3000", "--concurrency", "16", "--seed", "7"]
    document(cassandra, tmp_path / "w.json", *common, "--engine", writer, "--processes", "2")
    data = document(
        cassandra, tmp_path / "r.json", *common, "--engine", engine, "--processes", "1", "--mode", "read", "--verify"
    )
    assert data["operations"]["rows"] == 3000
    assert data["errors"] == {}


def test_reads_of_another_seed_find_nothing_and_the_summary_says_so(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    common = ["--keyspace", "seeds", "--operations", "500", "--concurrency", "8"]
    program(cassandra, *common)
    text = program(cassandra, *common, "--mode", "read", "--seed", "2")
    assert "0 of 500 reads found one" in text
    text = program(cassandra, *common, "--mode", "read", "--seed", "2", "--verify", code=1)
    assert "missing 500" in text


def test_mixed_fills_its_population_and_keeps_its_ratio(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    data = document(
        cassandra, tmp_path / "m.json", "--keyspace", "mixed", "--mode", "mixed", "--read-ratio", "0.8",
        "--operations", "5000", "--keys", "1000", "--concurrency", "16", "--verify",
    )  # fmt: skip
    counts = {kind: figures["service"]["count"] for kind, figures in data["latency_us"].items()}
    assert counts["all"] == 5000
    assert counts["read"] == pytest.approx(4000, abs=150)
    assert data["operations"]["rows"] == counts["read"]


def test_a_bare_run_hints_at_what_would_be_faster(cassandra: EmbeddedCluster) -> None:
    text = program(cassandra, "--operations", "300", "--keyspace", "bare")
    assert "--concurrency 64" in text


def test_duration_alone_ends_the_run_by_time(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    data = document(
        cassandra,
        tmp_path / "d.json",
        "--keyspace",
        "timed",
        "--duration",
        "2s",
        "--warmup",
        "1s",
        "--concurrency",
        "8",
    )
    assert 1.5 < data["duration_s"] < 3
    measured = data["latency_us"]["all"]["service"]["count"]
    assert 0 < measured < data["operations"]["ok"], "the warm-up counts in operations, not in latency"


def test_from_repeats_a_run(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    first = document(
        cassandra,
        tmp_path / "a.json",
        "--keyspace",
        "again",
        "--operations",
        "700",
        "--concurrency",
        "5",
        "--seed",
        "3",
    )
    second = document(cassandra, tmp_path / "b.json", "--from", str(tmp_path / "a.json"), "--operations", "800")
    expected = {**first["settings"], "operations": 800, "json": str(tmp_path / "b.json")}
    assert second["settings"] == expected


def test_the_database_is_checked_before_the_load(cassandra: EmbeddedCluster, session: Session) -> None:
    session.execute("CREATE KEYSPACE other WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.execute("CREATE TABLE other.kv (id int PRIMARY KEY, name text)")
    for words, part, code in [
        (["--keyspace", "other"], "has other columns (id int, name text)", 1),
        (["--dc", "mars"], "the cluster has datacenter1", 2),
        (["--keyspace", "none", "--no-create"], "--no-create", 1),
        (["--keyspace", "rf", "--replication", "3"], "has 1 node", 2),
        (["--keyspace", "withs", "--create-with", "no_such_option = 1"], "--create-with", 2),
        (["--keyspace", "tab", "--no-tablets"], "ScyllaDB", 2),
        (["--concurrency", "40000"], "32768", 2),
    ]:
        text = program(cassandra, *words, "--operations", "10", code=code)
        assert part in text, text
        assert "Traceback" not in text


def test_truncate_and_create_with(cassandra: EmbeddedCluster, session: Session) -> None:
    program(cassandra, "--keyspace", "trunc", "--operations", "50", "--create-with", "comment = 'ours'")
    # From the table itself: the driver of this session hears of it when it gets round to it.
    rows = session.execute(
        "SELECT comment FROM system_schema.tables WHERE keyspace_name = 'trunc' AND table_name = 'kv'"
    )
    assert rows.one()[0] == "ours"
    program(cassandra, "--keyspace", "trunc", "--operations", "20", "--truncate", "--key-offset", "1000")
    assert session.execute("SELECT count(*) FROM trunc.kv").one()[0] == 20


def test_ctrl_c_ends_within_two_seconds_and_keeps_what_was_measured(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    command = [*PROGRAM, cassandra.address, *CPYTHON, "--keyspace", "ctrlc", "--duration", "60s", "--concurrency", "8"]
    child = subprocess.Popen([*command, "--json", str(path)], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: path.exists() and json.loads(path.read_text())["operations"]["ok"] > 0)
    assert json.loads(path.read_text())["state"] == "running"
    started_s = time.monotonic()
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGINT)
    text, _ = child.communicate(timeout=10)
    assert time.monotonic() - started_s < 3
    assert child.returncode == 130
    assert "INTERRUPTED" in text
    data = json.loads(path.read_text())
    assert data["state"] == "interrupted"
    assert data["operations"]["ok"] > 0
    assert broken_laws(data) == []


def test_verify_allows_for_what_an_interrupted_run_left_open(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    common = ["--keyspace", "halfway", "--operations", "20000", "--concurrency", "64"]
    command = [*PROGRAM, cassandra.address, *CPYTHON, *common, "--rate", "2k", "--json", str(path)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_for(lambda: path.exists() and json.loads(path.read_text())["operations"]["ok"] > 0)
    child.send_signal(signal.SIGINT)
    child.wait(timeout=20)
    written = json.loads(path.read_text())
    open_numbers = sum(past - first for first, past in written["unacknowledged"]["ranges"])
    assert open_numbers >= 20_000 - written["operations"]["ok"]
    read = [*common, "--mode", "read", "--verify"]
    data = document(cassandra, tmp_path / "r.json", *read, str(path))
    assert written["operations"]["ok"] <= data["operations"]["rows"] < 20_000
    program(cassandra, *read, code=1)


def test_a_killed_load_process_is_named_and_the_others_finish(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    command = [*PROGRAM, cassandra.address, *CPYTHON, "--keyspace", "killed", "--duration", "4s", "--processes", "2"]
    child = subprocess.Popen([*command, "--json", str(path)], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: path.exists())
    victim = children_of(child.pid)[0]
    os.kill(victim, signal.SIGKILL)
    text, _ = child.communicate(timeout=30)
    assert child.returncode == 1
    assert f"pid {victim}" in text
    assert "SIGKILL" in text
    assert json.loads(path.read_text())["state"] == "partial"


def test_nothing_outlives_a_killed_parent(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    command = [*PROGRAM, cassandra.address, *CPYTHON, "--keyspace", "orphan", "--duration", "60s", "--processes", "2"]
    child = subprocess.Popen([*command, "--json", str(path)], stdout=subprocess.DEVNULL)
    wait_for(lambda: path.exists())
    workers = children_of(child.pid)
    assert len(workers) >= 2
    child.kill()
    child.wait()
    wait_for(lambda: not any(alive(pid) for pid in workers), timeout_s=5)


def test_the_document_on_standard_output_is_alone_there(cassandra: EmbeddedCluster) -> None:
    command = [*PROGRAM, cassandra.address, *CPYTHON, "--keyspace", "stdout", "--operations", "100", "--json", "-"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(result.stdout)["operations"]["ok"] == 100
    assert "throughput" in result.stderr


def wait_for(condition: Any, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def children_of(pid: int) -> list[int]:
    text = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in text.split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False

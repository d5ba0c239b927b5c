"""Clients that no one here wrote: they connect, discover the cluster, prepare, and write and read 20000 rows.

How: each runs its script under clients/ in a process, those that the project does not depend on in an environment of
their own that uv makes in the cache; where that cannot be had the test is skipped with the reason. The simulator counts
what came to the right shard.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from simulated import simulated

from cqlsurge.processes.environments import cache_folder

CLIENTS = Path(__file__).parent / "clients"
ROWS = 20_000
FEW_ROWS = 2_000
RUN_S = 280
# While a client learns the tablets it may be wrong once for each of them and for each request then under way.
LEARNING = 1_000


def environment(package: str) -> str:
    """A Python that has the package; skips where it cannot be installed."""
    folder = cache_folder() / "test-clients" / f"{package}-{sys.version_info[0]}.{sys.version_info[1]}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        for command in (
            ["uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)],
            ["uv", "pip", "install", "--quiet", "--python", str(python), package],
        ):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
            except (OSError, subprocess.TimeoutExpired) as error:
                cannot_have(f"{package} cannot be installed: {error}")
            if done.returncode:
                cannot_have(f"{package} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
        ready.touch()
    return str(python)


def cannot_have(reason: str) -> None:
    if os.environ.get("CQLSURGE_REQUIRE_ALL") == "1":
        pytest.fail(f"CQLSURGE_REQUIRE_ALL=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def run(server, python: str, script: str, rows: int):
    """What a client's script said, after it wrote and read all rows."""
    command = [python, str(CLIENTS / script), server.host, str(server.port), server.control, str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["written"], said["read"]) == (rows, rows)
    return said


@pytest.mark.parametrize("mode", ["vnodes", "tablets"])
@pytest.mark.parametrize("rows", [FEW_ROWS, pytest.param(ROWS, marks=pytest.mark.long)])
def test_scylla_driver_is_never_wrong_after_warm_up(mode, rows):
    """Writing is the warm-up: then every read must come to a replica's shard, through connections to all shards."""
    with simulated("--nodes=3", "--shards=4", *(["--tablets"] if mode == "tablets" else [])) as server:
        said = run(server, sys.executable, "python_driver.py", rows)
    assert said["hosts"] == 3
    assert said["pools"] == {f"127.0.0.{number}": [4, 4] for number in (1, 2, 3)}
    assert (said["counts"]["right"], said["counts"]["errors"]) == (rows, 0)
    assert (said["counts"]["wrong_shard"], said["counts"]["wrong_node"]) == (0, 0)


@pytest.mark.long
@pytest.mark.parametrize("options", [["--like=cassandra"], ["--shards=2"]], ids=["cassandra", "scylla"])
def test_cassandra_driver(options):
    """It knows nothing of shards, but must find the nodes."""
    with simulated("--nodes=3", *options) as server:
        said = run(server, environment("cassandra-driver"), "python_driver.py", ROWS)
    assert said["hosts"] == 3
    assert (said["counts"]["wrong_node"], said["counts"]["errors"]) == (0, 0)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["vnodes", "tablets"])
@pytest.mark.parametrize(
    ("package", "script"), [("acsylla", "acsylla_client.py"), ("scylladb-rs-driver", "scylladb_rs_client.py")]
)
def test_native_drivers_route_by_shard(package, script, mode):
    with simulated("--nodes=3", "--shards=4", *(["--tablets"] if mode == "tablets" else [])) as server:
        run(server, environment(package), script, ROWS)
        total = server.get()["total"]
    assert total["errors"] == 0
    assert total["wrong_shard"] + total["wrong_node"] <= (LEARNING if mode == "tablets" else 0)


def test_scylla_driver_uses_the_null_server():
    """Its rows are not kept, so only that every request is answered counts; reads come back with other values."""
    code = """
import sys
from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args
import uuid
cluster = Cluster([sys.argv[1]], port=int(sys.argv[2]), protocol_version=4)
session = cluster.connect()
session.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
session.execute("CREATE TABLE ks.kv (key uuid PRIMARY KEY, value blob)")
keys = [(uuid.uuid4(), b"x") for _ in range(500)]
assert all(done for done, _ in execute_concurrent_with_args(
    session, session.prepare("INSERT INTO ks.kv (key, value) VALUES (?, ?)"), keys))
for key, _ in keys[:100]:
    row = session.execute(session.prepare("SELECT * FROM ks.kv WHERE key = ?"), (key,)).one()
    assert row.key == key and row.value.startswith(key.bytes) and len(row.value) == 321
cluster.shutdown()
"""
    with simulated("--null", "--nodes=2", "--shards=2", "--blob-size=321") as server:
        command = [sys.executable, "-W", "ignore", "-c", code, server.host, str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
        assert done.returncode == 0, done.stderr
        assert server.get()["total"]["errors"] == 0

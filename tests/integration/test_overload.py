"""Whole runs at a rate that is too much, with a node that goes away, and with deleted rows to be missed.

How: the simulator serves so many operations a second and no more, or drops a node; counts decide, not times.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cassandra.cluster import Cluster

from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.runs.run import exit_code, run
from cqlsurge.settings import Settings
from tests.integration.wire_support import Simulator, simulator

pytestmark = pytest.mark.long

COMMON: dict[str, Any] = {"processes": 1, "runtime": "cpython", "blob_size": 16}


def load(server: Simulator, **settings: Any) -> dict[str, Any]:
    return run(Settings(**{**COMMON, "address": f"{server.host}:{server.port}", **settings}))


def said(document: dict[str, Any], code: str) -> str:
    (text,) = (reason["saw"] for reason in document["verdict"]["reasons"] if reason["code"] == code)
    return str(text)


def test_of_a_ramp_it_is_said_where_the_server_gave_way(tmp_path: Path) -> None:
    with simulator(tmp_path, "--nodes", "1", "--queue", "fixed:mean=5ms") as server:
        document = load(server, rate="ramp:20..500@6s", duration=6.0)
    assert document["verdict"]["bound_by"] == "server"
    text = said(document, "gave_way")
    assert "answers fell behind" in text
    assert float(text.split()[1]) <= 4, "200 a second are reached after 2.3 s"


def test_a_rate_just_above_what_the_server_carries_is_not_kept(tmp_path: Path) -> None:
    with simulator(tmp_path, "--nodes", "1", "--queue", "fixed:mean=5ms") as server:
        document = load(server, rate="240", duration=5.0)
    assert document["verdict"]["bound_by"] == "server"
    assert document["stragglers"]["in_flight"] > 100


def test_a_node_that_goes_away_is_no_imbalance(tmp_path: Path) -> None:
    with simulator(tmp_path, "--nodes", "3", "--fault", "down:node=3,from=5s") as server:
        document = load(server, rate="300", duration=7.0, replication="2", error_budget="100%")
    assert "127.0.0.3" in said(document, "node_away")
    assert "unbalanced" not in {reason["code"] for reason in document["verdict"]["reasons"]}


@pytest.mark.parametrize("deleted", [0, 300])
def test_every_acknowledged_row_of_a_run_of_a_duration_is_guarded(tmp_path: Path, deleted: int) -> None:
    """Two processes: the second one's block begins at number 1,048,576, which is row 48,576 of a million."""
    path, keys, first = tmp_path / "run.json", 1_000_000, (1 << 20) % 1_000_000
    with simulator(tmp_path, "--nodes", "1") as server:
        written = load(server, duration=1.5, processes=2, keys=keys, concurrency=8, json=str(path))
        begun = [number for number, _ in json.loads(path.read_text())["unacknowledged"]["ranges"]]
        assert begun[1] > (1 << 20) + deleted, written["operations"]
        asked = {"mode": "read", "verify": str(path), "operations": 400, "keys": 400, "concurrency": 8}
        workload = KeyValue(seed=1, keyspace="test", table="kv", mode="write", keys=keys, blob_size=16)
        with Cluster([server.host], port=server.port) as cluster:
            session = cluster.connect(written["settings"]["keyspace"])
            delete = session.prepare(f"DELETE FROM {written['settings']['table']} WHERE key = ?")
            for number in range(deleted):
                session.execute(delete, [UUID(bytes=workload.routing_key(first + number))])
        found = load(server, **asked, key_offset=first)
        assert found["errors"] == ({"missing": deleted} if deleted else {})
        assert exit_code(found) == int(bool(deleted))
        assert load(server, **asked, key_offset=keys - 400)["errors"] == {}, "what was never written may be missing"

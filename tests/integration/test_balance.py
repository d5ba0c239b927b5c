"""Balance in whole runs against the simulator: rows of `targets`, and the stop on precision. Counts; little timing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cqlsurge.runs.run import run
from cqlsurge.settings import Settings
from tests.integration.wire_support import simulator


@pytest.mark.parametrize("options", [(), ("--tablets",)], ids=["ring", "tablets"])
def test_each_shard_gets_what_is_expected(tmp_path: Path, options: tuple[str, ...]) -> None:
    with simulator(tmp_path, "--nodes", "3", "--shards", "2", *options) as server:
        address = f"{server.host}:{server.port}"
        settings = Settings(
            address=address, operations=20_000, concurrency=64, processes=2, runtime="cpython", blob_size=16,
            replication="2",
        )  # fmt: skip
        document = run(settings)
    rows = document["targets"]
    assert len(rows) == 6
    assert sum(row["share"] for row in rows) == pytest.approx(1, abs=1e-5)
    assert sum(row["expected_share"] for row in rows) == pytest.approx(1, abs=1e-5)
    for row in rows:
        assert row["share"] == pytest.approx(row["expected_share"], abs=0.02)
    assert "unbalanced" not in {reason["code"] for reason in document["verdict"]["reasons"]}


@pytest.mark.long
def test_a_run_ends_when_its_percentile_is_known(tmp_path: Path) -> None:
    with simulator(tmp_path, "--nodes", "1", "--latency", "fixed:20ms") as server:
        address = f"{server.host}:{server.port}"
        settings = Settings(
            address=address, until="p50 +- 90%", duration=50.0, concurrency=8, processes=1, runtime="cpython"
        )
        document = run(settings)
    assert document["state"] == "done"
    assert document["precision"]["reached"]
    assert document["precision"]["half_width"] <= 0.9
    assert 11 < document["duration_s"] < 45
    assert document["operations"]["in_flight"] == 0

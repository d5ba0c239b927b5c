"""The wire engine against real Cassandra: what it writes is there, LZ4 both ways, and a node killed under load.

How: the session's embedded clusters; every acknowledged write is read back and compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cqlsurge.load.cql.compression import lz4_support
from cqlsurge.load.outcomes.ranges import Ranges
from tests.integration.wire_support import make_target, opened, outcomes, run_phase, workload

if TYPE_CHECKING:
    from cqlsurge.database.embedded import EmbeddedCluster

pytestmark = pytest.mark.cassandra
THREE = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"


@pytest.mark.parametrize(("fill", "compression"), [("random", False), ("random", True), ("text", True)])
def test_what_is_written_is_there(cassandra: EmbeddedCluster, fill: str, compression: bool) -> None:
    if compression and lz4_support().block is None:
        pytest.skip(lz4_support().reason)
    target = make_target(cassandra.host, cassandra.port, compression=compression)
    write, read = (workload(mode, 3000, 1000, fill=fill) for mode in ("write", "read"))
    with opened(target, write) as (engine, facts):
        assert facts["compression"] == ("lz4" if compression else None)
        assert outcomes(run_phase(engine, write, 3000, 100)) == (3000, 0, 0)
        checked = run_phase(engine, read, 3000, 100, verify_share=1.0)
        assert outcomes(checked) == (3000, 0, 0)
        assert checked.kinds[1].rows == 3000


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_node_is_killed_and_comes_back(cassandra3: EmbeddedCluster) -> None:
    target = make_target(cassandra3.host, cassandra3.port, replication=THREE)
    keys = 1_000_000
    write = workload("write", keys, 100)

    def says(polls: int) -> list[dict[str, Any]]:
        if polls == 100:
            cassandra3.kill_node(2)
        return []

    for kind in write.kinds:
        object.__setattr__(kind, "consistency", "LOCAL_QUORUM")
    with opened(target, write, request_timeout_s=5.0) as (engine, _):
        run = run_phase(engine, write, keys, 64, says=says, duration_s=12.0)
        cassandra3.start_node(2)
        ok, failed, unknown = outcomes(run)
        assert ok > 1000
        assert failed + unknown <= 200, run.errors
        after = run_phase(engine, write, 20_000, 64, first=run.issued)
        assert outcomes(after)[0] == 20_000
        maybe = Ranges(run.unacknowledged.pairs())
        read = workload("read", keys, 100)
        for kind in read.kinds:
            object.__setattr__(kind, "consistency", "LOCAL_QUORUM")
        found = run_phase(engine, read, run.issued, 64, verify_share=1.0)
    assert "wrong" not in found.errors
    assert found.errors.get("missing", 0) <= len(maybe)

"""The wire engine under every fault of the simulator: exact counts, nothing left over, no answer given to another.

How: a simulator in a process of its own, the engine in this one; each fault strikes at random and in a burst. What the
simulator says it did must be what the engine counted. Reads are verified, so that a wrong answer would be a wrong row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.wire_support import Simulator, make_target, opened, outcomes, run_phase, simulator, workload

if TYPE_CHECKING:
    from collections.abc import Iterator

NODES, SHARDS = 3, 4


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("sharded")
    with simulator(folder, "--nodes", str(NODES), "--shards", str(SHARDS)) as running:
        yield running


@pytest.fixture
def server(sharded: Simulator) -> Iterator[Simulator]:
    """The simulator, without faults before and after."""
    yield sharded
    sharded.ask("faults/clear")
    for node in range(1, NODES + 1):
        sharded.ask("shard-port", node=node, open=True)


def test_connections_for_any_shard_are_made_under_load(server: Simulator) -> None:
    """Through the plain port several dials may bring the same shard: what is in flight on it must not be forgotten."""
    load = workload("mixed", 5000)
    with opened(make_target(server.host, server.port), load, retries=8, request_timeout_s=1.0) as (engine, _):
        run_phase(engine, workload("write", 5000), 5000)
        for node in range(1, NODES + 1):
            server.ask("shard-port", node=node, open=False)
        server.ask("faults", spec="reset:p=0.01")
        recorder = run_phase(engine, load, 20_000, 64, verify_share=1.0)
    assert sum(outcomes(recorder)) == recorder.issued == 20_000

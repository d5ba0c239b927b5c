"""The wire engine under every fault of the simulator: exact counts, nothing left over, no answer given to another.

How: a simulator in a process of its own, the engine in this one; each fault strikes at random and in a burst. What the
simulator says it did must be what the engine counted. Reads are verified, so that a wrong answer would be a wrong row.
"""

from __future__ import annotations

import dataclasses
import socket
from typing import TYPE_CHECKING

import pytest

from cqlsurge.load.engines.contract import Setup
from cqlsurge.load.engines.wire import dial, pool
from cqlsurge.load.engines.wire.engine import WireEngine
from cqlsurge.simulator.inject.faults import ERRORS
from tests.integration.wire_support import Simulator, make_target, opened, outcomes, run_phase, simulator, workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cqlsurge.load.engines.contract import Target

NODES, SHARDS = 3, 4


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("sharded")
    with simulator(folder, "--nodes", str(NODES), "--shards", str(SHARDS)) as running:
        yield running


@pytest.fixture(scope="module")
def target(sharded: Simulator) -> Target:
    """The simulator as the engine is told of it, with 2000 rows."""
    made, load = make_target(sharded.host, sharded.port), workload("write", 2000)
    with opened(made, load) as (engine, _):
        assert outcomes(run_phase(engine, load, 2000)) == (2000, 0, 0)
    return made


@pytest.fixture
def server(sharded: Simulator) -> Iterator[Simulator]:
    """The simulator, without faults before and after."""
    yield sharded
    sharded.ask("faults/clear")
    for node in range(1, NODES + 1):
        sharded.ask("shard-port", node=node, open=True)


def test_connections_for_any_shard_are_made_under_load(server: Simulator, target: Target) -> None:
    """Through the plain port several dials may bring the same shard: what is in flight on it must not be forgotten."""
    load = workload("mixed", 2000)
    with opened(target, load, retries=8, request_timeout_s=1.0) as (engine, _):
        for node in range(1, NODES + 1):
            server.ask("shard-port", node=node, open=False)
        server.ask("faults", spec="reset:p=0.01")
        recorder = run_phase(engine, load, 10_000, 64, verify_share=1.0)
    assert sum(outcomes(recorder)) == recorder.issued == 10_000


def test_a_shard_aware_port_that_swallows_connections_is_left(
    server: Simulator, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a firewall that drops: a listener whose queue is full answers no SYN."""
    monkeypatch.setattr(pool, "DIAL_NS", 500_000_000)
    with socket.create_server((server.host, 0), backlog=0) as deaf:
        port = deaf.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex((server.host, port))
        first = dataclasses.replace(target.nodes[0], shard_aware_port=port)
        load = workload("write", 500)
        with opened(dataclasses.replace(target, nodes=(first, *target.nodes[1:])), load) as (engine, facts):
            assert outcomes(run_phase(engine, load, 500)) == (500, 0, 0)
            assert facts["connections"] == NODES * SHARDS
            assert [note for note in facts["notes"] if f"shard-aware port {port} fails" in note]
        for each in waiting:
            each.close()


@pytest.mark.parametrize(("ports", "noted"), [(64, False), (1, True)])
def test_each_shard_is_reached_however_few_source_ports_there_are(
    server: Simulator, target: Target, monkeypatch: pytest.MonkeyPatch, ports: int, noted: bool
) -> None:
    """More processes on the machine than ports for them all; and a range in which no port leads to most shards."""
    monkeypatch.setattr(dial, "PORT_LOW", 21_000)
    monkeypatch.setattr(dial, "PORT_HIGH", 21_000 + ports)
    load = workload("write", 500)
    engine = WireEngine(Setup(load, target, {}, host_place=(70, 128)))
    try:
        facts = engine.open()
        assert facts["connections"] == facts["shards_covered"] == NODES * SHARDS
        assert any("no source port" in note for note in facts["notes"]) == noted
        assert outcomes(run_phase(engine, load, 500)) == (500, 0, 0)
    finally:
        engine.close()


@pytest.mark.parametrize("fault", [*ERRORS, "error=0x4242"])
def test_every_error_is_counted_exactly(server: Simulator, target: Target, fault: str) -> None:
    load = workload("mixed", 2000)
    with opened(target, load, retries=8) as (engine, _):
        for how in ("p=0.02", "count=40"):
            server.ask("faults/clear")
            server.ask("reset")
            server.ask("faults", spec=f"{fault}:{how}")
            recorder = run_phase(engine, load, 1000, 64, verify_share=1.0)
            struck = server.ask()["struck"][f"{fault}:op=data"]
            ok, failed, unknown = outcomes(recorder)
            assert ok + failed + unknown == 1000
            (error_class,) = recorder.attempt_errors
            assert recorder.attempt_errors[error_class] == struck
            assert recorder.retries == struck - failed - unknown
            assert sum(t.issued for t in recorder.targets) == 1000 + recorder.retries == _received(server)


@pytest.mark.parametrize(
    "fault",
    ["drop", "half-open", "drip", "reset", "reset-mid-frame", "truncated", "garbage", "wrong-stream", "duplicate"],
)
def test_broken_transport_loses_and_confuses_nothing(server: Simulator, target: Target, fault: str) -> None:
    load = workload("mixed", 2000)
    with opened(target, load, retries=8, request_timeout_s=0.4) as (engine, _):
        for how in ("p=0.01", "count=10"):
            server.ask("faults/clear")
            server.ask("reset")
            server.ask("faults", spec=f"{fault}:{how},pause=1ms")
            engine.timeout_ns = 400_000_000
            recorder = run_phase(engine, load, 1500, 64, verify_share=1.0)
            ok, failed, unknown = outcomes(recorder)
            assert ok + failed + unknown == 1500
            attempts = recorder.attempt_errors
            assert set(attempts) <= {"client_timeout", "connection"}, attempts
            assert ok + sum(attempts.values()) == 1500 + recorder.retries
            server.ask("faults/clear")
            if fault == "half-open":
                # A connection struck last still looks alive; what is sent on it finds out after 5 s of silence.
                engine.timeout_ns = 6 * 10**9
                run_phase(engine, load, 1500, 64)
            # What is late comes now, and must find nobody. A busy machine is no fault: there is time.
            engine.timeout_ns = 20 * 10**9
            after = run_phase(engine, load, 1500, 64, verify_share=1.0, first=1500)
            assert outcomes(after) == (1500, 0, 0), after.examples


def test_two_hundred_connections(tmp_path: Path) -> None:
    """25 nodes with 8 shards: each request reaches its shard, also while some connections are cut."""
    with simulator(tmp_path, "--nodes", "25", "--shards", "8") as running:
        load = workload("mixed", 5000)
        with opened(make_target(running.host, running.port), load, retries=8) as (engine, facts):
            assert facts["connections"] == facts["shards_covered"] == 200
            running.ask("reset")
            recorder = run_phase(engine, workload("write", 5000), 5000, 1000)
            assert outcomes(recorder) == (5000, 0, 0)
            total = running.ask()["total"]
            assert (total["right"], total["wrong_shard"], total["wrong_node"]) == (5000, 0, 0)
            running.ask("faults", spec="reset:p=0.005")
            recorder = run_phase(engine, load, 5000, 1000, verify_share=1.0)
            assert sum(outcomes(recorder)) == 5000
            assert set(recorder.attempt_errors) == {"connection"}


def _received(server: Simulator) -> int:
    total = server.ask()["total"]
    return int(total["read"] + total["write"])

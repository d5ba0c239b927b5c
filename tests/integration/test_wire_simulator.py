"""The wire engine against the simulator: routes, conditions, faults.

How: a simulator in a process of its own with the shape under test, the engine in this one; the simulator's counts say
which shard each request reached, its fault rules break what is to be survived. Exact counts, no timing.
"""

from __future__ import annotations

import dataclasses
import socket
from typing import TYPE_CHECKING

import pytest

from cqlsurge.database.embedded.certificates import certificates
from cqlsurge.database.secrets import Security
from cqlsurge.load.cql.compression import lz4_support
from cqlsurge.load.engines.contract import EngineError
from cqlsurge.load.pacing.schedule import Pacer
from cqlsurge.load.pacing.shapes import Shape
from cqlsurge.load.workload.kv import KeyValue
from tests.integration.wire_support import Simulator, make_target, opened, outcomes, run_phase, simulator, workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THREE = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("one"), "--like", "cassandra") as running:
        yield running


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("sharded"), "--nodes", "3", "--shards", "4", "--tablets") as running:
        yield running


@pytest.fixture
def calm(one: Simulator) -> Iterator[Simulator]:
    """The one-node simulator, without faults before and after."""
    one.ask("faults/clear")
    yield one
    one.ask("faults/clear")
    one.ask("latency", spec=[])


def test_writes_then_reads_what_it_wrote(calm: Simulator) -> None:
    target = make_target(calm.host, calm.port)
    with opened(target, workload("write", 2000)) as (engine, facts):
        assert facts["connections"] == 1
        assert outcomes(run_phase(engine, workload("write", 2000), 2000)) == (2000, 0, 0)
        read = run_phase(engine, workload("read", 2000), 4000, verify_share=1.0)
        assert outcomes(read) == (4000, 0, 0)
        assert read.kinds[1].rows == 4000
        assert read.settled == 0 or read.settled <= 4000


@pytest.mark.parametrize("blob_size", [0, 15, 16, 17, 70_000])
def test_values_of_any_size(calm: Simulator, blob_size: int) -> None:
    target = make_target(calm.host, calm.port, keyspace="wire")
    with opened(target, workload("write", 40, blob_size)) as (engine, _):
        assert outcomes(run_phase(engine, workload("write", 40, blob_size), 40)) == (40, 0, 0)
        load = workload("read", 40, blob_size)
        assert outcomes(run_phase(engine, load, 80, verify_share=1.0)) == (80, 0, 0)


def test_missing_and_wrong_rows_are_seen(calm: Simulator) -> None:
    target = make_target(calm.host, calm.port)
    with opened(target, workload("write", 100, 32)) as (engine, _):
        run_phase(engine, workload("write", 100, 32), 100)
    with opened(target, workload("read", 100, 48)) as (engine, _):
        wrong = run_phase(engine, workload("read", 100, 48), 100, verify_share=1.0)
    with opened(target, workload("read", 100, 32, key_offset=5000)) as (engine, _):
        missing = run_phase(engine, workload("read", 100, 32, key_offset=5000), 100, verify_share=1.0)
    assert wrong.errors == {"wrong": 100}
    assert wrong.examples["wrong"][0]["text"].startswith("key ")
    assert missing.errors == {"missing": 100}


@pytest.mark.parametrize("tablets", [False, True])
def test_every_request_reaches_its_shard(sharded: Simulator, tablets: bool) -> None:
    keyspace = f"wire_{tablets}".lower()
    target = make_target(
        sharded.host, sharded.port, keyspace=keyspace, replication=THREE,
        suffix=f" AND tablets = {{'enabled': {str(tablets).lower()}}}",
    )  # fmt: skip
    assert (target.tablets is not None) == tablets
    load = workload("mixed", 3000)
    for kind in load.kinds:
        object.__setattr__(kind, "statement", kind.statement.replace('"wire"', keyspace))
    with opened(target, load) as (engine, facts):
        assert facts["connections"] == 12
        assert facts["notes"] == []
        sharded.ask("reset")
        recorder = run_phase(engine, load, 3000, 64)
    assert outcomes(recorder) == (3000, 0, 0)
    assert len(recorder.targets) == 12
    assert sum(t.issued for t in recorder.targets) == sum(t.ok for t in recorder.targets) == 3000
    assert all(t.issued > 100 for t in recorder.targets)
    total = sharded.ask()["total"]
    assert (total["right"], total["wrong_shard"], total["wrong_node"]) == (3000, 0, 0)


def test_tablets_are_learned_from_answers(sharded: Simulator) -> None:
    """Where system.tablets may not be read: the server says of each request that it passes on where it belongs."""
    target = make_target(
        sharded.host,
        sharded.port,
        keyspace="wire_learned",
        replication=THREE,
        suffix=" AND tablets = {'enabled': true}",
    )
    load = KeyValue(
        seed=7, keyspace="wire_learned", table="kv", mode="write", keys=3000, blob_size=64, consistency="ONE"
    )

    def misrouted() -> int:
        sharded.ask("reset")
        assert outcomes(run_phase(engine, load, 3000)) == (3000, 0, 0)
        total = sharded.ask()["total"]
        return int(total["wrong_shard"] + total["wrong_node"])

    with opened(dataclasses.replace(target, tablets=()), load) as (engine, facts):
        assert facts["notes"] == []
        assert misrouted() > 20
        assert 0 in (misrouted() for _ in range(8))
        assert sharded.ask("tablets", move=20)["moved"]
        assert 0 in (misrouted() for _ in range(8))


@pytest.mark.parametrize(
    "fault", ["overloaded", "unavailable", "bootstrapping", "write_timeout", "server_error", "unprepared"]
)
def test_errors_are_retried(calm: Simulator, fault: str) -> None:
    target = make_target(calm.host, calm.port)
    calm.ask("faults", spec=f"{fault}:p=0.05")
    with opened(target, workload("write", 2000), retries=8) as (engine, _):
        recorder = run_phase(engine, workload("write", 2000), 2000, 64)
    ok, failed, unknown = outcomes(recorder)
    assert ok + failed + unknown == 2000
    assert unknown == 0
    if fault != "unavailable":  # which is tried again only once
        assert ok == 2000
    assert recorder.retries == sum(recorder.attempt_errors.values()) - failed > 0


def test_final_errors_are_counted_by_class(calm: Simulator) -> None:
    target = make_target(calm.host, calm.port)
    with opened(target, workload("write", 500), retries=0) as (engine, _):
        for fault, error_class, unknown in (
            ("invalid", "invalid", False),
            ("overloaded", "overloaded", True),
            ("write_timeout", "server_timeout", True),
            ("cdc_write_failure", "code_0x1600", True),
            ("rate_limit", "rate_limited", False),
        ):
            calm.ask("faults/clear")
            calm.ask("faults", spec=f"{fault}:op=write,count=7")
            recorder = run_phase(engine, workload("write", 500), 500)
            assert outcomes(recorder) == ((493, 0, 7) if unknown else (493, 7, 0)), fault
            assert recorder.errors in ({error_class: 7}, {"invalid": 7}), fault
            assert len(recorder.unacknowledged) == 7


@pytest.mark.parametrize("fault", ["reset", "reset-mid-frame", "truncated", "garbage", "duplicate", "wrong-stream"])
def test_broken_connections_come_back(calm: Simulator, fault: str) -> None:
    target = make_target(calm.host, calm.port)
    with opened(target, workload("write", 3000), retries=8, request_timeout_s=1.0) as (engine, _):
        run_phase(engine, workload("write", 3000), 3000)
        calm.ask("faults", spec=f"{fault}:p=0.002,op=read")
        recorder = run_phase(engine, workload("read", 3000), 3000, 64, verify_share=1.0)
    ok, failed, unknown = outcomes(recorder)
    assert ok + failed == 3000
    assert unknown == 0
    assert "wrong" not in recorder.errors
    assert ok > 2000


def test_answers_that_never_come_time_out(calm: Simulator) -> None:
    target = make_target(calm.host, calm.port)
    with opened(target, workload("write", 1000), request_timeout_s=0.5) as (engine, _):
        calm.ask("faults", spec="drop:count=5")
        recorder = run_phase(engine, workload("write", 1000), 1000, 16)
        assert outcomes(recorder) == (995, 0, 5)
        assert recorder.errors == {"client_timeout": 5}


def test_a_stop_in_the_middle_leaves_nothing_unaccounted(calm: Simulator) -> None:
    target = make_target(calm.host, calm.port)
    calm.ask("latency", spec=["fixed:400ms"])
    with opened(target, workload("write", 1000)) as (engine, _):
        stop = run_phase(
            engine, workload("write", 1000), 10_000, 50,
            says=lambda polls: [{"type": "stop", "drain_s": 0.0}] if polls == 3 else [],
        )  # fmt: skip
        assert stop.issued - stop.finished > 0
        assert len(stop.unacknowledged) == stop.issued - stop.finished
        drained = run_phase(
            engine, workload("write", 1000), 10_000, 50,
            says=lambda polls: [{"type": "stop", "drain_s": 5.0}] if polls == 3 else [],
        )  # fmt: skip
        assert drained.issued == drained.finished == 50


def test_a_rate_is_kept_and_what_is_too_late_is_skipped(calm: Simulator) -> None:
    target = make_target(calm.host, calm.port)
    calm.ask("latency", spec=["fixed:50ms"])
    with opened(target, workload("write", 1000)) as (engine, _):
        pacer = Pacer(Shape("1000", [], 1_000_000))
        recorder = run_phase(
            engine, workload("write", 1000), 10_000, 10, pacer=pacer, duration_s=1.0, max_backlog=20
        )  # fmt: skip
    backlog = recorder.due - recorder.issued - recorder.skipped
    assert 0 <= backlog <= 20
    assert recorder.issued < 400
    assert recorder.skipped > 300
    assert 900 <= recorder.due <= 1400


def test_passwords_are_asked_for(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    security = Security("loader", "s3cret", None)
    with simulator(tmp_path, "--auth", "loader", "--password-file", str(password)) as running:
        target = make_target(running.host, running.port, security=security)
        with opened(target, workload("write", 200)) as (engine, _):
            assert outcomes(run_phase(engine, workload("write", 200), 200)) == (200, 0, 0)
        for wrong in ({"password": "no"}, {"username": None, "password": None}):
            with (
                pytest.raises(EngineError, match=r"password|credentials|authentication"),
                opened(dataclasses.replace(target, **wrong), workload("write", 200)),
            ):
                pass


@pytest.mark.parametrize("fill", ["text", "random"])
def test_lz4(calm: Simulator, fill: str) -> None:
    if lz4_support().block is None:
        pytest.skip(lz4_support().reason)
    target = make_target(calm.host, calm.port, compression=True)
    write, read = (workload(mode, 300, 1000, fill=fill) for mode in ("write", "read"))
    with opened(target, write) as (engine, facts):
        assert facts["compression"] == "lz4"
        assert facts["requests_compressed"] == (fill == "text")
        assert outcomes(run_phase(engine, write, 300)) == (300, 0, 0)
        checked = run_phase(engine, read, 600, verify_share=1.0)
        counted = run_phase(engine, read, 600)
    assert outcomes(checked) == outcomes(counted) == (600, 0, 0)
    assert checked.kinds[1].rows == counted.kinds[1].rows == 600


def test_all_addresses_of_a_translated_name_are_tried(calm: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the name service is made up: two addresses, of which the second is alive."""
    real = socket.getaddrinfo

    def lookup(host: str, port: object, *args: object, **options: object) -> list[object]:
        if host != "two-addresses.example":
            return real(host, port, *args, **options)
        return [*real("127.0.0.99", port, *args, **options), *real(calm.host, port, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    target = make_target(calm.host, calm.port, address_map={calm.host: "two-addresses.example"})
    with opened(target, workload("write", 200)) as (engine, _):
        assert outcomes(run_phase(engine, workload("write", 200), 200)) == (200, 0, 0)


def test_tls_checks_certificate_and_host(tmp_path: Path) -> None:
    paths = certificates(tmp_path, ["127.0.0.1"])
    security = Security(None, None, {"ca_file": str(paths.ca), "check_hostname": True})
    with simulator(tmp_path, "--tls", str(paths.server), str(paths.server)) as running:
        target = make_target(running.host, running.port, security=security)
        write, read = workload("write", 500, 3000), workload("read", 500, 3000)
        with opened(target, write) as (engine, facts):
            assert facts["tls"] is True
            assert outcomes(run_phase(engine, write, 500, 64)) == (500, 0, 0)
            assert outcomes(run_phase(engine, read, 2000, 64, verify_share=1.0)) == (2000, 0, 0)
        stranger = dataclasses.replace(target, tls={"ca_file": None, "check_hostname": True})
        with pytest.raises(EngineError, match="certificate"), opened(stranger, write):
            pass


def test_a_node_that_goes_and_comes_back(sharded: Simulator) -> None:
    target = make_target(sharded.host, sharded.port, keyspace="wire", replication=THREE)
    load = workload("mixed", 20_000)

    def says(polls: int) -> list[dict[str, object]]:
        if polls in (3, 30):
            sharded.ask("node", node=2, up=polls == 30)
        return []

    with opened(target, load) as (engine, _):
        recorder = run_phase(engine, load, 1_000_000, 32, says=says, duration_s=2.0)
        ok, failed, unknown = outcomes(recorder)
        assert failed + unknown <= 64
        assert ok > 1000
        assert engine.pool is not None
        again = run_phase(engine, load, 100_000, 32, duration_s=1.0)
        assert outcomes(again)[1:] == (0, 0)
        node_two = {t.address for t in again.targets if t.address.endswith(".2")}
        assert sum(t.ok for t in again.targets if t.address in node_two) > 0


def test_shards_are_learned_from_the_nodes(sharded: Simulator) -> None:
    target = make_target(sharded.host, sharded.port, keyspace="wire", replication=THREE)
    untold = tuple(dataclasses.replace(node, shards=0, ignore_msb=0, shard_aware_port=None) for node in target.nodes)
    load = workload("write", 1000)
    with opened(dataclasses.replace(target, nodes=untold), load) as (engine, facts):
        assert (facts["connections"], facts["shards_covered"]) == (12, 12)
        sharded.ask("reset")
        assert outcomes(run_phase(engine, load, 1000, 64)) == (1000, 0, 0)
    total = sharded.ask()["total"]
    assert (total["right"], total["wrong_shard"], total["wrong_node"]) == (1000, 0, 0)


def test_a_closed_shard_aware_port_is_said_aloud(sharded: Simulator) -> None:
    target = make_target(sharded.host, sharded.port, keyspace="wire", replication=THREE)
    nodes = tuple(dataclasses.replace(node, shard_aware_port=9) for node in target.nodes)
    load = workload("write", 500)
    with opened(dataclasses.replace(target, nodes=nodes), load) as (engine, facts):
        assert outcomes(run_phase(engine, load, 500, 64)) == (500, 0, 0)
        # The plain port gives each node's shards in turn, so that all are covered in the end.
        assert facts["connections"] >= 3
        assert len([note for note in facts["notes"] if "shard-aware port 9 fails" in note]) == 3


def test_the_cluster_changes_under_load(sharded: Simulator) -> None:
    target = make_target(sharded.host, sharded.port, keyspace="wire", replication=THREE)
    listed = target.to_json()

    def says(polls: int) -> list[dict[str, object]]:
        if polls == 10:
            return [{"type": "topology", "nodes": listed["nodes"][:2], "tablets": None}]
        if polls == 40:
            return [{"type": "topology", "nodes": listed["nodes"], "tablets": listed["tablets"]}]
        if polls > 40 and engine.pool is not None and len(engine.pool.connected()) == 12:
            return [{"type": "stop", "drain_s": 5.0}]
        return []

    load = workload("mixed", 5000)
    with opened(target, load, retries=5) as (engine, _):
        recorder = run_phase(engine, load, 1 << 40, 32, says=says, duration_s=60.0)
        assert outcomes(recorder)[1:] == (0, 0), recorder.errors
        assert engine.pool is not None
        assert len(engine.pool.connected()) == 12, "all are back"
        after = run_phase(engine, load, 3000, 32)
        assert outcomes(after) == (3000, 0, 0)
        assert all(t.issued > 50 for t in after.targets)
    assert len(after.targets) == 12

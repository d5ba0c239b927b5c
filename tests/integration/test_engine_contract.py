"""What every engine owes, held against the real Cassandra: see cqlsurge/load/engines/contract.py.

How: each engine runs in a load process that is started as the product starts it, and is told its phases over the pipe.
Keys and values are checked by this test through scylla-driver, with values that it works out itself from the workload.
Nothing is measured but that things take no less time than they must.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from cassandra.cluster import Session
from contract_support import SEED, Bench, Proxy

from cqlsurge.database.connect import connect
from cqlsurge.database.embedded import EmbeddedCluster
from cqlsurge.database.secrets import Security
from cqlsurge.database.topology import nodes_of, replication_of
from cqlsurge.errors import RunError
from cqlsurge.load.engines.contract import Node, Target
from cqlsurge.load.engines.registry import engine_info
from cqlsurge.load.engines.wire.receive_stamps import GAUGE
from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import pacing_json
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.processes.environments import ensure
from tests.conftest import cannot_have

pytestmark = pytest.mark.cassandra

KEYSPACE = "contract"
ROWS = 300
BLOB_SIZE = 500
ENDLESS = 1 << 40

# name -> engine, its technique, and whether it runs on PyPy
CONTESTANTS: dict[str, tuple[str, str, bool]] = {
    "wire": ("wire", "", False),
    "wire_parts": ("wire", "", False),
    "wire_pypy": ("wire", "", True),
    "window": ("scylla-driver", "window", False),
    "window_default": ("scylla-driver", "window-default", False),
    "batch": ("scylla-driver", "batch", False),
    "sync": ("scylla-driver", "sync", False),
    "acsylla": ("acsylla", "", False),
    "scylladb_rs": ("scylladb-rs", "", False),
}
#: what a contributor needs each time; the others owe the same and come with --all
USUAL = {"wire", "wire_pypy", "window"}


@dataclass
class Contestant:
    """An engine under test."""

    name: str
    engine: str
    options: dict[str, Any]
    python: str
    target: Target

    def bench(self, target: Target | None = None, **settings: Any) -> Bench:
        """A load process with the engine open; settings with a name of the workload's go there, others are options."""
        parameters = {"mode": "write", "keys": ENDLESS, "blob_size": BLOB_SIZE}
        parameters["consistency"] = settings.pop("consistency", "LOCAL_QUORUM")
        return Bench(self.python, self.engine, target or self.target, parameters, **self.options, **settings)

    @property
    def places(self) -> int:
        """In flight, where it does not matter."""
        return 1 if self.name == "sync" else 10


@pytest.fixture(scope="module")
def database(cassandra: EmbeddedCluster) -> Iterator[tuple[Session, tuple[Node, ...], dict[str, str]]]:
    cluster, session = connect([(cassandra.host, cassandra.port)], Security(None, None, None))
    session.execute(
        f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}}"
    )
    yield session, nodes_of(cluster), replication_of(session, KEYSPACE)
    cluster.shutdown()


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[] if name in USUAL else pytest.mark.long) for name in CONTESTANTS],
)
def contestant(
    request: pytest.FixtureRequest, cassandra: EmbeddedCluster, database: tuple[Session, tuple[Node, ...], Any]
) -> Iterator[Contestant]:
    engine, technique, on_pypy = CONTESTANTS[request.param]
    interpreter = str(request.getfixturevalue("pypy")) if on_pypy else sys.executable
    try:
        python = str(ensure(engine_info(engine), interpreter))
    except RunError as error:
        cannot_have(str(error))
        raise
    session, nodes, replication = database
    target = Target(
        contact_points=((cassandra.host, cassandra.port),),
        local_dc="datacenter1",
        keyspace=KEYSPACE,
        table=f"kv_{request.param}",
        nodes=nodes,
        replication=replication,
    )
    create_table(session, target.table)
    options = {"technique": technique} if technique else {}
    with pytest.MonkeyPatch.context() as variables:
        if request.param == "wire_parts":  # CPython without numpy
            variables.setenv("CQLSURGE_WIRE_NUMPY", "0")
        yield Contestant(request.param, engine, options, python, target)


@pytest.fixture(scope="module")
def bench(contestant: Contestant) -> Iterator[Bench]:
    """The engine open on a table that holds the rows 0 to ROWS, written by itself."""
    bench = contestant.bench()
    written = bench.run(ROWS, concurrency=contestant.places)
    assert (written.total("ok"), written.message["due"], written.message["errors"]) == (ROWS, ROWS, {})
    yield bench
    bench.close()


@pytest.fixture
def session(database: tuple[Session, Any, Any]) -> Session:
    return database[0]


def create_table(session: Session, table: str) -> None:
    session.execute(f"CREATE TABLE {KEYSPACE}.{table} (key uuid PRIMARY KEY, value blob)")


def expected_row(number: int, offset: int = 0) -> tuple[UUID, bytes]:
    workload = KeyValue(
        seed=SEED, keyspace=KEYSPACE, table="t", mode="write", keys=ENDLESS, key_offset=offset, blob_size=BLOB_SIZE
    )
    key, value = workload.values(0, workload.locate(number)[1], 0)
    return UUID(bytes=key), value


def found_row(session: Session, table: str, number: int, offset: int) -> bool:
    key, value = expected_row(number, offset)
    rows = session.execute(f"SELECT value FROM {KEYSPACE}.{table} WHERE key = %s", (key,)).all()
    assert all(row.value == value for row in rows)
    return len(rows) == 1


def test_each_key_is_written_once_with_its_value(bench: Bench, contestant: Contestant, session: Session) -> None:
    found = {
        row.key: row.value for row in session.execute(f"SELECT key, value FROM {KEYSPACE}.{contestant.target.table}")
    }
    assert found == dict(expected_row(number) for number in range(ROWS))


def test_reads_find_them_byte_for_byte(bench: Bench, contestant: Contestant) -> None:
    read = bench.run(ROWS, mode="read", verify_share=1.0, concurrency=contestant.places)
    assert (read.total("ok"), read.total("rows"), read.message["errors"]) == (ROWS, ROWS, {})


@pytest.mark.parametrize("compression", [False, True])
def test_no_plain_answer_of_a_real_database_is_slow(contestant: Contestant, bench: Bench, compression: bool) -> None:
    if contestant.engine != "wire":
        pytest.skip("its answers are its driver's affair")
    other = contestant.bench(replace(contestant.target, compression=compression))
    assert other.facts["compression"] == ("lz4" if compression else None)
    for share in (0.0, 0.5, 1.0):
        read = other.run(ROWS, mode="read", verify_share=share, concurrency=100)
        mixed = other.run(2000, mode="mixed", workload={"read_ratio": 0.5}, concurrency=100)
        for ended, count in ((read, ROWS), (mixed, 2000)):
            assert (ended.total("ok"), ended.message["errors"]) == (count, {})
            assert ended.message["gauges"]["slow_answers"] == 0
            assert any(name.startswith(GAUGE) for name in ended.message["gauges"])
    other.close()


def test_reads_that_miss(bench: Bench, contestant: Contestant) -> None:
    elsewhere = {"key_offset": 500_000_000}
    read = bench.run(40, mode="read", workload=elsewhere, concurrency=contestant.places)
    assert (read.total("ok"), read.total("rows"), read.message["errors"]) == (40, 0, {})
    read = bench.run(40, mode="read", workload=elsewhere, verify_share=1.0, concurrency=contestant.places)
    assert (read.total("ok"), read.total("failed"), read.message["errors"]) == (0, 40, {"missing": 40})


def test_a_wrong_value_is_found(bench: Bench, contestant: Contestant, session: Session) -> None:
    key, value = expected_row(5)
    change = session.prepare(f"UPDATE {KEYSPACE}.{contestant.target.table} SET value = ? WHERE key = ?")
    session.execute(change, (value[:-1] + b"?", key))
    read = bench.run(20, mode="read", verify_share=1.0, concurrency=contestant.places)
    session.execute(change, (value, key))
    assert (read.total("ok"), read.total("rows"), read.message["errors"]) == (19, 20, {"wrong": 1})
    (example,) = read.message["examples"]["wrong"]
    assert example["operation"] == 5
    assert key.hex in example["text"]


def test_mixed_operations_keep_their_numbers(bench: Bench, contestant: Contestant, session: Session) -> None:
    load = {"key_offset": 700_000_000, "read_ratio": 0.5}
    workload = KeyValue(
        seed=SEED, keyspace=KEYSPACE, table="t", mode="mixed", keys=ENDLESS, blob_size=BLOB_SIZE, **load
    )  # type: ignore[arg-type]
    writes = [number for number in range(200) if workload.locate(number)[0] == 0]
    mixed = bench.run(200, mode="mixed", workload=load, concurrency=contestant.places)
    assert mixed.message["kinds"]["write"]["ok"] == len(writes)
    assert mixed.message["kinds"]["read"]["ok"] == 200 - len(writes)
    assert [number for number in range(30) if found_row(session, contestant.target.table, number, 700_000_000)] == [
        number for number in writes if number < 30
    ]


def test_one_place(bench: Bench) -> None:
    assert bench.run(30, concurrency=1).total("ok") == 30


def test_a_thousand_places(bench: Bench, contestant: Contestant) -> None:
    if contestant.name == "sync":
        other = contestant.bench()
        other.start(10, concurrency=2)
        assert "one operation in flight" in other.refusal()
        other.close()
    else:
        many = bench.run(4000, concurrency=1000, workload={"key_offset": 800_000_000})
        assert (many.total("ok"), many.message["errors"]) == (4000, {})


def test_a_rate_is_kept(bench: Bench, contestant: Contestant) -> None:
    pacing = pacing_json(parse("400"))
    if contestant.name == "batch":
        other = contestant.bench()
        other.start(10, pacing=pacing)
        assert "cannot keep to a rate" in other.refusal()
        other.close()
        return
    paced = bench.run(100, pacing=pacing, concurrency=contestant.places)
    assert paced.duration_s >= 99 / 400
    assert (paced.total("ok"), paced.message["due"], paced.message["skipped"]) == (100, 100, 0)


def test_stop_in_the_middle(bench: Bench, contestant: Contestant, session: Session) -> None:
    offset = 900_000_000
    start_ns = bench.start(ENDLESS, workload={"key_offset": offset}, concurrency=contestant.places)

    def on_snapshot(snapshots: list[dict[str, Any]]) -> None:
        if snapshots[-1]["issued"] > 10:
            bench.send({"type": "stop", "drain_s": 10})

    stopped = bench.finish(start_ns, on_snapshot)
    issued = stopped.message["issued"]
    assert stopped.message["reason"] == "asked"
    assert (stopped.total("ok"), stopped.message["due"], stopped.in_flight) == (issued, issued, 0)
    assert issued > 10
    near_the_end = range(issued - 5, issued + 5)
    assert [number for number in near_the_end if found_row(session, contestant.target.table, number, offset)] == list(
        range(issued - 5, issued)
    )


def test_server_errors_are_told_by_class(contestant: Contestant, session: Session) -> None:
    table = f"{contestant.target.table}_errors"
    create_table(session, table)
    other = contestant.bench(replace(contestant.target, table=table), consistency="THREE", retries=0)
    refused = other.run(30, concurrency=contestant.places)
    assert (refused.message["errors"], refused.total("failed")) == ({"unavailable": 30}, 30)
    session.execute(f"DROP TABLE {KEYSPACE}.{table}")
    refused = other.run(30, concurrency=contestant.places)
    assert refused.total("failed") == 30
    # The C++ driver looks for another node that knows the statement, and then tells of no node at all.
    told = {"connection"} if contestant.name == "acsylla" else {"invalid", "unprepared"}
    assert set(refused.message["errors"]) <= told
    assert refused.message["examples"]
    other.close()


def test_a_silent_node_hangs_nobody(contestant: Contestant, cassandra: EmbeddedCluster) -> None:
    proxy = Proxy(cassandra.host, cassandra.port)
    try:
        (node,) = contestant.target.nodes
        there = replace(
            contestant.target,
            contact_points=((cassandra.host, proxy.port),),
            nodes=(replace(node, port=proxy.port, address=cassandra.host),),
        )
        other = contestant.bench(there, request_timeout_s=0.5)
        start_ns = other.start(ENDLESS, workload={"key_offset": 950_000_000}, concurrency=contestant.places)

        def on_snapshot(snapshots: list[dict[str, Any]]) -> None:
            """Deaf once answers have come; then the end, when operations have timed out (a batch has no timeout)."""
            if proxy.deaf and (contestant.name == "batch" or snapshots[-1]["errors"]):
                other.send({"type": "stop", "drain_s": 0.3})
            proxy.deaf = proxy.deaf or any(kind["ok"] for kind in snapshots[-1]["kinds"].values())

        silent = other.finish(start_ns, on_snapshot)
        assert silent.total("ok") > 0
        assert silent.duration_s < 10
        if contestant.name == "batch":  # its operations have no timeout
            assert silent.in_flight > 0
        else:
            assert 0 < silent.message["errors"].get("client_timeout", 0) <= silent.total("unknown")
        began_s = time.monotonic()
        other.close()
        assert time.monotonic() - began_s < 9
    finally:
        proxy.close()


def test_the_fake_engine_owes_the_same() -> None:
    target = Target(contact_points=(("127.0.0.1", 9),), local_dc="datacenter1", keyspace="none", table="none")
    bench = Bench(sys.executable, "fake", target, {"mode": "write", "keys": ENDLESS}, service_ns=200_000)
    assert bench.run(1000, concurrency=100).total("ok") == 1000
    assert bench.run(50, pacing=pacing_json(parse("1k"))).duration_s >= 49 / 1000
    start_ns = bench.start(ENDLESS)
    stopped = bench.finish(start_ns, lambda _: bench.send({"type": "stop", "drain_s": 5}))
    assert stopped.total("ok") == stopped.message["issued"] > 0
    bench.close()

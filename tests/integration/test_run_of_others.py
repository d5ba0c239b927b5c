"""Runs of what people have: command lines and profiles of cassandra-stress, tables that are there.

How: through the command line, on a real Cassandra; rows are looked at with scylla-driver.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cassandra.cluster import Cluster, Session

from cqlsurge.cli.main import main
from cqlsurge.load.workload.cassandra_stress import cell_bytes, cells_seed, key_bytes, salt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cqlsurge.database.embedded import EmbeddedCluster

TYPES = (
    "ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "duration", "float", "inet", "int", "smallint",
    "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint", "list<int>", "set<text>", "map<text, int>",
    "frozen<list<frozen<set<int>>>>", "tuple<int, text>", "frozen<address>", "map<text, frozen<address>>",
    "vector<float, 3>",
)  # fmt: skip
pytestmark = [pytest.mark.cassandra, pytest.mark.timeout(240)]
PROFILES = Path(__file__).parent.parent / "workload" / "imports" / "profiles"


@pytest.fixture(scope="module")
def session(cassandra: EmbeddedCluster) -> Iterator[Session]:
    cluster = Cluster([cassandra.host], port=cassandra.port, protocol_version=4)
    yield cluster.connect()
    cluster.shutdown()


def run(address: str, folder: Path, *words: str) -> dict[str, Any]:
    """The document of a run that must end well."""
    path = folder / "run.json"
    code = main(["run", address, "--quiet", "--runtime", sys.executable, "--json", str(path), "--force", *words])
    assert code == 0
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_standard1_is_written_and_read_byte_for_byte(
    session: Session, cassandra: EmbeddedCluster, tmp_path: Path
) -> None:
    schema = "-schema keyspace=exact1"
    line = f"write n=600 -pop seq=1..600 -rate threads=16 {schema}"
    document = run(cassandra.address, tmp_path, "--stress", line, "--exact")
    assert document["operations"]["ok"] == 600
    rows = list(session.execute("SELECT * FROM exact1.standard1"))
    assert {bytes(row.key) for row in rows} == {key_bytes(seed) for seed in range(1, 601)}
    for row in rows[:50]:
        for column in ("C0", "C4"):
            assert row._asdict()[column] == cell_bytes(cells_seed(bytes(row.key)), salt("randomstr" + column))
    line = f"read n=600 -pop seq=1..600 -rate threads=16 {schema}"
    document = run(cassandra.address, tmp_path, "--stress", line, "--exact", "--verify")
    assert document["operations"]["ok"] == 600
    session.execute('UPDATE exact1.standard1 SET "C1" = 0x00 WHERE key = %s', (key_bytes(7),))
    code = main(["run", cassandra.address, "--quiet", "--stress", line, "--exact", "--verify", "--retries", "0"])
    assert code == 1, "a wrong cell is found"


def test_a_profile_runs_as_it_is(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    profile = str(PROFILES / "views.yaml")
    line = "user ops(insert=1) n=500 cl=ONE -pop seq=1..500 -rate threads=8"
    assert run(cassandra.address, tmp_path, "--workload", profile, "--stress", line)["operations"]["ok"] == 500
    words = ("--workload", profile, "--mix", "insert=1,read_user=1,by_country=2", "--operations", "400")
    document = run(cassandra.address, tmp_path, *words)
    assert set(document["statements"]) == {"insert", "read_user", "by_country"}
    assert document["settings"]["workload"] == profile


def test_a_profile_whose_insert_is_a_batch(session: Session, cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    profile = str(PROFILES / "narrow.yaml")
    line = "user ops(insert=1) n=300 cl=ONE -pop seq=1..300 -rate threads=8"
    document = run(cassandra.address, tmp_path, "--workload", profile, "--stress", line)
    assert document["operations"]["ok"] == 300
    rows = session.execute("SELECT COUNT(*) FROM stress_narrow.sensors").one()[0]
    assert 700 < rows < 1100, "uniform(1..5) rows a partition"
    line = "user ops(day=3,last=1) n=300 cl=ONE -pop seq=1..300 -rate threads=8"
    document = run(cassandra.address, tmp_path, "--workload", profile, "--stress", line, "--verify")
    assert document["operations"]["ok"] == 300
    assert document["statements"]["day"]["hit_rate"] == 1


def test_any_table_runs_and_rows_of_others_stay(
    session: Session, cassandra: EmbeddedCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS others WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    session.execute(
        'CREATE TABLE others."Orders" ("Id" uuid, at timestamp, tags map<text, int>, total decimal, '
        'PRIMARY KEY ("Id", at)) WITH CLUSTERING ORDER BY (at DESC)'
    )
    name = 'others."Orders"'
    words = ("--table", name, "-p", "rows=3", "-p", "partitions=100", "--operations", "300")
    assert run(cassandra.address, tmp_path, *words)["operations"]["ok"] == 300
    assert len(list(session.execute('SELECT * FROM others."Orders"'))) == 300
    document = run(cassandra.address, tmp_path, *words, "--mode", "read", "--verify")
    assert document["operations"]["ok"] == 300
    assert run(cassandra.address, tmp_path, *words)["operations"]["ok"] == 300, "its own rows may be written again"
    session.execute("CREATE TABLE others.theirs (id int PRIMARY KEY, v text)")
    session.execute("INSERT INTO others.theirs (id, v) VALUES (-5, 'precious')")
    theirs = ["run", cassandra.address, "--quiet", "--table", "others.theirs", "--operations", "10"]
    assert main(theirs) == 2
    assert "has rows that are not of this workload: say --write" in capsys.readouterr().err
    assert main([*theirs, "--write"]) == 0
    assert session.execute("SELECT v FROM others.theirs WHERE id = -5").one().v == "precious"


def test_a_table_with_every_type_runs_and_its_learned_file_does(
    session: Session, cassandra: EmbeddedCluster, tmp_path: Path
) -> None:
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS others WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TYPE others.address (street text, zip int)")
    columns = ", ".join(f'"C {place}" {kind}' for place, kind in enumerate(TYPES))
    session.execute(
        f'CREATE TABLE others."AllTypes" ("Key" uuid, "Row" timestamp, "State" text, {columns}, '
        'PRIMARY KEY ("Key", "Row")) WITH CLUSTERING ORDER BY ("Row" DESC)'
    )
    session.execute('CREATE INDEX by_state ON others."AllTypes" ("State")')
    session.execute(
        'CREATE MATERIALIZED VIEW others.too AS SELECT "State", "Key", "Row" FROM others."AllTypes" WHERE "State" '
        'IS NOT NULL AND "Key" IS NOT NULL AND "Row" IS NOT NULL PRIMARY KEY ("State", "Key", "Row")'
    )
    words = ("--table", 'others."AllTypes"', "-p", "rows=2", "-p", "partitions=150")
    assert run(cassandra.address, tmp_path, *words, "--operations", "300")["operations"]["ok"] == 300
    document = run(cassandra.address, tmp_path, *words, "--operations", "300", "--mode", "read", "--verify")
    assert document["operations"]["ok"] == 300
    path = str(tmp_path / "all.yaml")
    derive = ["workload", "derive", cassandra.address, 'others."AllTypes"', "--learn", "1k", "-o", path]
    assert main(derive) == 0
    document = run(cassandra.address, tmp_path, "--workload", path, "--phases", "run", "--operations", "300")
    assert document["operations"]["ok"] == 300


def test_the_file_of_a_table_is_printed(
    session: Session, cassandra: EmbeddedCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS others WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TABLE IF NOT EXISTS others.small (id int PRIMARY KEY, v text)")
    assert main(["run", cassandra.address, "--table", "others.small", "--print-workload"]) == 0
    assert "insert: others.small" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--table", "a.b"], "Give its ADDRESS"),
        (["127.0.0.1:1", "--write"], "--write goes with --table"),
        (["127.0.0.1:1", "--exact"], "need --stress"),
        (["127.0.0.1:1", "--print-workload"], "needs --workload"),
        (["127.0.0.1:1", "--stress", "wrte n=1"], "nearest is write"),
        (["127.0.0.1:1", "--stress", "write n=1", "--workload", "kv"], "leave --workload away"),
        (["127.0.0.1:1", "--workload", "table:a.b;mode=rad"], "mode=write|read|mixed"),
    ],
)
def test_errors(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *words]) == 2
    assert says in capsys.readouterr().err

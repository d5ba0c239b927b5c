"""Workloads of any schema against real Cassandra: what is written is read back and is what the model says.

How: whole runs through the Python API, checked by --verify, which compares every cell of every row that is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cqlsurge import Settings, run
from cqlsurge.cli.main import main
from cqlsurge.errors import UsageError
from cqlsurge.workload import Workload, blob, expr, uuid
from cqlsurge.workload.loader import load_file

if TYPE_CHECKING:
    from cqlsurge.api import Result
    from cqlsurge.database.embedded import EmbeddedCluster

pytestmark = pytest.mark.cassandra
ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
FILES = Path(__file__).parent.parent / "workload" / "files"


def done(cassandra: EmbeddedCluster, workload: Any, *params: str, **more: Any) -> Result:
    """A run of a workload on one process, everything checked."""
    settings = {"runtime": "cpython", "processes": 1, "verify": "", "request_timeout": 60.0, **more}
    return run(Settings(address=cassandra.address, workload=workload, param=params, **settings))


@pytest.mark.parametrize("engine", ["wire", "scylla-driver"])
def test_every_type_nested_two_deep(cassandra: EmbeddedCluster, engine: str) -> None:
    result = done(cassandra, str(FILES / "types.yaml"), engine=engine, truncate=True)
    assert result.errors == {}
    statements = result.document["statements"]
    assert statements["row"]["rows"] == statements["row"]["ok"] > 150
    assert statements["partition"]["rows"] > 200
    assert result.document["phases"][0]["operations"]["ok"] == load_file(str(FILES / "types.yaml")).phases[0].operations


def test_a_wrong_cell_is_found(cassandra: EmbeddedCluster) -> None:
    path = str(FILES / "types.yaml")
    done(cassandra, path, phases="load")
    wrong = done(cassandra, path, phases="read", seed=2, error_budget="100%")
    assert set(wrong.errors) <= {"wrong", "missing"}
    assert wrong.operations.failed == 400


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("kv", ("keys=300",)),
        ("wide", ("partitions=20", "rows=30")),
        ("timeseries", ("sensors=10", "every=1800")),
        ("users", ("users=200",)),
        ("ycsb-a", ("records=200", "operations=400")),
        ("ycsb-d", ("records=200", "operations=400")),
        ("ycsb-e", ("records=200", "operations=200")),
        ("ycsb-f", ("records=200", "operations=400")),
    ],
)
def test_what_comes_along_runs(cassandra: EmbeddedCluster, name: str, params: tuple[str, ...]) -> None:
    # Cassandra 5.0.9 answers WRITE_FAILURE to some of many writes at once into a table with a vector index.
    concurrency = 1 if name == "users" else 16
    result = done(cassandra, name, *params, operations=400, concurrency=concurrency, truncate=True)
    assert result.errors == {}
    assert result.operations.ok == 400
    assert result.document["workload"]["name"] == name
    for statement, counts in result.document["statements"].items():
        assert counts["ok"] > 0, statement
        if counts["expected_hit_rate"] == 1 and name not in {"timeseries", "ycsb-d"}:
            assert counts["hit_rate"] == 1


def test_two_processes_write_each_row_once_and_read_what_is_written(cassandra: EmbeddedCluster) -> None:
    loaded = done(cassandra, "wide", "partitions=20", "rows=30", phases="load", processes=2, truncate=True)
    assert loaded.operations.ok == 600
    read = done(cassandra, "wide", "partitions=20", "rows=30", mix="partition=1", phases="run", operations=200)
    assert read.errors == {}
    assert read.document["statements"]["partition"]["rows"] == 200 * 30
    series = done(cassandra, "timeseries", "sensors=10", "every=600", processes=2, operations=3000, truncate=True)
    assert series.errors == {}
    assert series.document["statements"]["newest"]["hit_rate"] > 0.95
    assert series.document["statements"]["hour"]["pages"] >= series.document["statements"]["hour"]["ok"]


def test_a_workload_built_in_python(cassandra: EmbeddedCluster) -> None:
    w = Workload("made", keys=100)
    w.schema(
        "CREATE KEYSPACE IF NOT EXISTS made WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    w.schema("CREATE TABLE IF NOT EXISTS made.t (key uuid PRIMARY KEY, value blob)")
    table = w.table("made.t", partitions=w.keys, columns={"key": uuid(expr("p")), "value": blob(50)})
    write = w.insert("write", table)
    read = w.statement("read", "SELECT key, value FROM made.t WHERE key = :key")
    w.phase("load", mix=write, operations="all")
    w.phase("run", mix={read: 3, write: 1}, operations=80)
    result = done(cassandra, w)
    assert result.errors == {}
    assert result.document["statements"]["read"]["hit_rate"] == 1
    assert result.document["settings"]["workload"] == "the object made"


def test_the_schema_and_statements_are_checked_before_the_load(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "schema: |\n"
        f"  CREATE KEYSPACE IF NOT EXISTS checked WITH replication = {ONE};\n"
        "  CREATE TABLE IF NOT EXISTS checked.t (a int PRIMARY KEY, b int);\n"
        "tables: {checked.t: {partitions: 10}}\n"
        "statements:\n"
        "  write: {insert: checked.t}\n"
        "  read: SELECT a, b FROM checked.t WHERE b = :b\n"
        "phases: {run: {mix: {write: 1, read: 1}, operations: 20}}\n"
    )
    with pytest.raises(UsageError, match=r"statement 'read' is refused: .*ALLOW FILTERING"):
        done(cassandra, str(path))
    assert main(["workload", "check", str(path), cassandra.address]) == 2
    good = path.read_text().replace("WHERE b = :b", "WHERE a = :a")
    path.write_text(good)
    assert main(["workload", "check", str(path), cassandra.address]) == 0


def test_a_table_that_only_the_server_knows(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(
        "tables: {all_types.t: {partitions: 20, rows: 3}}\n"
        "statements:\n"
        "  write: {insert: all_types.t}\n"
        "  read: SELECT * FROM all_types.t WHERE p1 = :p1 AND p2 = :p2\n"
        "phases: {load: {mix: write, operations: all}, run: {mix: read, operations: 30}}\n"
    )
    done(cassandra, str(FILES / "types.yaml"), phases="load")
    result = done(cassandra, str(path), truncate=True)
    assert result.errors == {}
    assert result.document["statements"]["read"]["rows"] == 90

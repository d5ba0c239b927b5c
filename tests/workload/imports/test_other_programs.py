"""Lines of scylla-bench and YCSB turned into our file."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from cqlsurge.errors import UsageError
from cqlsurge.workload.imports.report import Imported
from cqlsurge.workload.imports.scylla_bench import import_scylla_bench
from cqlsurge.workload.imports.ycsb import import_ycsb


def document(imported: Imported) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(imported.text, Loader=yaml.BaseLoader)
    return found


def test_scylla_bench_writes_its_rows_in_order() -> None:
    imported = import_scylla_bench(
        "-mode write -workload sequential -partition-count 10 -clustering-row-count 30 -rows-per-request 3 "
        "-iterations 2 "
        "-clustering-row-size uniform:10..200 -consistency-level one -partition-offset 5 -max-rate 100 -nodes a,b"
    )
    made = document(imported)
    assert made["tables"]["scylla_bench.test"] == {
        "partitions": "10", "rows": "30", "columns": {"pk": "p + 5", "ck": "r", "v": "blob(10..200)"},
    }  # fmt: skip
    assert made["statements"]["write"]["each"]["rows"] == "3"
    run = made["phases"]["run"]
    assert (run["operations"], run["rate"], run["consistency"], run["pick"]) == ("200", "100", "ONE", {"any": "next"})
    assert imported.report.refused == ["-nodes: of the connection: given here as ADDRESS, --user, --tls and so on"]


@pytest.mark.parametrize(
    ("more", "ending"),
    [
        ("", "AND ck >= :ck LIMIT 2"),
        ("-no-lower-bound", "pk = :pk LIMIT 2"),
        ("-in-restriction", "AND ck IN (:ck_0, :ck_1)"),
        ("-provide-upper-bound -select-order-by desc", "AND ck >= :ck AND ck < :upper ORDER BY ck DESC"),
    ],
)
def test_scylla_bench_reads(more: str, ending: str) -> None:
    made = document(import_scylla_bench(f"-mode=read -workload=uniform -duration=2m -rows-per-request=2 {more}"))
    assert made["statements"]["read"]["cql"].endswith(ending)
    assert made["phases"]["run"]["duration"] == "120s"


def test_scylla_bench_counters_and_scans() -> None:
    made = document(import_scylla_bench("-mode counter_update -workload uniform -duration 1m"))
    assert list(made["tables"]) == ["scylla_bench.test_counters"]
    assert "c5 = c5 + :c5" in made["statements"]["counter_update"]
    made = document(import_scylla_bench("-mode scan -duration 1m"))
    assert made["statements"]["scan"]["scan"] == "scylla_bench.test"
    settings = import_scylla_bench("-mode write -workload sequential -validate-data -truncate-table").settings
    assert (settings["verify"], settings["truncate"]) == ("", True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-mode write", "-workload is missing"),
        ("-mode rite -workload uniform", "nearest is write"),
        ("-mode write -workload uniform -concurency 4", "nearest is concurrency"),
        ("-mode write -workload uniform -concurrency x", "no whole number"),
        ("-mode write -workload uniform -clustering-row-size big", "fixed:4"),
        ("-mode write -workload", "value is missing"),
        ("write", "is no option"),
        ("-mode write -workload uniform -consistency-level many", "nearest is ANY"),
    ],
)
def test_scylla_bench_errors(line: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        import_scylla_bench(line)


@pytest.mark.parametrize(
    ("name", "mix"),
    [
        ("a", {"read": "50", "update": "50"}),
        ("b", {"read": "95", "update": "5"}),
        ("c", {"read": "100"}),
        ("d", {"read": "95", "insert": "5"}),
        ("e", {"insert": "5", "scan": "95"}),
        ("f", {"read": "100", "update": "50"}),
    ],
)
def test_ycsb_core_workloads(name: str, mix: dict[str, str]) -> None:
    made = document(
        import_ycsb(f"run cassandra-cql -P workloads/workload{name} -p recordcount=5000 -threads 7 -target 90")
    )
    run = made["phases"]["run"]
    assert run["mix"] == mix
    assert (run["concurrency"], run["rate"]) == ("7", "90")
    assert made["tables"]["ycsb.usertable"]["partitions"] == "5000"
    assert run["pick"]["scan" if name == "e" else "read"] == (
        "written(zipf(0..4999, 0.99))" if name == "d" else "zipf(0.99)"
    )


def test_ycsb_properties() -> None:
    made = document(
        import_ycsb(
            "workloadc -p readproportion=0.25 -p scanproportion=0.75 -p requestdistribution=hotspot -p fieldcount=2 "
            "-p fieldlength=7 -p maxscanlength=20 -p maxexecutiontime=30 -p cassandra.readconsistencylevel=ONE"
        )
    )
    assert made["phases"]["run"]["mix"] == {"read": "25", "scan": "75"}
    assert made["phases"]["run"]["pick"]["read"] == "hotspot(20%, 80%)"
    assert made["phases"]["run"]["duration"] == "30s"
    assert made["tables"]["ycsb.usertable"]["columns"] == {
        "y_id": 'f"user{p}"', "field0": "text(7)", "field1": "text(7)",
    }  # fmt: skip
    assert made["statements"]["scan"]["cql"].endswith("LIMIT 20")
    assert made["statements"]["read"]["consistency"] == "ONE"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "say which"),
        ("workloadz", "nearest is workload"),
        ("workloada -p recordcuont=1", "nearest is recordcount"),
        ("workloada -p recordcount=many", "whole number"),
        ("workloadc -p readproportion=2", "share from 0 to 1"),
        ("workloadc -p readproportion=0", "all proportions are 0"),
        ("workloadc -p requestdistribution=zipf", "nearest is zipfian"),
        ("workloadc -p table=My-Table", "no plain name"),
    ],
)
def test_ycsb_errors(line: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        import_ycsb(line)

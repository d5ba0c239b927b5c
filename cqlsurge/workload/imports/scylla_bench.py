"""scylla-bench's options as our workload file: `-mode write -workload sequential -partition-count 100 ...`.

Its table is `pk bigint, ck bigint, v blob` (or five counters); rows are numbered, values are of a drawn size.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.settings import CONSISTENCIES
from cqlsurge.units import parse_duration_s
from cqlsurge.workload.cql_text import quote_name
from cqlsurge.workload.imports.places import nearest
from cqlsurge.workload.imports.report import Imported, Report
from cqlsurge.workload.yaml_text import write_yaml

MODES = ("write", "read", "mixed", "counter_update", "counter_read", "scan")
WORKLOADS = ("sequential", "uniform", "timeseries")
_CONNECTION = "of the connection: given here as ADDRESS, --user, --tls and so on"
_OUTPUT = "of its own output: here --json, --csv, --report, --hdr-log"
_SWITCHES = {"no-lower-bound", "in-restriction", "provide-upper-bound", "validate-data", "truncate-table"}
_OF_CONNECTION = ("nodes", "username", "password", "connection-count", "tls", "datacenter", "client-compression")
_OF_OUTPUT = ("hdr-latency-units", "measure-latency", "latency-type", "hdr-latency-sig", "start-timestamp")
_PASSED_OVER = {**dict.fromkeys(_OF_CONNECTION, _CONNECTION), **dict.fromkeys(_OF_OUTPUT, _OUTPUT)}


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _size(text: str) -> str:
    """`4`, `fixed:4`, `uniform:1..20` or `uniform:min=1,max=20` as a length of our file."""
    kind, _, rest = text.rpartition(":")
    numbers: list[str] = re.findall(r"\d+", rest)
    if kind.lower() in {"", "fixed"} and len(numbers) == 1:
        return numbers[0]
    if kind.lower() == "uniform" and len(numbers) == 2:
        return f"{numbers[0]}..{numbers[1]}"
    raise ValueError(f"{text!r} is no size: write it as fixed:4 or uniform:1..20")


def _choice(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{text!r}: {nearest(text.lower(), words)}")
        return text.lower()

    return read


def _level(text: str) -> str:
    level: str = text.upper().replace("LOCALQUORUM", "LOCAL_QUORUM").replace("LOCALONE", "LOCAL_ONE")
    if level not in CONSISTENCIES:
        raise ValueError(f"{text!r}: {nearest(level, CONSISTENCIES)}")
    return level


#: option -> (how it is read, what it is where it is not given)
_OPTIONS: Mapping[str, tuple[Callable[[str], Any], Any]] = {
    "mode": (_choice(*MODES), None),
    "workload": (_choice(*WORKLOADS), None),
    "partition-count": (_count, 10_000),
    "clustering-row-count": (_count, 100),
    "clustering-row-size": (_size, "4"),
    "rows-per-request": (_count, 1),
    "page-size": (_count, 1000),
    "concurrency": (_count, 16),
    "max-rate": (_count, 0),
    "partition-offset": (_count, 0),
    "iterations": (_count, 1),
    "duration": (parse_duration_s, 0.0),
    "consistency-level": (_level, "QUORUM"),
    "replication-factor": (_count, 1),
    "keyspace": (str, "scylla_bench"),
    "table": (str, "test"),
    "timeout": (parse_duration_s, 5.0),
    "retry-number": (_count, 10),
    "write-rate": (_count, 0),
    "distribution": (_choice("uniform", "hnormal"), "uniform"),
    "select-order-by": (_choice("none", "asc", "desc", "asc,desc", "none,asc,desc"), "none"),
    "range-count": (_count, 1),
    "error-at-row-limit": (_count, 0),
    "hdr-latency-file": (str, ""),
}


def read_options(text: str) -> tuple[dict[str, Any], set[str], set[str]]:
    """(values, switches, options passed over) of a line. Raises UsageError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--scylla-bench: {error} in {text!r}") from None
    values = {name: default for name, (_, default) in _OPTIONS.items()}
    switches: set[str] = set()
    passed: set[str] = set()
    place = 0
    while place < len(words):
        word = words[place]
        name, equals, value = word.lstrip("-").partition("=")
        place += 1
        if word == "scylla-bench":
            continue
        if not word.startswith("-"):
            raise UsageError(f"--scylla-bench {word!r} is no option")
        if name in _SWITCHES and not equals:
            switches.add(name)
            continue
        if name not in _OPTIONS and name not in _PASSED_OVER:
            raise UsageError(f"--scylla-bench -{name}: no such option; {nearest(name, [*_OPTIONS, *_SWITCHES])}")
        if not equals:
            if place == len(words):
                raise UsageError(f"--scylla-bench -{name}: its value is missing")
            value = words[place]
            place += 1
        if name in _PASSED_OVER:
            passed.add(name)
            continue
        try:
            values[name] = _OPTIONS[name][0](value)
        except ValueError as error:
            raise UsageError(f"--scylla-bench -{name}: {error}") from None
    for name in ("mode", "workload"):
        if values[name] is None and not (name == "workload" and values["mode"] == "scan"):
            raise UsageError(f"--scylla-bench: -{name} is missing: {', '.join(MODES if name == 'mode' else WORKLOADS)}")
    return values, switches, passed


def import_scylla_bench(text: str) -> Imported:
    """Our file for a line of scylla-bench's options. Raises UsageError."""
    values, switches, passed = read_options(text)
    report = Report()
    for name in sorted(passed):
        report.refuse(f"-{name}: {_PASSED_OVER[name]}")
    mode, workload = values["mode"], values["workload"] or "sequential"
    counters = mode.startswith("counter")
    keyspace = quote_name(values["keyspace"])
    table = values["table"] + ("_counters" if counters and values["table"] == "test" else "")
    name = f"{keyspace}.{quote_name(table)}"
    cells = "c1 counter, c2 counter, c3 counter, c4 counter, c5 counter" if counters else "v blob"
    replication = f"{{'class': 'NetworkTopologyStrategy', 'replication_factor': {values['replication-factor']}}}"
    document: dict[str, Any] = {
        "workload": f"{values['keyspace']}.{table}",
        "imported": {"from": "scylla-bench"},
        "schema": f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {replication};\n"
        f"CREATE TABLE IF NOT EXISTS {name} (pk bigint, ck bigint, {cells}, PRIMARY KEY (pk, ck)) WITH compression = "
        f"{{}};\n",
        "tables": {f"{values['keyspace']}.{table}": _table(values, workload, counters, report)},
        "statements": _statements(values, switches, name, report),
        "phases": {"run": _phase(values, workload, report)},
    }
    settings: dict[str, Any] = {"retries": values["retry-number"], "request_timeout": values["timeout"]}
    if values["hdr-latency-file"]:
        settings["hdr_log"] = values["hdr-latency-file"]
    if "truncate-table" in switches:
        settings["truncate"] = True
    if "validate-data" in switches:
        settings["verify"] = ""
        report.keep("-validate-data: reads are checked: --verify")
    return Imported(write_yaml(document), report, settings)


def _table(values: Mapping[str, Any], workload: str, counters: bool, report: Report) -> dict[str, Any]:
    offset = values["partition-offset"]
    entry: dict[str, Any] = {
        "partitions": values["partition-count"],
        "rows": values["clustering-row-count"],
    }
    if workload == "timeseries":
        entry["walk"] = "rows"
        report.mend(
            "timeseries: ck is the number of the row; scylla-bench makes it of the time of the row, newest first"
        )
    cells = {f"c{number}": f"r + {number}" for number in range(1, 6)} if counters else {
        "v": f"blob({values['clustering-row-size']})"
    }  # fmt: skip
    entry["columns"] = {"pk": f"p + {offset}" if offset else "p", "ck": "r", **cells}
    return entry


def _statements(values: Mapping[str, Any], switches: set[str], name: str, report: Report) -> dict[str, Any]:
    mode, rows = values["mode"], values["rows-per-request"]
    if mode == "scan":
        return {"scan": {"scan": f"{values['keyspace']}.{values['table']}", "page_size": values["page-size"]}}
    found: dict[str, Any] = {}
    if mode in {"write", "mixed"}:
        insert = f"INSERT INTO {name} (pk, ck, v) VALUES (:pk, :ck, :v)"
        found["write"] = insert if rows == 1 else {"batch": "unlogged", "each": {"cql": insert, "rows": rows}}
    if mode == "counter_update":
        found[mode] = (
            f"UPDATE {name} SET {', '.join(f'c{n} = c{n} + :c{n}' for n in range(1, 6))} WHERE pk = :pk AND ck = :ck"
        )
    if mode in {"read", "mixed", "counter_read"}:
        found["read" if mode == "mixed" else mode] = _read(values, switches, name, report)
    return found


def _read(values: Mapping[str, Any], switches: set[str], name: str, report: Report) -> dict[str, Any]:
    rows = values["rows-per-request"]
    where, more = "pk = :pk", {}
    if "in-restriction" in switches:
        where += f" AND ck IN ({', '.join(f':ck_{n}' for n in range(rows))})"
        more = {"with": {f"ck_{n}": f"ck + {n}" if n else "ck" for n in range(rows)}}
    elif "provide-upper-bound" in switches:
        where += " AND ck >= :ck AND ck < :upper"
        more = {"with": {"upper": f"ck + {rows}"}}
    elif "no-lower-bound" not in switches:
        where += " AND ck >= :ck"
    order = values["select-order-by"].rpartition(",")[2]
    if "," in values["select-order-by"]:
        report.mend(f"-select-order-by: {order} for all reads; scylla-bench takes them by turns")
    ending = "" if order == "none" else f" ORDER BY ck {order.upper()}"
    limit = "" if {"in-restriction", "provide-upper-bound"} & switches else f" LIMIT {rows}"
    return {
        "cql": f"SELECT * FROM {name} WHERE {where}{ending}{limit}",
        **more,
        "page_size": values["page-size"],
        "pages": "all",
    }


def _phase(values: Mapping[str, Any], workload: str, report: Report) -> dict[str, Any]:
    mode = values["mode"]
    names = ("write", "read") if mode == "mixed" else (mode,)
    phase: dict[str, Any] = {"mix": dict.fromkeys(names, 1)}
    if mode == "scan":
        pass
    elif workload == "uniform":
        phase["pick"] = {"any": "uniform"}
    elif workload == "timeseries" and mode in {"read", "counter_read"}:
        back = "exp(0..1k)" if values["distribution"] == "hnormal" else "uniform"
        phase["pick"] = {"any": back if back == "uniform" else f"written({back})"}
        report.mend(
            "timeseries reads: rows of the whole population; scylla-bench computes what a writer has written by now"
        )
    else:
        phase["pick"] = {"any": "next"}
    if values["duration"]:
        phase["duration"] = f"{values['duration']:g}s"
    elif workload == "sequential":
        total = values["partition-count"] * values["clustering-row-count"] * values["iterations"]
        phase["operations"] = max(1, total // values["rows-per-request"])
    else:
        phase["duration"] = "1m"
        report.mend("no -duration: one minute; scylla-bench would go on until it is stopped")
    phase["consistency"] = values["consistency-level"]
    phase["concurrency"] = values["concurrency"]
    if values["max-rate"]:
        phase["rate"] = values["max-rate"]
    return phase

"""YCSB's core workloads and their properties as our workload file: `workloada -p recordcount=1M -threads 16`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.settings import CONSISTENCIES
from cqlsurge.workload.imports.places import nearest
from cqlsurge.workload.imports.report import Imported, Report
from cqlsurge.workload.yaml_text import write_yaml

_SHARES = ("readproportion", "updateproportion", "insertproportion", "scanproportion", "readmodifywriteproportion")
_NUMBERS = (
    "recordcount", "operationcount", "fieldcount", "fieldlength", "maxscanlength", "threadcount", "target",
    "maxexecutiontime",
)  # fmt: skip
#: workload -> what its file sets
WORKLOADS: Mapping[str, Mapping[str, str]] = {
    "workloada": {"readproportion": "0.5", "updateproportion": "0.5", "requestdistribution": "zipfian"},
    "workloadb": {"readproportion": "0.95", "updateproportion": "0.05", "requestdistribution": "zipfian"},
    "workloadc": {"readproportion": "1", "requestdistribution": "zipfian"},
    "workloadd": {"readproportion": "0.95", "insertproportion": "0.05", "requestdistribution": "latest"},
    "workloade": {"scanproportion": "0.95", "insertproportion": "0.05", "requestdistribution": "zipfian"},
    "workloadf": {"readproportion": "0.5", "readmodifywriteproportion": "0.5", "requestdistribution": "zipfian"},
}
_DEFAULTS: Mapping[str, str] = {
    **dict.fromkeys(_SHARES, "0"),
    "recordcount": "1000",
    "operationcount": "1000",
    "maxexecutiontime": "0",
    "fieldcount": "10",
    "fieldlength": "100",
    "requestdistribution": "uniform",
    "maxscanlength": "100",
    "hotspotdatafraction": "0.2",
    "hotspotopnfraction": "0.8",
    "readallfields": "true",
    "writeallfields": "false",
    "threadcount": "1",
    "target": "0",
    "table": "usertable",
    "cassandra.keyspace": "ycsb",
    "cassandra.readconsistencylevel": "QUORUM",
    "cassandra.writeconsistencylevel": "QUORUM",
}
_IGNORED = {
    "workload": "which class of YCSB: only CoreWorkload is made",
    "hosts": "of the connection: given here as ADDRESS",
    "port": "of the connection: given here as ADDRESS",
    "cassandra.username": "of the connection: given here as --user",
    "cassandra.password": "of the connection: given here as --password-file",
    "measurementtype": "of its own output: here --json, --csv, --hdr-log",
    "insertorder": "keys are user0, user1 ... here; their tokens are spread anyway",
    "fieldlengthdistribution": "fields have fieldlength characters; write text(1..100) into the file for others",
    "scanlengthdistribution": "scans have maxscanlength rows; write another LIMIT into the file",
}


def import_ycsb(text: str) -> Imported:
    """Our file for `workloada -p name=value ... -threads N -target N`. Raises UsageError."""
    name, given = _read(text)
    report = Report()
    for key in sorted(set(given) & set(_IGNORED)):
        report.refuse(f"{key}: {_IGNORED[key]}")
    of = {**_DEFAULTS, **WORKLOADS[name], **given}
    numbers = {key: _number(key, of[key]) for key in _NUMBERS}
    keyspace, table = of["cassandra.keyspace"], of["table"]
    for word in (keyspace, table):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", word):
            raise UsageError(f"--ycsb: {word!r} is no plain name of a keyspace or table")
    full = f"{keyspace}.{table}"
    fields = [f"field{number}" for number in range(numbers["fieldcount"])]
    mix, statements = _operations(of, full, fields, numbers, report)
    document: dict[str, Any] = {
        "workload": f"ycsb {name}",
        "imported": {"from": "YCSB", "workload": name},
        "schema": f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = "
        "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1};\n"
        f"CREATE TABLE IF NOT EXISTS {full} (y_id text PRIMARY KEY, "
        f"{', '.join(f'{field} text' for field in fields)});\n",
        "tables": {
            full: {
                "partitions": numbers["recordcount"],
                "columns": {"y_id": 'f"user{p}"', **dict.fromkeys(fields, f"text({numbers['fieldlength']})")},
            }
        },
        "statements": {"load": {"insert": full, "consistency": _level(of, "write")}, **statements},
        "phases": {
            "load": {"mix": "load", "operations": "all"},
            "run": _phase(of, mix, numbers),
        },
    }
    return Imported(write_yaml(document), report)


def _read(text: str) -> tuple[str, dict[str, str]]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--ycsb: {error} in {text!r}") from None
    name, given = "", {}
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word in {"-p", "-threads", "-target", "-P"} and place < len(words):
            value = words[place]
            place += 1
            if word == "-P":
                name = _workload(value)
            elif word == "-p":
                key, equals, value = value.partition("=")
                if not equals or (key not in _DEFAULTS and key not in _IGNORED):
                    raise UsageError(f"--ycsb -p {key}: no such property; {nearest(key, [*_DEFAULTS, *_IGNORED])}")
                given[key] = value
            else:
                given["threadcount" if word == "-threads" else "target"] = value
        elif word not in {"ycsb", "run", "load", "cassandra-cql", "-s"}:
            name = _workload(word)
    if not name:
        raise UsageError(f"--ycsb: say which: {', '.join(WORKLOADS)}")
    return name, given


def _workload(word: str) -> str:
    name = word.rsplit("/", 1)[-1].lower()
    if name not in WORKLOADS:
        raise UsageError(f"--ycsb {word!r} is no core workload; {nearest(name, WORKLOADS)}")
    return name


def _number(key: str, text: str) -> int:
    if not text.isdigit():
        raise UsageError(f"--ycsb {key}={text}: a whole number is wanted")
    return int(text)


def _share(of: Mapping[str, str], key: str) -> float:
    try:
        share = float(of[key])
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"--ycsb {key}={of[key]}: a share from 0 to 1 is wanted")
    return share


def _level(of: Mapping[str, str], which: str) -> str:
    level = of[f"cassandra.{which}consistencylevel"].upper()
    if level not in CONSISTENCIES:
        raise UsageError(f"--ycsb cassandra.{which}consistencylevel={level}: {nearest(level, CONSISTENCIES)}")
    return level


def _operations(
    of: Mapping[str, str], table: str, fields: list[str], numbers: Mapping[str, int], report: Report
) -> tuple[dict[str, float], dict[str, Any]]:
    read_level, write_level = _level(of, "read"), _level(of, "write")
    selected = "*" if of["readallfields"] == "true" else fields[0]
    changed = fields if of["writeallfields"] == "true" else fields[:1]
    if len(changed) < len(fields) and {"updateproportion", "readmodifywriteproportion"} & {
        k for k in _SHARES if _share(of, k)
    }:
        report.mend(f"updates set {fields[0]}; YCSB sets one field at random")
    read = {"cql": f"SELECT {selected} FROM {table} WHERE y_id = :y_id", "consistency": read_level}
    update = {
        "cql": f"UPDATE {table} SET {', '.join(f'{field} = :{field}' for field in changed)} WHERE y_id = :y_id",
        "consistency": write_level,
    }
    scan = {
        "cql": f"SELECT {selected} FROM {table} WHERE token(y_id) >= token(:y_id) LIMIT {numbers['maxscanlength']}",
        "consistency": read_level,
    }
    insert = {"insert": table, "pick": "new", "consistency": write_level}
    shares = {name: _share(of, f"{name}proportion") for name in ("read", "update", "insert", "scan", "readmodifywrite")}
    both = shares.pop("readmodifywrite")
    if both:
        shares["read"] += both
        shares["update"] += both
        report.mend("readmodifywrite: a read and an update, each an operation of its own")
    statements = {"read": read, "update": update, "insert": insert, "scan": scan}
    mix = {name: round(100 * share, 6) for name, share in shares.items() if share}
    if not mix:
        raise UsageError("--ycsb: all proportions are 0: give -p readproportion=1 or another")
    return mix, {name: statements[name] for name in mix}


def _phase(of: Mapping[str, str], mix: Mapping[str, float], numbers: Mapping[str, int]) -> dict[str, Any]:
    records = numbers["recordcount"]
    hot, draws = (100 * _share(of, f"hotspot{part}fraction") for part in ("data", "opn"))
    picks = {
        "uniform": "uniform",
        "zipfian": "zipf(0.99)",
        "latest": f"written(zipf(0..{max(1, records - 1)}, 0.99))",
        "hotspot": f"hotspot({hot:g}%, {draws:g}%)",
        "exponential": f"exp(0..{max(1, records - 1)})",
        "sequential": "next",
    }
    if of["requestdistribution"] not in picks:
        raise UsageError(f"--ycsb requestdistribution: {nearest(of['requestdistribution'], picks)}")
    whole = all(weight == int(weight) for weight in mix.values())
    phase: dict[str, Any] = {
        "mix": {name: int(weight) if whole else weight for name, weight in mix.items()},
        "pick": {name: picks[of["requestdistribution"]] for name in mix if name != "insert"},
    }
    if numbers["maxexecutiontime"]:
        phase["duration"] = f"{numbers['maxexecutiontime']}s"
    else:
        phase["operations"] = max(1, numbers["operationcount"])
    phase["concurrency"] = max(1, numbers["threadcount"])
    if numbers["target"]:
        phase["rate"] = numbers["target"]
    return phase

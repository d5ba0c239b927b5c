"""write, read, mixed, counter_write, counter_read: the tables standard1 and counter1 as our workload file."""

from __future__ import annotations

from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.workload.cql_text import quote_name
from cqlsurge.workload.imports.cassandra_stress.command import Command
from cqlsurge.workload.imports.cassandra_stress.phase import make_phase, seeds_of
from cqlsurge.workload.imports.cassandra_stress.settings import settings_of
from cqlsurge.workload.imports.cassandra_stress.values import draw, length, number_text
from cqlsurge.workload.imports.report import Imported, Report
from cqlsurge.workload.yaml_text import write_yaml

#: what `mixed` does unless told otherwise
MIXED = (("write", 1.0), ("read", 1.0))


def convert_predefined(command: Command, report: Report, exact: bool) -> Imported:
    """Our file for one of the predefined commands."""
    operations = dict(command.ops or MIXED) if command.command == "mixed" else {command.command: 1.0}
    for name in operations:
        if name not in {"write", "read", "counter_write", "counter_read"}:
            raise UsageError(f"--stress mixed: {name} is none of write, read, counter_write, counter_read")
    counters = {name.startswith("counter") for name in operations}
    keyspace = command.schema.keyspace
    names = {True: "counter1", False: "standard1"}
    if exact:
        _can_be_exact(command, counters)
    document: dict[str, Any] = {
        "workload": f"{keyspace}.{names[min(counters)]}",
        "imported": {"from": "cassandra-stress", "command": command.command},
        "schema": _schema(command, [names[one] for one in sorted(counters)]),
        "tables": {f"{keyspace}.{names[one]}": _table(command, counter=one, exact=exact) for one in sorted(counters)},
        "statements": {name: _statement(command, name) for name in operations},
    }
    writes = {name for name in operations if name.endswith("write")}
    document["phases"] = {"run": make_phase(command, operations, writes, report)}
    if exact:
        report.keep(
            "--exact: keys and cells are those that cassandra-stress 3.11 and ScyllaDB's make of the same seeds"
        )
    else:
        report.mend("keys and cells are ours, not the bytes of cassandra-stress: --exact makes those")
    if command.columns.timestamp is not None:
        report.refuse("-col timestamp=: writes have the time at which they were due")
    return Imported(write_yaml(document), report, settings_of(command, report))


def _can_be_exact(command: Command, counters: set[bool]) -> None:
    columns = command.columns
    if True in counters:
        raise UsageError("--exact is for standard1: counters have no content to compare")
    if not (columns.size.is_fixed and command.key_size.is_fixed):
        raise UsageError("--exact needs fixed sizes: -col size=FIXED(34), keysize=FIXED(10)")


def _schema(command: Command, tables: list[str]) -> str:
    schema, keyspace = command.schema, quote_name(command.schema.keyspace)
    lines = [f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {_options(schema.replication)}"]
    for table in tables:
        kind = "counter" if table == "counter1" else "blob"
        columns = ", ".join(f"{quote_name(name)} {kind}" for name in command.columns.names)
        further = []
        if schema.compaction:
            further.append(f"compaction = {_options(schema.compaction)}")
        if schema.compression:
            further.append(f"compression = {{'class': '{schema.compression}'}}")
        options = f" WITH {' AND '.join(further)}" if further else ""
        lines.append(f"CREATE TABLE IF NOT EXISTS {keyspace}.{table} (key blob PRIMARY KEY, {columns}){options}")
    return ";\n".join(lines) + ";\n"


def _options(entries: tuple[tuple[str, str], ...]) -> str:
    return "{" + ", ".join(f"'{name}': '{value}'" for name, value in entries) + "}"


def _table(command: Command, counter: bool, exact: bool) -> dict[str, Any]:
    first, last = seeds_of(command)
    seed = f"p + {first}" if first > 0 else f"p - {-first}" if first < 0 else "p"
    size = command.columns.size
    if exact:
        key = f"cassandra_stress_key({seed}, {command.key_size.low})"
        cells = {
            name: f"cassandra_stress_blob({seed}, {command.key_size.low}, '{name}', {size.low})"
            for name in command.columns.names
        }
    else:
        key = f"blob({length(command.key_size)}, {seed})"
        cells = {} if counter else dict.fromkeys(command.columns.names, f"blob({length(size)})")
    return {"partitions": number_text(last - first + 1), "columns": {"key": key, **cells}}


def _statement(command: Command, name: str) -> Any:
    table = f"{quote_name(command.schema.keyspace)}.{'counter1' if name.startswith('counter') else 'standard1'}"
    columns = [quote_name(column) for column in command.columns.names]
    if name == "counter_write":
        added = ", ".join(f"{column} = {column} + :{column}" for column in columns)
        deltas = dict.fromkeys(command.columns.names, draw(command.add))
        return {"cql": f"UPDATE {table} SET {added} WHERE key = :key", "with": deltas}
    if name == "write":
        return f"UPDATE {table} SET {', '.join(f'{column} = :{column}' for column in columns)} WHERE key = :key"
    read = f"SELECT {', '.join(columns)} FROM {table} WHERE key = :key"
    return {"cql": read, "check": "none"} if command.errors.skip_validation else read

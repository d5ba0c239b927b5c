"""A table, and what was learned of it, as our workload file: what `--print-workload` and `workload derive` write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cqlsurge.load.cql.types import NativeType
from cqlsurge.workload.cql_text import quote_name
from cqlsurge.workload.derive.learn import Learned
from cqlsurge.workload.derive.shapes import number_text, size_text
from cqlsurge.workload.tables import CLUSTERING, PARTITION, REGULAR, Column, Table
from cqlsurge.workload.yaml_text import write_yaml

PARTITIONS, ROWS = 1_000_000, 10
PAGE_SIZE = 100


def derived_text(
    tables: Sequence[Table],
    schema: Sequence[str] = (),
    learned: Mapping[str, Learned] | None = None,
    mode: str = "",
    read_share: float = 0.5,
) -> str:
    """The file for these tables.

    schema: the CQL that makes them. learned: by the table's `cql_name`. mode: write, read or mixed for the phase
    `run`; by default a mix of all.
    """
    found = learned or {}
    prefixes = len(tables) > 1
    document: dict[str, Any] = {"workload": ", ".join(f"{table.keyspace}.{table.name}" for table in tables)}
    if not found:
        document["params"] = {"partitions": "1M", "rows": ROWS}
    if schema:
        document["schema"] = ";\n".join(text.strip().rstrip(";") for text in schema) + ";\n"
    document["tables"] = {
        f"{table.keyspace}.{table.name}": _table(table, found.get(table.cql_name)) for table in tables
    }
    statements: dict[str, Any] = {}
    writes: dict[str, int] = {}
    reads: dict[str, int] = {}
    idle: dict[str, int] = {}
    for table in tables:
        prefix = f"{table.name}_" if prefixes else ""
        made = _statements(table, found.get(table.cql_name))
        statements |= {prefix + name: entry for name, entry in made.items()}
        for name in made:
            weights = writes if name in {"insert", "add"} else reads if name.startswith("read") else idle
            weights[prefix + name] = _WEIGHTS.get(name, 0)
    document["statements"] = statements
    load = {"mix": dict.fromkeys(writes, 1) if len(writes) > 1 else next(iter(writes)), "operations": "all"}
    run = {"mix": _mix(writes, reads, idle, mode, read_share), "duration": "1m"}
    document["phases"] = {"run": run} if mode in {"write", "read"} else {"load": load, "run": run}
    comments = {
        "tables": "from system_schema: "
        + "; ".join(_about(table) for table in tables)
        + (
            "\nshapes are learned from a sample: lengths, ranges and shares; no value of a row stands here"
            if found
            else ""
        )
    }
    return write_yaml(document, comments)


_WEIGHTS = {"insert": 40, "add": 40, "read_row": 50, "read_partition": 10}


def _mix(
    writes: dict[str, int], reads: dict[str, int], idle: dict[str, int], mode: str, read_share: float
) -> dict[str, Any]:
    if mode == "write":
        return dict(writes)
    if mode == "read":
        return dict(reads)
    if mode == "mixed":
        total_reads, total_writes = sum(reads.values()), sum(writes.values())
        scaled = {name: round(100 * read_share * weight / total_reads, 4) for name, weight in reads.items()}
        return scaled | {
            name: round(100 * (1 - read_share) * weight / total_writes, 4) for name, weight in writes.items()
        }
    return reads | writes | idle


def _about(table: Table) -> str:
    key = ", ".join(column.name for column in table.of_kind(PARTITION))
    parts = [f"partition key {key}"]
    clustering = [f"{one.name} {'DESC' if one.descending else 'ASC'}" for one in table.of_kind(CLUSTERING)]
    if clustering:
        parts.append(f"clustering {', '.join(clustering)}")
    statics = [column.name for column in table.columns if column.kind == "static"]
    if statics:
        parts.append(f"static {', '.join(statics)}")
    if table.default_ttl_s:
        parts.append(f"TTL {table.default_ttl_s} s")
    if table.views:
        parts.append(f"views {', '.join(table.views)}")
    if table.indexed:
        parts.append(f"indexes on {', '.join(sorted(table.indexed))}")
    return f"{table.keyspace}.{table.name}: {', '.join(parts)}"


def _table(table: Table, learned: Learned | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"partitions": learned.partitions if learned else "partitions"}
    if table.of_kind(CLUSTERING):
        entry["rows"] = number_text(learned.rows) if learned else "rows"
    if learned is not None:
        columns = {name: shape.expression() for name, shape in learned.shapes.items()}
        if columns:
            entry["columns"] = columns
    return entry


def _bind(column: Column) -> str:
    return f":{quote_name(column.name)}"


def _where(columns: Sequence[Column]) -> str:
    return " AND ".join(f"{quote_name(column.name)} = {_bind(column)}" for column in columns)


def _statements(table: Table, learned: Learned | None) -> dict[str, Any]:
    """All that can be done to a table by its key, and reads by its indexes."""
    names = ", ".join(quote_name(column.name) for column in table.columns)
    partition, clustering = table.of_kind(PARTITION), table.of_kind(CLUSTERING)
    regular = table.of_kind(REGULAR)
    counters = any(column.is_counter for column in table.columns)
    found: dict[str, Any] = {}
    if counters:
        added = ", ".join(f"{quote_name(one.name)} = {quote_name(one.name)} + {_bind(one)}" for one in table.values)
        found["add"] = {
            "cql": f"UPDATE {table.cql_name} SET {added} WHERE {_where(table.key)}",
            "with": {column.name: 1 for column in table.values},
        }
    else:
        found["insert"] = _insert(table, learned)
    found["read_row"] = f"SELECT {names} FROM {table.cql_name} WHERE {_where(table.key)}"
    if clustering:
        cql = f"SELECT {names} FROM {table.cql_name} WHERE {_where(partition)}"
        found["read_partition"] = {"cql": cql, "page_size": PAGE_SIZE, "pages": "all"}
    if not counters and regular:
        settings = ", ".join(f"{quote_name(column.name)} = {_bind(column)}" for column in regular)
        found["update"] = f"UPDATE {table.cql_name} SET {settings} WHERE {_where(table.key)}"
    found["delete_row"] = f"DELETE FROM {table.cql_name} WHERE {_where(table.key)}"
    for name, kind in sorted(table.indexed.items()):
        column = table.column(name)
        if column is not None and isinstance(column.type, NativeType) and "vector" not in kind.lower():
            key = ", ".join(quote_name(one.name) for one in table.key)
            found[f"by_{name}"] = f"SELECT {key} FROM {table.cql_name} WHERE {_where([column])} LIMIT 10"
    return found


def _insert(table: Table, learned: Learned | None) -> Any:
    if learned is None or learned.ttl_s is None:
        return {"insert": f"{table.keyspace}.{table.name}"}
    names = ", ".join(quote_name(column.name) for column in table.columns)
    values = ", ".join(map(_bind, table.columns))
    return {
        "cql": f"INSERT INTO {table.cql_name} ({names}) VALUES ({values}) USING TTL :ttl_s",
        "with": {"ttl_s": size_text(learned.ttl_s) if learned.ttl_s.is_fixed else number_text(learned.ttl_s)},
    }

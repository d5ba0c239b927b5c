"""A workload for a table that is there, made from its schema: `table:ks.t`, with `;mode=read`, `;read=0.8`, `;write`.

Rows of others are not overwritten unless `;write` says so: a table that has rows, but none of those that the workload
would make first, is refused to statements that write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cassandra import DriverException
from cassandra.cluster import Cluster, NoHostAvailable, Session
from cassandra.protocol import ErrorMessage
from cassandra.query import BoundStatement

from cqlsurge.database.tables import read_table, table_finder
from cqlsurge.errors import ClusterError, UsageError
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.load.workload.spec import PARTITION, WorkloadSpec
from cqlsurge.units import parse_share
from cqlsurge.workload.cql_text import quote_name
from cqlsurge.workload.derive.ddl import ddl_of
from cqlsurge.workload.derive.document import derived_text
from cqlsurge.workload.loader import load_workload
from cqlsurge.workload.tables import split_name

PREFIX = "table:"
MODES = ("write", "read", "mixed")
#: of the partitions that a workload makes first, so many are looked for
LOOKED_AT = 16


@dataclass(frozen=True)
class TableSource:
    """What is asked for: the table, what to do, the share of reads, and whether rows of others may be overwritten."""

    keyspace: str
    table: str
    mode: str = ""
    read_share: float = 0.5
    write: bool = False


def table_source(name: str, mode: str = "", read_share: float | None = None, write: bool = False) -> str:
    """How a table is named as a workload."""
    parts = [
        PREFIX + name,
        *([f"mode={mode}"] if mode else []),
        *([f"read={read_share:g}"] if read_share is not None else []),
    ]
    return ";".join([*parts, *(["write"] if write else [])])


def read_source(text: str) -> TableSource:
    """What `table:ks.t;...` asks for. Raises UsageError."""
    name, *words = text.removeprefix(PREFIX).split(";")
    keyspace, table = split_name(name)
    found = TableSource(keyspace, table)
    for word in words:
        key, _, value = word.partition("=")
        if key == "mode" and value in MODES:
            found = replace(found, mode=value)
        elif key == "read" and value:
            try:
                found = replace(found, read_share=parse_share(value))
            except ValueError as error:
                raise UsageError(f"--workload {text}: {error}") from None
        elif word == "write":
            found = replace(found, write=True)
        else:
            raise UsageError(f"--workload {text}: {word!r} is none of mode=write|read|mixed, read=SHARE, write")
    return found


def text_of_table(cluster: Cluster, session: Session, source: TableSource) -> str:
    """The workload file for a table. Raises ClusterError."""
    table = read_table(session, source.keyspace, source.table)
    return derived_text([table], ddl_of(cluster, [table]), mode=source.mode, read_share=source.read_share)


def load_table(cluster: Cluster, session: Session, text: str, params: Mapping[str, str]) -> WorkloadSpec:
    """The workload of `table:ks.t`; it makes no schema. Raises UsageError or ClusterError."""
    source = read_source(text)
    made = text_of_table(cluster, session, source)
    spec = load_workload(made, f"{source.keyspace}.{source.table}", params, find=table_finder(session))
    spec = replace(spec, schema=())
    if source.mode != "read" and not source.write:
        _refuse_rows_of_others(session, spec, source)
    return spec


def _refuse_rows_of_others(session: Session, spec: WorkloadSpec, source: TableSource) -> None:
    table = spec.tables[0]
    name = f"{quote_name(source.keyspace)}.{quote_name(source.table)}"
    keys = [column.name for column in table.columns if column.role == PARTITION]
    where = " AND ".join(f"{quote_name(key)} = ?" for key in keys)
    try:
        if session.execute(f"SELECT {quote_name(keys[0])} FROM {name} LIMIT 1").one() is None:
            return
        one = session.prepare(f"SELECT {quote_name(keys[0])} FROM {name} WHERE {where} LIMIT 1")
        workload = SpecWorkload(spec, spec.phases[-1].name, 1)
        for partition in range(min(LOOKED_AT, table.partitions)):
            bound = BoundStatement(one)
            bound.values = workload.partition_key(table, partition)
            if session.execute(bound).one() is not None:
                return
    except (DriverException, NoHostAvailable, ErrorMessage) as error:
        raise ClusterError(f"{name} cannot be looked at: {error}") from error
    raise UsageError(
        f"{name} has rows that are not of this workload: say --write to write there all the same, or --mode read"
    )

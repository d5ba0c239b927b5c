"""Keyspace and table: created where absent, checked where present. Syntax that ScyllaDB and Cassandra each accept."""

from __future__ import annotations

import re

from cassandra import AlreadyExists, DriverException, Unauthorized
from cassandra.cluster import Session
from cassandra.protocol import ErrorMessage

from cqlsurge.errors import ClusterError, UsageError
from cqlsurge.settings import Settings

_REPLICATION = re.compile(r"[A-Za-z0-9_.\-]+:[0-9]+\Z")
KV_COLUMNS = {"key": ("partition_key", "uuid"), "value": ("regular", "blob")}


def replication_options(text: str, dc: str) -> dict[str, str]:
    """`3`, or `dc1:3,dc2:2`, as the options of NetworkTopologyStrategy. Raises UsageError."""
    if text.isdigit():
        factors = {dc: text}
    else:
        parts = [part.strip() for part in text.split(",")]
        if not all(_REPLICATION.match(part) for part in parts):
            raise UsageError(f"--replication {text!r} is not understood: write a factor such as 3, or dc1:3,dc2:2")
        factors = {name: factor for name, _, factor in (part.rpartition(":") for part in parts)}
    if any(int(factor) < 1 for factor in factors.values()):
        raise UsageError(f"--replication {text!r}: a factor is 1 or more")
    return {"class": "NetworkTopologyStrategy", **factors}


def prepare_schema(session: Session, settings: Settings, dc: str, nodes_by_dc: dict[str, int]) -> None:
    """Makes sure that the table is there and is ours. Raises ClusterError or UsageError."""
    try:
        if not _keyspace_exists(session, settings.keyspace):
            _create_keyspace(session, settings, dc, nodes_by_dc)
        columns = _columns(session, settings.keyspace, settings.table)
        if not columns:
            _create_table(session, settings)
            columns = _columns(session, settings.keyspace, settings.table)
        _check_columns(columns, settings)
        if settings.truncate:
            session.execute(f'TRUNCATE "{settings.keyspace}"."{settings.table}"', timeout=120)
    except Unauthorized as error:
        who = f"user {settings.user!r} may not" if settings.user else "who gives no --user may not"
        raise ClusterError(f"{who} do this: {error}; grant it, or use --no-create") from error
    except (DriverException, ErrorMessage) as error:
        raise ClusterError(f"the schema of {settings.keyspace}.{settings.table} cannot be prepared: {error}") from error


def has_table(session: Session, keyspace: str, table: str) -> bool:
    """Whether a table exists, as system_schema tells."""
    query = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s"
    return session.execute(query, (keyspace, table)).one() is not None


def _keyspace_exists(session: Session, keyspace: str) -> bool:
    query = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = %s"
    return session.execute(query, (keyspace,)).one() is not None


def _create_keyspace(session: Session, settings: Settings, dc: str, nodes_by_dc: dict[str, int]) -> None:
    if not settings.create:
        raise ClusterError(f"there is no keyspace {settings.keyspace}, and --no-create forbids to make it")
    replication = replication_options(settings.replication, dc)
    for name, factor in replication.items():
        if name == "class":
            continue
        if name not in nodes_by_dc:
            raise UsageError(f"--replication names {name!r}, but the data centres are {', '.join(sorted(nodes_by_dc))}")
        if int(factor) > nodes_by_dc[name]:
            raise UsageError(f"--replication asks for {factor} copies in {name}, which has {nodes_by_dc[name]} node(s)")
    options = ", ".join(f"'{name}': '{value}'" for name, value in replication.items())
    tablets = ""
    if settings.tablets is not None:
        if not has_table(session, "system", "tablets"):
            raise UsageError("--tablets/--no-tablets needs a ScyllaDB that knows tablets; leave it away")
        tablets = f" AND tablets = {{'enabled': {str(settings.tablets).lower()}}}"
    session.execute(f'CREATE KEYSPACE IF NOT EXISTS "{settings.keyspace}" WITH replication = {{{options}}}{tablets}')


def _create_table(session: Session, settings: Settings) -> None:
    name = f'"{settings.keyspace}"."{settings.table}"'
    if not settings.create:
        raise ClusterError(
            f"there is no table {settings.keyspace}.{settings.table}, and --no-create forbids to make it"
        )
    further = f" WITH {settings.create_with}" if settings.create_with else ""
    try:
        session.execute(f"CREATE TABLE IF NOT EXISTS {name} (key uuid PRIMARY KEY, value blob){further}")
    except AlreadyExists:
        pass  # somebody else was faster
    except (DriverException, ErrorMessage) as error:
        if not settings.create_with:
            raise
        raise UsageError(f"--create-with {settings.create_with!r} is refused: {error}") from error


def _columns(session: Session, keyspace: str, table: str) -> dict[str, tuple[str, str]]:
    query = "SELECT column_name, kind, type FROM system_schema.columns WHERE keyspace_name = %s AND table_name = %s"
    return {row.column_name: (row.kind, row.type) for row in session.execute(query, (keyspace, table))}


def _check_columns(columns: dict[str, tuple[str, str]], settings: Settings) -> None:
    if columns != KV_COLUMNS:
        found = ", ".join(f"{name} {kind_type[1]}" for name, kind_type in sorted(columns.items()))
        raise ClusterError(
            f"table {settings.keyspace}.{settings.table} has other columns ({found}) than key uuid, value blob: "
            "choose another with --table"
        )

"""The schema of a workload: its statements are run once, then agreement, indexes and views are awaited."""

from __future__ import annotations

import re
import time

from cassandra import AlreadyExists, DriverException, Unauthorized
from cassandra.cluster import NoHostAvailable, Session
from cassandra.protocol import ErrorMessage

from cqlsurge.database.topology import replication_of
from cqlsurge.errors import ClusterError, UsageError
from cqlsurge.load.workload.spec import WorkloadSpec
from cqlsurge.results.listener import Listener
from cqlsurge.workload.cql_text import quote_name

TIMEOUT_S = 120.0
BUILD_S = 120.0
_FACTOR = re.compile(r"('(?:replication_factor|[\w.-]+)'\s*:\s*'?)(\d+)('?)")


def prepare_workload(
    session: Session,
    spec: WorkloadSpec,
    listener: Listener,
    *,
    create: bool,
    truncate: bool,
    nodes_by_dc: dict[str, int],
    own: bool,
) -> None:
    """Makes what the workload's schema says, and empties its tables where that is asked for.

    own: the database is ours: a keyspace gets no more copies than there are nodes. Raises UsageError or ClusterError.
    """
    if create:
        for statement in spec.schema:
            text = _fitting(statement, nodes_by_dc, listener) if own else statement
            _execute(session, text)
    for table in spec.tables:
        keyspace, _, name = table.name.partition(".")
        query = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s"
        if session.execute(query, (keyspace, name)).one() is None:
            cure = "it is not under `schema`" if create else "--no-create forbids to make it"
            raise ClusterError(f"there is no table {table.name}: {cure}")
        if truncate:
            _execute(session, f"TRUNCATE {quote_name(keyspace)}.{quote_name(name)}")
    for keyspace in {table.name.partition(".")[0] for table in spec.tables}:
        _check_copies(session, keyspace, nodes_by_dc)
        _await_built(session, keyspace, listener)


def _execute(session: Session, statement: str) -> None:
    try:
        session.execute(statement, timeout=TIMEOUT_S)
    except AlreadyExists:
        pass  # that is what is wanted
    except Unauthorized as error:
        raise ClusterError(f"the user may not do this: {error}; grant it, or use --no-create") from error
    except (DriverException, ErrorMessage, NoHostAvailable) as error:
        why = " ".join(str(getattr(error, "message", None) or error).split())
        if "already exists" in why.lower() or "existing" in why.lower():
            return
        shown = " ".join(statement.split())
        raise UsageError(f"the schema is refused: {why}; the statement is: {shown[:120]}") from error


def _fitting(statement: str, nodes_by_dc: dict[str, int], listener: Listener) -> str:
    """CREATE KEYSPACE with no more copies than our own database has nodes."""
    if not re.match(r"\s*create\s+keyspace", statement, re.IGNORECASE):
        return statement
    nodes = max(nodes_by_dc.values(), default=1)

    def fitted(found: re.Match[str]) -> str:
        if int(found[2]) <= nodes:
            return found[0]
        listener.note(f"{found[2]} copies of each row are asked for; here there is {nodes} node(s), so {nodes}")
        return f"{found[1]}{nodes}{found[3]}"

    return _FACTOR.sub(fitted, statement)


def _check_copies(session: Session, keyspace: str, nodes_by_dc: dict[str, int]) -> None:
    options = replication_of(session, keyspace)
    for name, factor in options.items():
        nodes = nodes_by_dc.get(name, sum(nodes_by_dc.values()) if name == "replication_factor" else 0)
        if factor.isdigit() and nodes and int(factor) > nodes:
            raise UsageError(
                f"keyspace {keyspace} wants {factor} copies, but there are {nodes} node(s): drop it, and give the "
                "factor in the schema as a parameter, such as -p rf=1"
            )


def _await_built(session: Session, keyspace: str, listener: Listener) -> None:
    """Waits until indexes and views are built; where the server does not tell, not at all."""
    deadline_s = time.monotonic() + BUILD_S
    told = False
    while time.monotonic() < deadline_s:
        left = _unbuilt(session, keyspace)
        if not left:
            return
        if not told:
            listener.stage(f"waiting for {', '.join(sorted(left))} to be built")
            told = True
        time.sleep(0.2)
    listener.warn(f"{keyspace}: indexes or views are not built after {BUILD_S:.0f} s; reads by them may miss rows")


def _unbuilt(session: Session, keyspace: str) -> set[str]:
    try:
        views = session.execute("SELECT view_name FROM system_schema.views WHERE keyspace_name = %s", (keyspace,))
        wanted = {row.view_name for row in views}
        if not wanted:
            return set()
        built = session.execute("SELECT view_name FROM system.built_views WHERE keyspace_name = %s", (keyspace,))
        return wanted - {row.view_name for row in built}
    except (DriverException, ErrorMessage):
        return set()

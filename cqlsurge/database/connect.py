"""The control plane's connection: scylla-driver through its public API, and what can go wrong, in plain words.

Protocol v4, since ScyllaDB rejects v5 and on Cassandra the driver's v5 is slow; no compression and no hidden retries,
so that nothing happens that was not asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cassandra import AuthenticationFailed, DriverException, OperationTimedOut, Unauthorized
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.connection import ConnectionException
from cassandra.policies import FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.protocol import ErrorMessage

from cqlsurge.database.address import Usable, show_address
from cqlsurge.database.contact_points import CONNECT_TIMEOUT_S, ContactPoint, find_contact_points, tls_context
from cqlsurge.database.routes import Routes
from cqlsurge.database.secrets import Security
from cqlsurge.errors import ClusterError
from cqlsurge.load.engines.scylla_driver.endpoints import NodeEndPoint, NodeEndPoints

REQUEST_TIMEOUT_S = 30.0
#: an idle connection is asked for a sign of life so often: one that died in silence would hide what happens to nodes;
#: a server under load may take its time
HEARTBEAT_S, HEARTBEAT_TIMEOUT_S = 10, 20
#: whatever the driver raises where the database, or the way to it, is at fault: it has no common base
DATABASE_FAULTS = (NoHostAvailable, DriverException, ErrorMessage, ConnectionException, OSError)
NODES_TOLD = 3

# The driver warns about each failed attempt; our own error says it once, in one line.
logging.getLogger("cassandra").addHandler(logging.NullHandler())


def connect(
    points: Sequence[tuple[str, int]],
    security: Security,
    translations: Mapping[str, Usable] | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> tuple[Cluster, Session]:
    """A connected cluster and session; the caller shuts the cluster down. `note` is told of points that are left out.

    Raises ClusterError.
    """
    found = find_contact_points(points, security, note)
    routes = Routes(points, found, translations or {}, encrypted=security.tls is not None)
    cluster = Cluster(
        contact_points=[NodeEndPoint(routes.of_contact_point(point)) for point in found],
        port=found[0].port,
        endpoint_factory=NodeEndPoints(routes.of_node),
        protocol_version=4,
        compression=False,
        connect_timeout=CONNECT_TIMEOUT_S,
        control_connection_timeout=CONNECT_TIMEOUT_S,
        idle_heartbeat_interval=HEARTBEAT_S,
        idle_heartbeat_timeout=HEARTBEAT_TIMEOUT_S,
        auth_provider=_auth(security),
        ssl_context=tls_context(security),
        execution_profiles={EXEC_PROFILE_DEFAULT: _profile()},
    )
    try:
        return cluster, cluster.connect()
    except DATABASE_FAULTS as error:
        nodes = [(str(host.endpoint.address), int(host.endpoint.port)) for host in cluster.metadata.all_hosts()]
        cluster.shutdown()
        raise ClusterError(explain(error, found, nodes, security)) from error


@contextmanager
def plain_errors(doing: str) -> Iterator[None]:
    """Requests of the control plane: what the driver raises becomes one line. Raises ClusterError."""
    try:
        yield
    except Unauthorized as error:
        raise ClusterError(f"{doing}: the database does not allow it ({_first_line(str(error))})") from error
    except NoHostAvailable as error:
        causes = "; ".join(dict.fromkeys(_first_line(str(cause)) for cause in _causes(error)))
        raise ClusterError(f"{doing}: no node answers ({causes})") from error
    except OperationTimedOut as error:
        raise ClusterError(
            f"{doing}: no answer within {REQUEST_TIMEOUT_S:.0f} s; is the database overloaded?"
        ) from error
    except DATABASE_FAULTS as error:
        raise ClusterError(f"{doing}: {_first_line(str(error))}") from error


def _profile() -> ExecutionProfile:
    return ExecutionProfile(
        load_balancing_policy=RoundRobinPolicy(),
        retry_policy=FallthroughRetryPolicy(),
        request_timeout=REQUEST_TIMEOUT_S,
    )


def _auth(security: Security) -> Any:
    return PlainTextAuthProvider(security.user, security.password) if security.user else None


def explain(
    error: BaseException, found: Sequence[ContactPoint], nodes: Sequence[tuple[str, int]], security: Security
) -> str:
    """One line on why no connection came about, though the contact points answer, and what to do."""
    causes = _causes(error)
    where = ", ".join(show_address(point.given, point.port) for point in found)
    texts = " ".join(str(cause) for cause in causes)
    if any(isinstance(cause, (AuthenticationFailed, Unauthorized)) for cause in causes) or "authentication" in texts:
        cure = "check --user and the password" if security.user else "give --user and --password-file"
        return f"{where} refuses the log-in; {cure}"
    elsewhere = [node for node in nodes if node not in {(point.address, point.port) for point in found}]
    if elsewhere and len(elsewhere) == len(nodes):
        return _advice(elsewhere, found, _first_line(texts))
    if any(isinstance(cause, (OperationTimedOut, TimeoutError)) for cause in causes):
        return f"{where} answers, but not in time: no session within {CONNECT_TIMEOUT_S:.0f} s; is it overloaded?"
    return f"no connection to {where}: {_first_line(texts)}"


def _causes(error: BaseException) -> list[BaseException]:
    """What lies behind it. The driver has a table by host there, or a mere list of hosts."""
    causes = getattr(error, "errors", None)
    return list(causes.values()) if isinstance(causes, dict) and causes else [error]


def _advice(nodes: Sequence[tuple[str, int]], found: Sequence[ContactPoint], why: str) -> str:
    """What to do where nodes announce addresses that do not lead to them: containers, NAT, tunnels."""
    announced = ", ".join(show_address(*node) for node in nodes[:NODES_TOLD])
    given = show_address(found[0].given, found[0].port)
    usable = given if len(nodes) == 1 else "ADDRESS[:PORT],..."
    return (
        f"{given} answers, but the database says to use {announced}, which cannot be reached from here ({why}): with "
        f"Docker or NAT give --translate {nodes[0][0]}={usable}, or set its broadcast_rpc_address"
    )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else "no reason given"

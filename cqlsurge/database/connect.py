"""The control plane's connection: scylla-driver through its public API, and what can go wrong, in plain words.

Protocol v4, since ScyllaDB rejects v5 and on Cassandra the driver's v5 is slow; no compression and no hidden retries,
so that nothing happens that was not asked for.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Sequence
from typing import Any

from cassandra import AuthenticationFailed, DriverException, OperationTimedOut, Unauthorized
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.policies import AddressTranslator, FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.protocol import ErrorMessage

from cqlsurge.database.address import show_address
from cqlsurge.database.secrets import Security
from cqlsurge.errors import ClusterError
from cqlsurge.load.engines.tls import client_context

CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 30.0

# The driver warns about each failed attempt; our own error says it once, in one line.
logging.getLogger("cassandra").addHandler(logging.NullHandler())


class TableTranslator(AddressTranslator):  # type: ignore[misc]  # the driver has no types
    """Gives the usable address for an announced one, from --translate."""

    def __init__(self, table: dict[str, str]) -> None:
        self.table = table

    def translate(self, addr: str) -> str:
        """The address to connect to."""
        return self.table.get(addr, addr)


def connect(
    points: Sequence[tuple[str, int]], security: Security, translations: dict[str, str] | None = None
) -> tuple[Cluster, Session]:
    """A connected cluster and session; the caller shuts the cluster down. Raises ClusterError."""
    for host, _port in points:
        _resolve(host)
    cluster = Cluster(
        contact_points=[host for host, _port in points],
        port=points[0][1],
        protocol_version=4,
        compression=False,
        connect_timeout=CONNECT_TIMEOUT_S,
        control_connection_timeout=CONNECT_TIMEOUT_S,
        idle_heartbeat_interval=0,
        address_translator=TableTranslator(translations or {}),
        auth_provider=_auth(security),
        ssl_context=_context(security),
        execution_profiles={EXEC_PROFILE_DEFAULT: _profile()},
    )
    try:
        return cluster, cluster.connect()
    except (NoHostAvailable, DriverException, ErrorMessage, OSError) as error:
        cluster.shutdown()
        raise ClusterError(explain(error, points, security)) from error


def _profile() -> ExecutionProfile:
    return ExecutionProfile(
        load_balancing_policy=RoundRobinPolicy(),
        retry_policy=FallthroughRetryPolicy(),
        request_timeout=REQUEST_TIMEOUT_S,
    )


def _auth(security: Security) -> Any:
    return PlainTextAuthProvider(security.user, security.password) if security.user else None


def _context(security: Security) -> ssl.SSLContext | None:
    if security.tls is None:
        return None
    try:
        return client_context(security.tls)
    except (OSError, ssl.SSLError) as error:
        raise ClusterError(f"the TLS files do not fit: {error}; check --tls-ca, --tls-cert and --tls-key") from error


def _resolve(host: str) -> None:
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise ClusterError(f"the name {host!r} has no address: {error.strerror}; is it spelled right?") from error


def explain(error: BaseException, points: Sequence[tuple[str, int]], security: Security) -> str:
    """One line on why no connection came about, and what to do."""
    causes = list(error.errors.values()) if isinstance(error, NoHostAvailable) else [error]
    where = ", ".join(show_address(host, port) for host, port in points)
    texts = " ".join(str(cause) for cause in causes)
    if any(isinstance(cause, (AuthenticationFailed, Unauthorized)) for cause in causes) or "authentication" in texts:
        cure = "check --user and the password" if security.user else "give --user and --password-file"
        return f"{where} refuses the log-in; {cure}"
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "SSL" in texts or "certificate" in texts:
        return f"{where}: TLS failed ({_first_line(texts)}); check --tls-ca, --tls-cert and the host name"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"nothing answers at {where}: is the database up, and is the port right (9042 by default)?"
    if any(isinstance(cause, (OperationTimedOut, TimeoutError)) for cause in causes):
        hint = "is it a CQL port, and does it want TLS (--tls)?" if security.tls is None else "is it a TLS port?"
        return f"no answer from {where} within {CONNECT_TIMEOUT_S:.0f} s: {hint}"
    if "closed" in texts or "reset" in texts.lower():
        return f"{where} closes the connection: is it a CQL port, and does it want TLS (--tls)?"
    return f"no connection to {where}: {_first_line(texts)}"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else "no reason given"

"""The driver's cluster and session, tuned for load or as it comes."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from typing import Any, Callable

import cassandra
from cassandra import ConsistencyLevel, DriverException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.connection import locally_supported_compressions
from cassandra.policies import DCAwareRoundRobinPolicy, FallthroughRetryPolicy, TokenAwarePolicy
from cassandra.query import PreparedStatement, tuple_factory

from cqlsurge.load.engines.contract import EngineError, Node, Setup, Target
from cqlsurge.load.engines.scylla_driver.endpoints import NodeEndPoint, NodeEndPoints, Place
from cqlsurge.load.engines.tls import client_context
from cqlsurge.load.workload.model import Kind

CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0

# The driver reads and queues in pieces of 4 KiB by default.
BUFFER_SIZE = 1 << 16


def connect(setup: Setup, *, tuned: bool, request_timeout_s: float | None) -> tuple[Cluster, Session]:
    """A connected cluster and session. Raises EngineError."""
    # Nodes that come and go are told as error classes; the driver's own lines about each would drown them.
    logging.getLogger("cassandra").setLevel(logging.ERROR)
    target = setup.target
    try:
        options = {**common_options(target), **(tuned_options(setup) if tuned else {})}
    except (OSError, ssl.SSLError) as error:
        raise EngineError(f"the TLS files cannot be used: {first_line(error)}") from error
    profile = ExecutionProfile(
        load_balancing_policy=balancing(target, tuned=tuned),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        request_timeout=request_timeout_s,
        **({"retry_policy": FallthroughRetryPolicy(), "row_factory": tuple_factory} if tuned else {}),
    )
    try:
        cluster = Cluster(execution_profiles={EXEC_PROFILE_DEFAULT: profile}, **options)
        session = cluster.connect()
    except (OSError, ssl.SSLError, NoHostAvailable, DriverException) as error:
        # The driver shuts itself down when it cannot connect.
        raise EngineError(f"scylla-driver cannot connect: {explain(error)}") from error
    if tuned:
        session.default_fetch_size = None
    return cluster, session


def common_options(target: Target) -> dict[str, Any]:
    """What each technique needs to reach the database."""
    return {
        "contact_points": [NodeEndPoint(place) for place in _places(target)],
        "port": target.contact_points[0][1],
        "endpoint_factory": NodeEndPoints(_place_by_id(target)),
        "compression": "lz4" if compresses(target) else False,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "control_connection_timeout": CONNECT_TIMEOUT_S,
        "auth_provider": PlainTextAuthProvider(target.username, target.password) if target.username else None,
        "ssl_context": None if target.tls is None else client_context(target.tls),
    }


def _place(node: Node) -> Place:
    return Place(node.address, node.port, node.certificate_name)


def _places(target: Target) -> list[Place]:
    """Where to begin: the nodes as the control plane reached them."""
    local = [_place(node) for node in target.nodes if node.dc == target.local_dc and node.up]
    return local or [Place(host, port) for host, port in target.contact_points]


def _place_by_id(target: Target) -> Callable[[dict[str, Any], str, int | None], Place]:
    places = {node.host_id: _place(node) for node in target.nodes}

    def place(row: dict[str, Any], announced: str, port: int | None) -> Place:
        known = places.get(str(row.get("host_id")))
        return known or Place(target.address_map.get(announced, announced), port or target.contact_points[0][1])

    return place


def tuned_options(setup: Setup) -> dict[str, Any]:
    """What makes the driver cheaper: v4, fewer system calls, no schema where one node needs none, a plain clock."""
    return {
        "protocol_version": 4,
        "connection_class": buffered(Cluster.connection_class),
        "schema_metadata_enabled": len(setup.target.nodes) != 1,
        "timestamp_generator": microseconds,
    }


def buffered(base: Any) -> Any:
    """The driver's connection with larger buffers; under libev it also sends all requests that wait in one go."""

    class Buffered(base):  # type: ignore[misc]  # the driver has no types
        in_buffer_size = BUFFER_SIZE
        out_buffer_size = BUFFER_SIZE

    class Joining(Buffered):
        def handle_write(self, watcher: Any, revents: Any, errno: Any = None) -> None:
            with self._deque_lock:
                if len(self.deque) > 1:
                    waiting = b"".join(self.deque)
                    self.deque.clear()
                    self.deque.append(waiting)
            super().handle_write(watcher, revents, errno)

    return Joining if base.__name__ == "LibevConnection" else Buffered


def balancing(target: Target, *, tuned: bool) -> Any:
    """Token-aware, in the local data centre; on a single node the driver finds the shard without it."""
    local = DCAwareRoundRobinPolicy(local_dc=target.local_dc)
    return local if tuned and len(target.nodes) == 1 else TokenAwarePolicy(local)


def microseconds() -> int:
    """A timestamp for writes. The driver's own generator takes a lock lest it repeat one; nothing here needs that."""
    return time.time_ns() // 1000


def compresses(target: Target) -> bool:
    """Whether frames will be compressed: asked for, and possible on this interpreter."""
    return target.compression and "lz4" in locally_supported_compressions


def prepare(session: Session, kind: Kind) -> PreparedStatement:
    """The kind's statement, ready to execute. Raises EngineError."""
    try:
        statement = session.prepare(kind.statement)
    except Exception as error:
        raise EngineError(f"the statement {kind.name!r} cannot be prepared: {first_line(error)}") from error
    statement.consistency_level = ConsistencyLevel.name_to_value[kind.consistency]
    if kind.serial_consistency:
        statement.serial_consistency_level = ConsistencyLevel.name_to_value[kind.serial_consistency]
    statement.is_idempotent = kind.idempotent
    if kind.page_size is not None:
        statement.fetch_size = kind.page_size
    return statement


def facts(session: Session, target: Target, technique: str, notes: list[str]) -> dict[str, Any]:
    """What the result says of the driver."""
    if target.compression and not compresses(target):
        notes = [*notes, "no compression: the driver has no LZ4 on this interpreter"]
    return {
        "connections": sum(state.get("open_count", 0) for state in session.get_pool_state().values()),
        "compression": "lz4" if compresses(target) else None,
        "driver": f"scylla-driver {cassandra.__version__}",
        "technique": technique,
        "protocol_version": session.cluster.protocol_version,
        "reactor": Cluster.connection_class.__name__,
        "notes": notes,
    }


def shut_down(cluster: Cluster) -> None:
    """Closes all connections; gives up on waiting for a driver that hangs in it."""
    closer = threading.Thread(target=cluster.shutdown, daemon=True)
    closer.start()
    closer.join(CLOSE_TIMEOUT_S)


def explain(error: BaseException) -> str:
    """Why there is no connection: what each node's address said."""
    if isinstance(error, NoHostAvailable) and isinstance(error.errors, dict):  # else a mere list of hosts
        return first_line("; ".join(f"{address}: {cause}" for address, cause in error.errors.items()))
    return first_line(error)


def first_line(error: object) -> str:
    """An error's text on one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__

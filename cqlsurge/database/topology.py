"""What the cluster is: nodes, shards, tokens, replication, tablets; and how it changes while a run goes."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import Any

from cassandra import DriverException, Unauthorized
from cassandra.cluster import Cluster, Session
from cassandra.policies import HostStateListener
from cassandra.pool import Host

from cqlsurge.database.schema import has_table
from cqlsurge.errors import UsageError
from cqlsurge.load.engines.contract import Node
from cqlsurge.settings import DEFAULT_DC

SHARDS_TIMEOUT_S = 3.0

Tablets = tuple[tuple[int, tuple[tuple[str, int], ...]], ...]


@dataclass(frozen=True)
class Identity:
    """What we are connected to: product (ScyllaDB or Apache Cassandra), version, name of the cluster."""

    product: str
    version: str
    name: str


def identify(session: Session) -> Identity:
    """Asks the server who it is."""
    local = session.execute("SELECT cluster_name, release_version FROM system.local WHERE key = 'local'").one()
    name, version = str(local.cluster_name), str(local.release_version)
    if has_table(session, "system", "versions"):
        row = session.execute("SELECT version FROM system.versions WHERE key = 'local'").one()
        if row is not None:
            return Identity("ScyllaDB", str(row.version), name)
    return Identity("Apache Cassandra", version, name)


def nodes_of(cluster: Cluster) -> tuple[Node, ...]:
    """All nodes with their tokens, as the driver's metadata has them now, in the order of their addresses."""
    tokens: dict[Any, list[int]] = {}
    token_map = cluster.metadata.token_map
    if token_map is not None:
        for token, owner in token_map.token_to_host_owner.items():
            tokens.setdefault(owner.host_id, []).append(token.value)
    nodes = [_node(cluster, host, tokens.get(host.host_id, [])) for host in cluster.metadata.all_hosts()]
    return tuple(sorted(nodes, key=lambda node: (node.address, node.port)))


def nodes_with_shards(cluster: Cluster) -> tuple[Node, ...]:
    """All nodes; where one has shards, waits a little for the driver to have asked the others how many they have."""
    deadline_s = time.monotonic() + SHARDS_TIMEOUT_S
    while True:
        nodes = nodes_of(cluster)
        waiting = any(node.shards for node in nodes) and any(node.up and not node.shards for node in nodes)
        if not waiting or time.monotonic() > deadline_s:
            return nodes
        time.sleep(0.05)


def _node(cluster: Cluster, host: Host, tokens: list[int]) -> Node:
    sharding = host.sharding_info
    encrypted = cluster.ssl_context is not None
    place = host.endpoint.place
    return Node(
        host_id=str(host.host_id),
        address=str(host.endpoint.address),
        port=int(host.endpoint.port),
        dc=str(host.datacenter),
        rack=str(host.rack),
        tokens=tuple(sorted(tokens)),
        shards=sharding.shards_count if sharding else 0,
        ignore_msb=sharding.sharding_ignore_msb if sharding else 0,
        shard_aware_port=None if place.forwarded else _shard_aware_port(sharding, encrypted),
        up=host.is_up is not False,
        certificate_name=place.name,
    )


def _shard_aware_port(sharding: Any, encrypted: bool) -> int | None:
    if not sharding:
        return None
    return (sharding.shard_aware_port_ssl if encrypted else sharding.shard_aware_port) or None


def choose_dc(asked: str | None, nodes: tuple[Node, ...]) -> str:
    """The data centre to send to. Raises UsageError with the names where it cannot be the one asked for."""
    names = sorted({node.dc for node in nodes})
    if asked is None:
        if DEFAULT_DC in names:
            return DEFAULT_DC
        if len(names) == 1:
            return names[0]
        raise UsageError(f"the cluster has data centres {', '.join(names)}: choose one with --dc")
    if asked not in names:
        raise UsageError(f"--dc {asked}: no such data centre; the cluster has {', '.join(names)}")
    return asked


def replication_of(session: Session, keyspace: str) -> dict[str, str]:
    """The keyspace's replication options, its class as a bare name."""
    query = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = %s"
    options = dict(session.execute(query, (keyspace,)).one().replication)
    return {**options, "class": options["class"].rpartition(".")[2]}


def tablets_of(session: Session, keyspace: str, table: str) -> Tablets | None:
    """The table's tablets (system.tablets): (last token, ((host id, shard), ...)) rows; None where it has none.

    Nothing in it where the table has some, or may have, that we are not allowed to read.
    """
    if not has_table(session, "system", "tablets"):
        return None
    query = "SELECT id FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s"
    row = session.execute(query, (keyspace, table)).one()
    if row is None:
        return None  # somebody has dropped it
    try:
        return _tablet_rows(session, row.id)
    except Unauthorized:
        return () if _may_have_tablets(session, keyspace) else None


def _may_have_tablets(session: Session, keyspace: str) -> bool:
    query = "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = %s"
    try:
        row = session.execute(query, (keyspace,)).one()
    except DriverException:
        return True
    return row is not None and row.initial_tablets is not None


def _tablet_rows(session: Session, table_id: Any) -> Tablets | None:
    rows = list(
        session.execute("SELECT last_token, replicas, base_table FROM system.tablets WHERE table_id = %s", (table_id,))
    )
    if rows and rows[0].base_table is not None:
        return _tablet_rows(session, rows[0].base_table)
    if not rows:
        return None
    return tuple((int(row.last_token), tuple((str(host), int(shard)) for host, shard in row.replicas)) for row in rows)


class TopologyWatch(HostStateListener):  # type: ignore[misc]  # the driver has no types
    """Collects what the driver hears about hosts; `changes` gives it to the run's own loop, without waiting."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._heard: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        cluster.register_listener(self)

    def changes(self) -> list[tuple[str, str]]:
        """(up, down, added or removed; address) of each event since the last call."""
        heard = []
        while not self._heard.empty():
            heard.append(self._heard.get())
        return heard

    def close(self) -> None:
        """Stops listening."""
        self._cluster.unregister_listener(self)

    def on_up(self, host: Host) -> None:
        """The driver's call: a host is up."""
        self._heard.put(("up", str(host.endpoint)))

    def on_down(self, host: Host) -> None:
        """The driver's call: a host is down."""
        self._heard.put(("down", str(host.endpoint)))

    def on_add(self, host: Host) -> None:
        """The driver's call: a host was added."""
        self._heard.put(("added", str(host.endpoint)))

    def on_remove(self, host: Host) -> None:
        """The driver's call: a host was removed."""
        self._heard.put(("removed", str(host.endpoint)))

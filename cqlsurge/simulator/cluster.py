"""The simulated cluster as all connections share it: data, counts, faults, delays, who hears of events."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.events import SchemaChangeEvent, StatusChange
from cqlsurge.load.cql.frames import EVENT_STREAM, OP_EVENT, encode_frame
from cqlsurge.load.cql.primitives import Consistency, Endpoint
from cqlsurge.simulator.counts import Counts
from cqlsurge.simulator.execution.executor import Executor
from cqlsurge.simulator.failures import Unavailable
from cqlsurge.simulator.inject.faults import Faults
from cqlsurge.simulator.inject.latency import Delays

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from cqlsurge.load.cql.events import Event
    from cqlsurge.load.cql.schema_change import SchemaChange
    from cqlsurge.simulator.connection import Connection
    from cqlsurge.simulator.schema import Table
    from cqlsurge.simulator.topology import SimulatedNode, Topology

_ONE_NEEDED = {Consistency.ANY, Consistency.ONE, Consistency.LOCAL_ONE}
_COUNTED = {Consistency.TWO: 2, Consistency.THREE: 3}


@dataclass(frozen=True)
class Credentials:
    user: str
    password: str


class Cluster:
    """`connections` are the open ones, each with the function that sends bytes on it."""

    def __init__(
        self,
        topology: Topology,
        *,
        tablets: bool = False,
        credentials: Credentials | None = None,
        tls: ssl.SSLContext | None = None,
        seed: int = 0,
    ) -> None:
        self.topology = topology
        self.tablets = tablets
        self.credentials = credentials
        self.tls = tls
        self.executor = Executor(topology, tablets=tablets, clients=self._clients)
        self.counts = Counts(topology)
        self.faults = Faults(random.Random(f"faults {seed}"))
        self.delays = Delays(random.Random(f"delays {seed}"))
        self._random = random.Random(f"cluster {seed}")
        self.connections: dict[Connection, Callable[[bytes], None]] = {}
        self.started_ns = time.monotonic_ns()

    def elapsed_ns(self) -> int:
        """Since the start; the time of schedules."""
        return time.monotonic_ns() - self.started_ns

    def guard(self, consistency: Consistency) -> Callable[[Table, int], None] | None:
        """What raises Unavailable for a token with too few replicas up; None while all nodes are."""
        if all(node.up for node in self.topology.nodes):
            return None
        return lambda table, key_token: self._require(table, key_token, consistency)

    def _require(self, table: Table, key_token: int, consistency: Consistency) -> None:
        if table.placement is None:
            return
        replicas = [self.topology.nodes[node] for node, _ in table.placement.owners(key_token)]
        if consistency in (Consistency.LOCAL_QUORUM, Consistency.LOCAL_ONE, Consistency.LOCAL_SERIAL):
            local = self.topology.nodes[0].datacenter
            replicas = [node for node in replicas if node.datacenter == local]
        alive = sum(node.up for node in replicas)
        if consistency in _ONE_NEEDED:
            required = 1
        elif consistency == Consistency.ALL:
            required = len(replicas)
        else:
            required = _COUNTED.get(consistency, len(replicas) // 2 + 1)
        if alive < required:
            raise Unavailable(consistency, required, alive)

    def announce_schema_change(self, change: SchemaChange) -> None:
        self._broadcast(SchemaChangeEvent(change))

    def set_up(self, node: SimulatedNode, *, up: bool) -> None:
        """Mark a node and tell those who listen on the others; its sockets are the server's part."""
        node.up = up
        if not up:
            self.executor.forget_prepared(node)
        self._broadcast(StatusChange("UP" if up else "DOWN", Endpoint(node.address, self.topology.port)))

    def _broadcast(self, event: Event) -> None:
        frame = encode_frame(OP_EVENT, event.encode_body(), EVENT_STREAM)
        for connection, send in list(self.connections.items()):
            if event.event_type in connection.events:
                send(frame)

    def move_tablets(self, count: int) -> int:
        """So many tablets of each table go to other shards; how many moved in all."""
        tables = self.executor.schema.tables()
        return sum(table.placement.move(count, self._random) for table in tables if table.placement is not None)

    def node(self, number: int) -> SimulatedNode:
        """A node by its number, from 1. LookupError if there is none."""
        if not 1 <= number <= len(self.topology.nodes):
            raise LookupError(f"there is no node {number}; there are 1 to {len(self.topology.nodes)}")
        return self.topology.nodes[number - 1]

    def _clients(self, node: SimulatedNode) -> Iterator[dict[str, Any]]:
        """Rows of system.clients on a node."""
        for connection in self.connections:
            peer = connection.peer
            if peer.node is node:
                yield {
                    "address": peer.address,
                    "port": peer.port,
                    "client_type": "cql",
                    "connection_stage": "READY" if connection.state == "ready" else "AUTHENTICATING",
                    "driver_name": connection.options.get("DRIVER_NAME"),
                    "driver_version": connection.options.get("DRIVER_VERSION"),
                    "protocol_version": 4,
                    "shard_id": peer.shard,
                    "ssl_enabled": self.tls is not None,
                    "username": connection.username,
                    "client_options": dict(connection.options),
                }

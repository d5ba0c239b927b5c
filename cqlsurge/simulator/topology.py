"""The nodes of the simulated cluster and what clients may learn of them."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field

from cqlsurge.load.routing.ring import Node, Ring
from cqlsurge.load.routing.sharding import shard_of_token

TOKENS_PER_NODE = 16
IGNORE_MSB = 12
SCYLLA_VERSION = "2026.1.0"
CASSANDRA_VERSION = "5.0.6"


@dataclass
class SimulatedNode:
    """A node; `address` is where its clients reach it."""

    index: int
    address: str
    host_id: uuid.UUID
    datacenter: str
    rack: str
    tokens: list[int]
    up: bool = True


@dataclass
class Topology:
    """Nodes on 127.0.0.1, .2, ..., all with the same ports; shard_count is 1 for a Cassandra."""

    nodes: list[SimulatedNode]
    shard_count: int
    port: int
    shard_aware_port: int | None
    scylla: bool
    cluster_name: str = "simulated"
    ring: Ring = field(init=False)

    def __post_init__(self) -> None:
        self.ring = Ring({Node(str(node.index), node.datacenter, node.rack): node.tokens for node in self.nodes})

    def shard_of(self, token: int) -> int:
        return shard_of_token(token, self.shard_count, IGNORE_MSB)

    @property
    def release_version(self) -> str:
        """What system.local says: ScyllaDB reports the Cassandra that it is compatible with."""
        return "3.0.8" if self.scylla else CASSANDRA_VERSION


def make_topology(
    nodes: int,
    shards: int,
    port: int,
    shard_aware_port: int | None,
    *,
    scylla: bool = True,
    racks: int = 1,
    datacenters: int = 1,
) -> Topology:
    """A topology whose host ids and tokens depend on nothing but the numbers, so that runs can be compared.

    Nodes go round the data centres, and within one round its racks.
    """
    made = []
    for index in range(nodes):
        draw = random.Random(f"cqlsurge node {index}")
        made.append(
            SimulatedNode(
                index=index,
                address=node_address(index),
                host_id=uuid.UUID(int=draw.getrandbits(128), version=4),
                datacenter=f"datacenter{index % datacenters + 1}",
                rack=f"rack{index // datacenters % racks + 1}",
                tokens=sorted(draw.randrange(-(1 << 63) + 1, 1 << 63) for _ in range(TOKENS_PER_NODE)),
            )
        )
    return Topology(made, shards if scylla else 1, port, shard_aware_port if scylla else None, scylla)


def node_address(index: int) -> str:
    """127.0.0.1 for the first node; carries into the third byte after 254."""
    return f"127.0.{index // 254}.{index % 254 + 1}"

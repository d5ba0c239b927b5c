"""Who serves a token of a table: (node, shard) pairs, by vnodes or by tablets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqlsurge.load.cql.extensions import Replica, TabletRange
from cqlsurge.load.routing.ring import (
    LocalStrategy,
    NetworkTopologyStrategy,
    ReplicaMap,
    SimpleStrategy,
    Strategy,
    strategy_from_options,
)
from cqlsurge.load.routing.tablets import TabletMap, uniform_last_token

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from uuid import UUID

    from cqlsurge.simulator.topology import SimulatedNode, Topology

Owner = tuple[int, int]


class Placement:
    """The replicas of each token of one table as (node index, shard), primary first."""

    def __init__(self, topology: Topology, replication: Mapping[str, str], tablet_count: int = 0) -> None:
        self.topology = topology
        self.strategy = _strategy(replication)
        self.tablets = _spread(topology, self.strategy, tablet_count) if tablet_count else None
        self._ring = ReplicaMap(topology.ring, self.strategy)
        self._indexes = {node.host_id: node.index for node in topology.nodes}

    def owners(self, token: int) -> list[Owner]:
        if self.tablets is not None:
            return [(self._indexes[host], shard) for host, shard in self.tablets.replicas(token) or ()]
        shard = self.topology.shard_of(token)
        return [(int(node.name), shard) for node in self._ring.replicas(token)]

    def move(self, count: int, draw: random.Random) -> int:
        """Gives so many tablets other shards of other nodes, as many as before; how many there were to move."""
        if self.tablets is None:
            return 0
        topology = self.topology
        moved = draw.sample(range(len(self.tablets)), min(count, len(self.tablets)))
        for at in moved:
            nodes = draw.sample(topology.nodes, len(self.tablets.replica_sets[at]))
            self.tablets.replica_sets[at] = tuple(
                (node.host_id, draw.randrange(topology.shard_count)) for node in nodes
            )
        return len(moved)

    def tablet(self, token: int) -> TabletRange | None:
        """The tablet that holds a token; None with vnodes."""
        if self.tablets is None:
            return None
        at = self.tablets.index(token)
        replicas = tuple(Replica(host, shard) for host, shard in self.tablets.replica_sets[at])
        return TabletRange(self.tablets.first_tokens[at], self.tablets.last_tokens[at], replicas)


def _strategy(replication: Mapping[str, str]) -> Strategy:
    try:
        return strategy_from_options(replication)
    except ValueError:
        # EverywhereStrategy and the like: nobody routes by them.
        return LocalStrategy()


def uses_tablets(replication: Mapping[str, str]) -> bool:
    """ScyllaDB has tablets with NetworkTopologyStrategy only."""
    return isinstance(_strategy(replication), NetworkTopologyStrategy)


def default_tablet_count(topology: Topology) -> int:
    """A power of two with some tablets for each shard of the cluster."""
    wanted = 2 * len(topology.nodes) * topology.shard_count
    return 1 << max(wanted - 1, 1).bit_length()


def _spread(topology: Topology, strategy: Strategy, count: int) -> TabletMap[UUID]:
    """Tablets dealt out in turn to the nodes of each data centre, distinct racks first, and to their shards."""
    bits = max(count - 1, 0).bit_length()
    turns = dict.fromkeys((node.index for node in topology.nodes), 0)
    rows = []
    for at in range(1 << bits):
        replicas = []
        for datacenter, factor in _factors(topology, strategy).items():
            nodes = [node for node in topology.nodes if node.datacenter == datacenter]
            for node in _pick(nodes[at % len(nodes) :] + nodes[: at % len(nodes)], factor):
                replicas.append((node.host_id, turns[node.index] % topology.shard_count))
                turns[node.index] += 1
        rows.append((uniform_last_token(at, bits), replicas))
    return TabletMap.from_rows(rows)


def _factors(topology: Topology, strategy: Strategy) -> dict[str, int]:
    present = {node.datacenter for node in topology.nodes}
    if isinstance(strategy, NetworkTopologyStrategy):
        return {name: factor for name, factor in strategy.replication_factors.items() if name in present}
    factor = strategy.replication_factor if isinstance(strategy, SimpleStrategy) else 1
    return {topology.nodes[0].datacenter: factor}


def _pick(nodes: list[SimulatedNode], count: int) -> list[SimulatedNode]:
    chosen: list[SimulatedNode] = []
    for distinct in (True, False):
        for node in nodes:
            if len(chosen) < count and node not in chosen:
                if distinct and any(node.rack == other.rack for other in chosen):
                    continue
                chosen.append(node)
    return chosen

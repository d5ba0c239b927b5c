"""What arrived: requests by node, shard and kind, and whether they came to a replica."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cqlsurge.simulator.topology import Topology

OPERATIONS = ("read", "write", "batch", "prepare", "other")


@dataclass
class ShardCounts:
    """Of one shard of one node. `right`, `wrong_shard` and `wrong_node` are for prepared requests that could be routed.

    right: the shard is a replica; wrong_shard: the node is, another shard of it; wrong_node: neither.
    """

    connections: int = 0
    read: int = 0
    write: int = 0
    batch: int = 0
    prepare: int = 0
    other: int = 0
    right: int = 0
    wrong_shard: int = 0
    wrong_node: int = 0
    errors: int = 0

    def reset(self) -> None:
        """All but the connections, which are there."""
        self.__dict__.update(dict.fromkeys(self.__dict__, 0), connections=self.connections)


class Counts:
    """`of(node index, shard)` is where a connection counts."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._shards = [[ShardCounts() for _ in range(topology.shard_count)] for _ in topology.nodes]

    def of(self, node: int, shard: int) -> ShardCounts:
        return self._shards[node][shard]

    def fewest_connections(self, node: int) -> int:
        """The shard that a connection to the plain port gets."""
        shards = self._shards[node]
        return min(range(len(shards)), key=lambda shard: shards[shard].connections)

    def reset(self) -> None:
        for shards in self._shards:
            for counts in shards:
                counts.reset()

    def state(self) -> dict[str, Any]:
        """For the control URL: totals, and each node with its shards."""
        nodes = []
        total: dict[str, int] = {}
        for node, shards in zip(self._topology.nodes, self._shards):  # noqa: B905
            listed = [{"shard": number, **asdict(counts)} for number, counts in enumerate(shards)]
            nodes.append({"node": node.index + 1, "address": node.address, "up": node.up, "shards": listed})
            for counts in shards:
                for name, count in asdict(counts).items():
                    total[name] = total.get(name, 0) + count
        return {"total": total, "nodes": nodes}

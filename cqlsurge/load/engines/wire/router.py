"""From a token to a connection, by table: one look-up by the token's upper bits and a step or two from there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cqlsurge.load.routing.ring import Node as RingNode
from cqlsurge.load.routing.ring import Ring, strategy_from_options
from cqlsurge.load.routing.sharding import shard_of_token

if TYPE_CHECKING:
    from cqlsurge.load.engines.contract import Node, Target
    from cqlsurge.load.engines.wire.connection import Connection

COARSE_BITS = 16
COARSE_SHIFT = 64 - COARSE_BITS
COARSE_HALF = 1 << (COARSE_BITS - 1)
INT64_MAX = (1 << 63) - 1
INT64_MIN = -(1 << 63)


class Group:
    """The connections of one node, `each` to a shard, or those of one shard of it where tablets say which."""

    __slots__ = ("count", "each", "first", "ignore_msb", "lanes", "shards")

    def __init__(self, lanes: Sequence[Connection], shards: int, ignore_msb: int) -> None:
        self.lanes = list(lanes)
        self.shards, self.ignore_msb = shards, ignore_msb
        self.count = len(self.lanes)
        self.each = self.count // max(1, shards)
        self.first = self.lanes[0]

    def lane(self, token: int, number: int) -> Connection:
        """The connection for a token; several to one shard take turns by operation number."""
        shard = shard_of_token(token, self.shards, self.ignore_msb) if self.shards > 1 else 0
        if self.each == 1:
            return self.lanes[shard]
        return self.lanes[shard * self.each + (number * 40503 >> 4) % self.each]


class Router:
    """`groups[position * width + choice]` are the places to send a token of that position to; all replicas are equal.

    `bounds` are the last tokens of the ranges, with one more that holds all the rest. Choices take turns by operation
    number. `only` is set where there is nothing to choose.
    """

    def __init__(self, bounds: list[int], sets: Sequence[Sequence[Group]]) -> None:
        self.width = max(len(each) for each in sets)
        self.bounds = bounds
        self.groups = [each[choice % len(each)] for each in sets for choice in range(self.width)]
        self.coarse = [bisect_left(bounds, (index - COARSE_HALF) << COARSE_SHIFT) for index in range(1 << COARSE_BITS)]
        distinct = {id(lane) for group in self.groups for lane in group.lanes}
        self.only = self.groups[0].first if len(distinct) == 1 else None

    def position(self, token: int) -> int:
        """The index of the range that holds a token."""
        return bisect_left(self.bounds, token)

    def choices(self, token: int, number: int) -> list[Connection]:
        """The connections to a token's replicas, the one whose turn it is first."""
        at = self.position(token) * self.width
        lanes = [self.groups[at + (number + turn) % self.width].lane(token, number) for turn in range(self.width)]
        return list(dict.fromkeys(lanes))


def build_router(target: Target, nodes: Sequence[Node], lanes_of: dict[str, list[Connection]]) -> Router | None:
    """The router over those nodes that have connections; None where there is none at all.

    With a replication that is not known here, and for ranges without a replica among them, all nodes take turns.
    """
    groups = {node.host_id: _group(node, lanes_of[node.host_id]) for node in nodes if lanes_of.get(node.host_id)}
    if not groups:
        return None
    everyone = list(groups.values())
    if len(everyone) == 1 and everyone[0].count == 1:
        return Router([INT64_MAX], [everyone])
    if target.tablets:
        return _by_tablets(target.tablets, nodes, lanes_of, everyone)
    try:
        strategy = strategy_from_options(target.replication)
    except ValueError:
        return Router([INT64_MAX], [everyone])
    tokens_of = {RingNode(node.host_id, node.dc, node.rack): node.tokens for node in nodes if node.tokens}
    ring = Ring(tokens_of)
    if not ring.tokens:
        return Router([INT64_MAX], [everyone])
    sets = [
        [groups[replica.name] for replica in replicas if replica.name in groups] or everyone
        for replicas in ring.replica_sets(strategy)
    ]
    return Router([*ring.tokens, INT64_MAX], [*sets, sets[0]])


def _group(node: Node, lanes: list[Connection]) -> Group:
    return Group(lanes, max(1, node.shards), node.ignore_msb)


def _by_tablets(
    tablets: Sequence[tuple[int, tuple[tuple[str, int], ...]]],
    nodes: Sequence[Node],
    lanes_of: dict[str, list[Connection]],
    everyone: list[Group],
) -> Router:
    shards_of = {node.host_id: max(1, node.shards) for node in nodes}
    made: dict[tuple[str, int], Group] = {}

    def group(host: str, shard: int) -> Group:
        lanes, shards = lanes_of[host], shards_of[host]
        each = len(lanes) // shards
        return made.setdefault((host, shard), Group(lanes[shard * each : (shard + 1) * each], 1, 0))

    bounds, sets = [], []
    for last, replicas in sorted(tablets):
        known = [group(host, shard) for host, shard in replicas if lanes_of.get(host) and shard < shards_of[host]]
        bounds.append(last)
        sets.append(known or everyone)
    if bounds[-1] != INT64_MAX:
        bounds.append(INT64_MAX)
        sets.append(everyone)
    return Router(bounds, sets)

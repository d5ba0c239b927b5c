"""From a token to a connection, by table: one look-up by the token's upper bits and a step or two from there."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from cqlsurge.load.engines.placement import BY_TOKEN, INT64_MAX, PIECE, Place, token_range_steps
from cqlsurge.load.routing.sharding import shard_of_token
from cqlsurge.load.routing.steps import run_through
from cqlsurge.load.routing.tablets import TabletMap

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from cqlsurge.load.engines.contract import Node, Target
    from cqlsurge.load.engines.wire.connection import Connection

COARSE_BITS = 16
COARSE_SHIFT = 64 - COARSE_BITS
COARSE_HALF = 1 << (COARSE_BITS - 1)
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
    number. `only` is set where there is nothing to choose. `kinds` are the distinct groups, `which` says for each place
    which of them is there.
    """

    def __init__(self, bounds: list[int], sets: Sequence[Sequence[Group]]) -> None:
        run_through(self.steps(bounds, sets))

    @classmethod
    def piecemeal(cls, bounds: list[int], sets: Sequence[Sequence[Group]]) -> Generator[None, None, Router]:
        """One made in short pieces."""
        router = cls.__new__(cls)
        yield from router.steps(bounds, sets)
        return router

    def steps(self, bounds: list[int], sets: Sequence[Sequence[Group]]) -> Generator[None, None, None]:
        """Fills it."""
        self.width = max(len(each) for each in sets)
        self.bounds = bounds
        self.groups: list[Group] = []
        self.kinds: list[Group] = []
        self.which: list[int] = []
        #: the position of the first token of each of 65536 equal parts of all tokens
        self.coarse: list[int] = []
        index: dict[int, int] = {}
        for at, (bound, each) in enumerate(zip(bounds, sets)):
            for choice in range(self.width):
                group = each[choice % len(each)]
                if id(group) not in index:
                    index[id(group)] = len(index)
                    self.kinds.append(group)
                self.groups.append(group)
                self.which.append(index[id(group)])
            self.coarse += [at] * ((bound >> COARSE_SHIFT) + COARSE_HALF + 1 - len(self.coarse))
            if not at % PIECE:
                yield
        distinct = {id(lane) for group in self.kinds for lane in group.lanes}
        self.only = self.groups[0].first if len(distinct) == 1 else None

    def position(self, token: int) -> int:
        """The index of the range that holds a token."""
        return bisect_left(self.bounds, token)

    def choices(self, token: int, number: int) -> list[Connection]:
        """The connections to a token's replicas, the one whose turn it is first."""
        at = self.position(token) * self.width
        lanes = [self.groups[at + (number + turn) % self.width].lane(token, number) for turn in range(self.width)]
        return list(dict.fromkeys(lanes))


def build_router(target: Target, nodes: Sequence[Node], lanes_of: Mapping[str, list[Connection]]) -> Router | None:
    """The router over those nodes that have connections; None where there is none at all."""
    if not any(lanes_of.get(node.host_id) for node in nodes):
        return None
    tablets = None if target.tablets is None else TabletMap.from_rows(target.tablets)
    return run_through(router_steps(target, nodes, lanes_of, tablets))


def router_steps(
    target: Target,
    nodes: Sequence[Node],
    lanes_of: Mapping[str, list[Connection]],
    tablets: TabletMap[str] | None,
) -> Generator[None, None, Router]:
    """The router over those nodes that have connections, of which there is one at least, in short pieces."""
    groups = {node.host_id: _group(node, lanes_of[node.host_id]) for node in nodes if lanes_of.get(node.host_id)}
    everyone = list(groups.values())
    if len(everyone) == 1 and everyone[0].count == 1:
        return Router([INT64_MAX], [everyone])
    having = [node for node in nodes if node.host_id in groups]
    # Copied before the first pause: what is learned meanwhile is for the next router.
    rows = None if tablets is None else list(tablets.rows())
    ranges = yield from token_range_steps(target, having, rows)
    made: dict[Place, Group] = {(host, BY_TOKEN): group for host, group in groups.items()}
    sets = []
    for places in ranges.places:
        for host, shard in places:
            if (host, shard) not in made:
                node = groups[host]
                made[host, shard] = Group(node.lanes[shard * node.each : (shard + 1) * node.each], 1, 0)
        sets.append([made[place] for place in places])
        if not len(sets) % PIECE:
            yield
    return (yield from Router.piecemeal(ranges.bounds, sets))


def _group(node: Node, lanes: list[Connection]) -> Group:
    return Group(lanes, max(1, node.shards), node.ignore_msb)

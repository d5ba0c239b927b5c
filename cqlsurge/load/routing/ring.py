"""The token ring and where Cassandra and ScyllaDB place replicas on it (tables without tablets).

A ring token owns the range that ends with it: (previous token, token]. Source: Cassandra's SimpleStrategy and
NetworkTopologyStrategy (calculateNaturalReplicas), which ScyllaDB follows.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set


class Node(NamedTuple):
    """A member of the ring; `name` is whatever tells nodes apart (host id, address)."""

    name: str
    datacenter: str
    rack: str


class SimpleStrategy(NamedTuple):
    """The next `replication_factor` nodes on the ring, wherever they stand."""

    replication_factor: int


class NetworkTopologyStrategy(NamedTuple):
    """So many replicas in each data centre, on distinct racks as far as there are."""

    replication_factors: Mapping[str, int]


class LocalStrategy(NamedTuple):
    """Each node keeps its own data (system tables): no replica but the owner of the token."""


Strategy = Union[SimpleStrategy, NetworkTopologyStrategy, LocalStrategy]


def strategy_from_options(options: Mapping[str, str]) -> Strategy:
    """The strategy of a keyspace's replication map, as system_schema.keyspaces has it.

    Replication factors with transient replicas ("3/1") count the full ones. ValueError for a class not known here.
    """
    name = options.get("class", "").rsplit(".", 1)[-1]
    factors = {key: _full_replicas(value) for key, value in options.items() if key != "class"}
    if name == "SimpleStrategy" and "replication_factor" in factors:
        return SimpleStrategy(factors["replication_factor"])
    if name == "NetworkTopologyStrategy":
        return NetworkTopologyStrategy(factors)
    if name == "LocalStrategy":
        return LocalStrategy()
    raise ValueError(f"replication {dict(options)!r} has no placement known here")


def _full_replicas(value: str) -> int:
    total, _, transient = value.partition("/")
    return int(total) - int(transient or 0)


class Ring:
    """Sorted tokens and their owners."""

    def __init__(self, tokens_of: Mapping[Node, Iterable[int]]) -> None:
        owner_of = {token: node for node, tokens in sorted(tokens_of.items(), reverse=True) for token in tokens}
        self.tokens: list[int] = sorted(owner_of)
        self.owners: list[Node] = [owner_of[token] for token in self.tokens]

    def index(self, token: int) -> int:
        """The position of the range that holds a token."""
        at = bisect_left(self.tokens, token)
        return at if at < len(self.tokens) else 0

    def replica_sets(self, strategy: Strategy) -> list[tuple[Node, ...]]:
        """For each ring token in order, the replicas of its range, primary first."""
        return list(self.each_replica_set(strategy))

    def each_replica_set(self, strategy: Strategy) -> Iterator[tuple[Node, ...]]:
        """As `replica_sets`, one after the other: all of a large ring take a tenth of a second."""
        if isinstance(strategy, NetworkTopologyStrategy):
            needs = _needs(set(self.owners), strategy.replication_factors)
        for at, owner in enumerate(self.owners):
            if isinstance(strategy, LocalStrategy):
                yield (owner,)
            elif isinstance(strategy, SimpleStrategy):
                yield _next_nodes(self._from(at), strategy.replication_factor)
            else:
                yield _next_nodes_by_rack(self._from(at), needs)

    def _from(self, at: int) -> Iterator[Node]:
        """The owners once around the ring, starting at a position."""
        owners = self.owners
        for index in range(at, len(owners)):
            yield owners[index]
        for index in range(at):
            yield owners[index]


class ReplicaMap:
    """The replicas of every token under one strategy; `tokens` and `sets` run in parallel, for searches in bulk."""

    def __init__(self, ring: Ring, strategy: Strategy) -> None:
        self.tokens = ring.tokens
        self.sets = ring.replica_sets(strategy)

    def replicas(self, token: int) -> tuple[Node, ...]:
        """The replicas of a token, primary first; as many as the strategy finds nodes for."""
        at = bisect_left(self.tokens, token)
        return self.sets[at if at < len(self.sets) else 0]


class _Need(NamedTuple):
    """What a data centre asks for: replicas in all, and how many of them may share a rack with another."""

    replicas: int
    rack_repeats: int


def _needs(owners: Set[Node], factors: Mapping[str, int]) -> Mapping[str, _Need]:
    needs = {}
    for datacenter, factor in factors.items():
        nodes = {node for node in owners if node.datacenter == datacenter}
        racks = {node.rack for node in nodes}
        if nodes and factor > 0:
            needs[datacenter] = _Need(min(factor, len(nodes)), max(0, factor - len(racks)))
    return needs


def _next_nodes(walk: Iterator[Node], count: int) -> tuple[Node, ...]:
    found: list[Node] = []
    for node in walk:
        if len(found) >= count:
            break
        if node not in found:
            found.append(node)
    return tuple(found)


def _next_nodes_by_rack(walk: Iterator[Node], needs: Mapping[str, _Need]) -> tuple[Node, ...]:
    found: list[Node] = []
    racks = set()
    left = {datacenter: need.replicas for datacenter, need in needs.items()}
    repeats = {datacenter: need.rack_repeats for datacenter, need in needs.items()}
    missing = sum(left.values())
    for node in walk:
        if not missing:
            break
        datacenter = node.datacenter
        if not left.get(datacenter) or node in found:
            continue
        rack = (datacenter, node.rack)
        if rack in racks:
            if not repeats[datacenter]:
                continue
            repeats[datacenter] -= 1
        racks.add(rack)
        found.append(node)
        left[datacenter] -= 1
        missing -= 1
    return tuple(found)

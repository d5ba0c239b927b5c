"""Which nodes and shards serve which tokens: the rule by which `wire` routes, and its balance is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cqlsurge.load.engines.contract import Node
from cqlsurge.load.routing.ring import Node as RingNode
from cqlsurge.load.routing.ring import Ring, strategy_from_options
from cqlsurge.load.routing.steps import run_through

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from cqlsurge.load.engines.contract import Target

INT64_MAX = (1 << 63) - 1
#: (host id, shard); where only the node is known, its shard follows from the token
Place = tuple[str, int]
BY_TOKEN = -1
#: (last token, ((host id, shard), ...))
Tablet = tuple[int, tuple[tuple[str, int], ...]]
#: so many ranges are a piece of work: half a millisecond
PIECE = 64


class TokenRanges(NamedTuple):
    """`bounds`: the last token of each range, in order, the last of them INT64_MAX.

    `places`: those of each range, which take turns.
    """

    bounds: list[int]
    places: list[list[Place]]


def known_nodes(target: Target) -> Sequence[Node]:
    """The target's nodes; where the control plane named none, its contact points."""
    return target.nodes or [
        Node(f"{host}:{port}", host, port, target.local_dc, "") for host, port in target.contact_points
    ]


def token_ranges(target: Target, nodes: Sequence[Node]) -> TokenRanges:
    """The ranges of the target's table over those nodes.

    With a replication that is not known here, and for ranges without a replica among the nodes, all of them take turns.
    """
    return run_through(token_range_steps(target, nodes, None if target.tablets is None else sorted(target.tablets)))


def token_range_steps(
    target: Target, nodes: Sequence[Node], tablets: Iterable[Tablet] | None
) -> Generator[None, None, TokenRanges]:
    """The same in short pieces, with these tablets in order of their tokens (None: the table has none)."""
    everyone = [(node.host_id, BY_TOKEN) for node in nodes]
    if tablets is not None:
        return (yield from _by_tablets(tablets, nodes, everyone))
    ring = Ring({RingNode(node.host_id, node.dc, node.rack): node.tokens for node in nodes if node.tokens})
    yield
    try:
        strategy = strategy_from_options(target.replication)
    except ValueError:
        return TokenRanges([INT64_MAX], [everyone])
    places: list[list[Place]] = []
    for replicas in ring.each_replica_set(strategy):
        places.append([(replica.name, BY_TOKEN) for replica in replicas] or everyone)
        if not len(places) % PIECE:
            yield
    if not places:
        return TokenRanges([INT64_MAX], [everyone])
    return TokenRanges([*ring.tokens, INT64_MAX], [*places, places[0]])


def _by_tablets(
    tablets: Iterable[Tablet], nodes: Sequence[Node], everyone: list[Place]
) -> Generator[None, None, TokenRanges]:
    shards = {node.host_id: node.shards for node in nodes}
    bounds: list[int] = []
    places: list[list[Place]] = []
    for last, replicas in tablets:
        known = [
            (host, shard if shards[host] else BY_TOKEN)
            for host, shard in replicas
            if host in shards and (not shards[host] or shard < shards[host])
        ]
        bounds.append(last)
        places.append(known or everyone)
        if not len(places) % PIECE:
            yield
    if not bounds or bounds[-1] != INT64_MAX:
        bounds.append(INT64_MAX)
        places.append(everyone)
    return TokenRanges(bounds, places)

"""Parts of the wire engine that need no server: router, schedule, positions.

How: the router against the placement it is made from, for random tokens; the schedule on a load without connections.
"""

from __future__ import annotations

import itertools
import random
import uuid
from typing import Any

import pytest

from cqlsurge.load.engines.contract import Node, Target
from cqlsurge.load.engines.wire.buffers_python import JoinConnection
from cqlsurge.load.engines.wire.deadlines import position
from cqlsurge.load.engines.wire.dial import port_slice
from cqlsurge.load.engines.wire.router import INT64_MAX, INT64_MIN, Router, build_router
from cqlsurge.load.routing.ring import Node as RingNode
from cqlsurge.load.routing.ring import ReplicaMap, Ring, strategy_from_options
from cqlsurge.load.routing.sharding import shard_of_token

REPLICATION = {"class": "NetworkTopologyStrategy", "dc": "2"}
EDGES = [INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX]


def nodes(count: int, shards: int) -> tuple[Node, ...]:
    draw = random.Random(count)
    return tuple(
        Node(
            str(uuid.UUID(int=index)), f"127.0.0.{index}", 9042, "dc", f"rack{index % 2}",
            tuple(sorted(draw.randrange(INT64_MIN + 1, INT64_MAX) for _ in range(32))), shards, 12,
        )
        for index in range(1, count + 1)
    )  # fmt: skip


def lanes(each: tuple[Node, ...]) -> dict[str, list[Any]]:
    return {node.host_id: [JoinConnection(node, shard) for shard in range(max(1, node.shards))] for node in each}


def route_as_the_loop_does(router: Router, token: int, number: int) -> Any:
    place = router.coarse[(token >> 48) + 32768]
    while router.bounds[place] < token:
        place += 1
    return router.groups[place * router.width + number % router.width].lane(token, number)


@pytest.mark.parametrize("shards", [0, 1, 7])
def test_ring_routes_go_to_replicas_in_turn(shards: int) -> None:
    each = nodes(4, shards)
    target = Target((), "dc", "ks", "kv", each, REPLICATION)
    router = build_router(target, each, lanes(each))
    assert router is not None
    ring = Ring({RingNode(node.host_id, node.dc, node.rack): node.tokens for node in each})
    placed = ReplicaMap(ring, strategy_from_options(REPLICATION))
    draw = random.Random(5)
    own = [token for node in each for token in node.tokens]
    for token in [
        *EDGES,
        *own,
        *(token + 1 for token in own),
        *(draw.randrange(INT64_MIN, INT64_MAX) for _ in range(500)),
    ]:
        replicas = {replica.name for replica in placed.replicas(token)}
        chosen = [route_as_the_loop_does(router, token, number) for number in range(2)]
        assert {conn.node.host_id for conn in chosen} == replicas
        assert chosen == [router.choices(token, number)[0] for number in range(2)]
        if shards:
            assert {conn.shard for conn in chosen} == {shard_of_token(token, shards, 12)}


def test_tablets_say_node_and_shard() -> None:
    each = nodes(3, 4)
    hosts = [node.host_id for node in each]
    tablets = tuple(
        (last, ((hosts[index % 3], index % 4), (hosts[(index + 1) % 3], 3 - index % 4)))
        for index, last in enumerate([INT64_MIN + (1 << 61) * part - 1 for part in range(1, 9)])
    )
    target = Target((), "dc", "ks", "kv", each, REPLICATION, tablets)
    router = build_router(target, each, lanes(each))
    assert router is not None
    for index, (last, replicas) in enumerate(tablets):
        first = tablets[index - 1][0] if index else INT64_MIN
        for token in (first + 1, last - 1, last):
            found = {(conn.node.host_id, conn.shard) for conn in router.choices(token, index)}
            assert found == set(replicas)


def test_nodes_without_tokens_take_turns_and_one_connection_needs_no_route() -> None:
    each = tuple(Node(f"h{index}", f"127.0.0.{index}", 9042, "dc", "r") for index in range(3))
    router = build_router(Target((), "dc", "ks", "kv", each), each, lanes(each))
    assert router is not None
    assert len({route_as_the_loop_does(router, 12345, number) for number in range(3)}) == 3
    alone = build_router(Target((), "dc", "ks", "kv", each[:1]), each[:1], lanes(each[:1]))
    assert alone is not None
    assert alone.only is not None
    assert build_router(Target((), "dc", "ks", "kv"), (), {}) is None


def test_positions_follow_the_order_of_issue() -> None:
    blocks = [(0, 0), (1000, 100), (5000, 150)]
    assert [position(blocks, number) for number in (0, 99, 1000, 1049, 5007)] == [0, 99, 100, 149, 157]


def test_processes_have_source_ports_of_their_own() -> None:
    slices = [port_slice(worker, 7) for worker in range(7)]
    assert all(one.stop <= two.start for one, two in itertools.pairwise(slices))
    assert slices[0].start >= 49152
    assert slices[-1].stop <= 65536

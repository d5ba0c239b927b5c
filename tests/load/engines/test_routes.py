"""Routes that change while a load goes on: made in pieces, learned tablet by tablet, not made where nothing changed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cqlsurge.load.cql.extensions import Replica, TabletRange
from cqlsurge.load.engines.contract import Node, Target
from cqlsurge.load.engines.wire import ticks
from cqlsurge.load.engines.wire.buffers_python import JoinConnection
from cqlsurge.load.engines.wire.connection import Connection
from cqlsurge.load.engines.wire.pool import Pool
from cqlsurge.load.engines.wire.router import build_router, router_steps
from cqlsurge.load.routing.tablets import TabletMap

THREE = {"class": "NetworkTopologyStrategy", "dc": "3"}
HOSTS = [str(uuid.UUID(int=index)) for index in range(48)]


def nodes(count: int, tokens: int, shards: int = 2) -> tuple[Node, ...]:
    draw = random.Random(count)
    return tuple(
        Node(
            HOSTS[index], f"127.0.1.{index + 1}", 9042, "dc", f"r{index % 3}",
            tuple(draw.randrange(-(1 << 63), 1 << 63) for _ in range(tokens)), shards=shards, ignore_msb=12,
        )
        for index in range(count)
    )  # fmt: skip


def lanes(each: Sequence[Node]) -> dict[str, list[Connection]]:
    return {node.host_id: [JoinConnection(node, shard) for shard in range(max(1, node.shards))] for node in each}


def pool(target: Target) -> Pool:
    made = Pool(target, [], JoinConnection, lambda ids, connection: [])
    made.loaded = True
    return made


def told(target: Target, **more: Any) -> dict[str, Any]:
    """As the control plane says it, without the tokens that are known."""
    listed = [dict(vars(node)) for node in target.nodes]
    for node in listed:
        del node["tokens"]
    return {"type": "topology", "nodes": listed, **more}


def settle(made: Pool) -> None:
    for _ in range(10_000):
        made.find_routes()


def test_a_large_ring_is_made_in_small_pieces_and_comes_out_the_same() -> None:
    each = nodes(48, 256, shards=8)
    target, have = Target((), "dc", "ks", "kv", each, THREE), lanes(each)
    steps = router_steps(target, each, have, None)
    pieces = 0
    while True:
        try:
            next(steps)
            pieces += 1
        except StopIteration as done:
            router = done.value
            break
    assert pieces > 3 * 48 * 256 // 64
    whole = build_router(target, each, have)
    assert whole is not None
    assert (router.bounds, router.width, router.coarse) == (whole.bounds, whole.width, whole.coarse)
    assert [group.first for group in router.groups] == [group.first for group in whole.groups]


def test_a_node_that_goes_down_and_comes_up_again_changes_no_route() -> None:
    target = Target((), "dc", "ks", "kv", nodes(5, 16), THREE)
    made = pool(target)
    before = made.router
    for up in (False, True):
        away = replace(target, nodes=(replace(target.nodes[0], up=up), *target.nodes[1:]))
        ticks.take_topology(made, told(away))
        settle(made)
        assert made.router is before
        assert made.target.nodes == away.nodes
        assert not made.leaving


def test_a_node_that_leaves_is_left_out_after_some_ticks() -> None:
    target = Target((), "dc", "ks", "kv", nodes(5, 16), THREE)
    made = pool(target)
    before, gone = made.router, target.nodes[0].host_id
    ticks.take_topology(made, told(replace(target, nodes=target.nodes[1:])))
    assert made.router is before
    settle(made)
    assert made.router is not before
    assert gone not in {group.first.node.host_id for group in made.router.groups}
    assert {connection.node.host_id for connection in made.leaving} == {gone}


def test_no_node_at_all_leaves_everything_as_it_was() -> None:
    target = Target((), "dc", "ks", "kv", nodes(3, 16), THREE)
    made = pool(target)
    ticks.take_topology(made, {"type": "topology", "nodes": []})
    settle(made)
    assert len(made.all()) == 6
    assert {group.first.node.host_id for group in made.router.groups} == set(HOSTS[:3])


@pytest.mark.parametrize("tablets", [None, ()])
def test_tablets_are_learned_and_the_rest_goes_to_any_node(tablets: tuple[()] | None) -> None:
    target = Target((), "dc", "ks", "kv", nodes(3, 0), THREE, tablets=tablets)
    made = pool(target)
    tablet = TabletRange(0, 1 << 40, (Replica(uuid.UUID(HOSTS[1]), 1),))
    made.routes.learn(tablet)
    settle(made)
    inside, outside = made.router.choices(1 << 40, 7), made.router.choices((1 << 40) + 1, 7)
    assert [(conn.node.host_id, conn.shard) for conn in inside] == [(HOSTS[1], 1)]
    assert {conn.node.host_id for conn in outside} == set(HOSTS[:3])
    before = made.router
    made.routes.learn(tablet)
    settle(made)
    assert made.router is before
    # A map that was read holds for all tokens; one that could not be read takes nothing away.
    ticks.take_topology(made, told(made.target, tablets=[]))
    settle(made)
    assert made.router.choices(5, 0)[0].node.host_id == HOSTS[1]
    ticks.take_topology(made, told(made.target, tablets=[[(1 << 63) - 1, [[HOSTS[2], 0]]]]))
    settle(made)
    assert [(conn.node.host_id, conn.shard) for conn in made.router.choices(5, 0)] == [(HOSTS[2], 0)]


def test_rows_of_tablets_say_where_none_is_known() -> None:
    tablets: TabletMap[str] = TabletMap()
    tablets.update(10, 20, [("a", 0)])
    tablets.update(20, 30, [("b", 0)])
    tablets.update(50, 60, [("c", 1)])
    assert list(tablets.rows()) == [(10, ()), (20, (("a", 0),)), (30, (("b", 0),)), (50, ()), (60, (("c", 1),))]


def test_the_hot_loop_takes_up_a_router_that_is_done() -> None:
    target = Target((), "dc", "ks", "kv", nodes(3, 16), THREE)
    made = pool(target)
    recorder = SimpleNamespace(targets=[each.target for each in made.all()])
    load: Any = SimpleNamespace(pool=made, recorder=recorder, route=lambda router: None)
    ticks.take_topology(made, told(replace(target, nodes=target.nodes[:2])))
    settle(made)
    ticks.follow(load)
    assert not made.leaving
    assert len(recorder.targets) == 6

"""Expected shares, against the router itself: real tokens are sent through it and counted.

How: the wire engine's router is built over connections that are never opened; 40000 tokens and numbers, drawn with a
fixed seed, are looked up as the hot loop looks them up.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from cqlsurge.load.engines.contract import Node, Target
from cqlsurge.load.engines.wire.buffers_python import JoinConnection
from cqlsurge.load.engines.wire.router import build_router
from cqlsurge.load.routing.sharding import shard_of_token
from cqlsurge.results.balance import absent_nodes, expected_shares, imbalances, shard_portions, with_shares

DRAWS = 40_000
NODES = tuple(
    Node(
        host_id=f"host{index}", address=f"127.0.0.{index + 1}", port=9042, dc="dc1", rack=f"r{index % 2}",
        tokens=tuple(sorted(random.Random(index).randrange(-(1 << 63), 1 << 63) for _ in range(8))),
        shards=3, ignore_msb=12,
    )
    for index in range(4)
)  # fmt: skip
RING = Target((), "dc1", "ks", "kv", nodes=NODES, replication={"class": "NetworkTopologyStrategy", "dc1": "3"})
LAST_TOKENS = [*((at - 7 << 60) - 1 for at in range(15)), (1 << 63) - 1]
TABLETS = tuple(
    (last, tuple((f"host{(at + k) % 4}", (at + k) % 3) for k in range(1 + at % 2)))
    for at, last in enumerate(LAST_TOKENS)
)


def drawn(target: Target) -> Counter[tuple[str, int]]:
    lanes = {
        node.host_id: [JoinConnection(node, shard if node.shards else -1) for shard in range(max(1, node.shards))]
        for node in target.nodes
    }
    router = build_router(target, target.nodes, lanes)
    assert router is not None
    draw = random.Random(5)
    seen: Counter[tuple[str, int]] = Counter()
    for number in range(DRAWS):
        connection = router.choices(draw.randrange(-(1 << 63), 1 << 63), number)[0]
        seen[connection.node.host_id, connection.shard] += 1
    return seen


@pytest.mark.parametrize(
    "target",
    [
        RING,
        replace(RING, replication={"class": "SimpleStrategy", "replication_factor": "1"}),
        replace(RING, replication={"class": "EverywhereStrategy"}),
        replace(RING, tablets=TABLETS),
        replace(RING, nodes=tuple(replace(node, shards=0) for node in NODES)),
        replace(RING, nodes=(replace(NODES[0], shards=0),)),
    ],
    ids=["ring", "simple", "unknown", "tablets", "cassandra", "one node"],
)
def test_shares_are_what_the_router_does(target: Target) -> None:
    shares = expected_shares(target)
    assert sum(shares.values()) == pytest.approx(1)
    seen = drawn(target)
    assert {place for place, share in shares.items() if share > 1e-3} <= set(seen)
    for place, share in shares.items():
        assert seen[place] / DRAWS == pytest.approx(share, abs=0.01), place


def test_narrow_ranges_are_divided_as_the_shards_are() -> None:
    draw = random.Random(1)
    for _ in range(20):
        first = draw.randrange(-(1 << 63), (1 << 63) - (1 << 53))
        last = first + draw.randrange(1 << 46, 1 << 53)
        seen = Counter(shard_of_token(draw.randrange(first + 1, last + 1), 7, 12) for _ in range(2000))
        for shard, portion in enumerate(shard_portions(first, last, 7, 12)):
            assert seen[shard] / 2000 == pytest.approx(portion, abs=0.06)


def test_shards_that_only_the_engine_knows_share_what_their_node_gets() -> None:
    shares = expected_shares(replace(RING, nodes=tuple(replace(node, shards=0) for node in NODES)))
    rows = [{"node": "host1", "address": "a", "shard": shard, "issued": 5} for shard in range(3)]
    assert [row["expected_share"] for row in with_shares(rows, shares)] == [
        pytest.approx(shares["host1", -1] / 3, abs=1e-6)
    ] * 3


def test_what_is_out_of_balance_is_said() -> None:
    shares = expected_shares(RING)
    rows = [
        {"node": host, "address": "a", "shard": shard, "issued": round(share * 1e6), "ok": 0, "failed": 0}
        for (host, shard), share in shares.items()
    ]
    engine = {"shards_covered": 12, "notes": []}
    assert imbalances(with_shares(rows, shares), engine, NODES, 1_000_000) == []
    rows[0]["issued"] = 0
    (text,) = imbalances(with_shares(rows, shares), engine, NODES, 1_000_000)
    assert "got 0.0%" in text
    assert imbalances(with_shares(rows, shares), engine, NODES, 20) == [], "20 keys cannot be spread evenly"
    lost = imbalances([], {"shards_covered": 4, "notes": ["the shard-aware port is closed"]}, NODES, 1)
    assert lost == ["shard-awareness is missing: connections to 4 of 12 shards only; the shard-aware port is closed"]


def test_a_node_that_was_away_is_no_imbalance() -> None:
    shares = expected_shares(RING)
    rows = [
        {"node": host, "address": host, "shard": shard, "issued": round(share * 1e6), "ok": 500, "failed": 0, "lost": 0}
        for (host, shard), share in shares.items()
    ]
    assert absent_nodes(with_shares(rows, shares), []) == []
    engine = {"shards_covered": 12, "notes": []}
    for row in rows:
        if row["node"] == "host1":
            row.update(issued=row["issued"] // 3)  # type: ignore[operator]
    assert absent_nodes(with_shares(rows, shares), []) == [], "a client that sends too little is no node that is away"
    assert imbalances(with_shares(rows, shares), engine, NODES, 1_000_000)
    rows[[row["node"] for row in rows].index("host1")]["lost"] = 1
    (text,) = absent_nodes(with_shares(rows, shares), [])
    assert "node host1 was down" in text
    assert imbalances(with_shares(rows, shares), engine, NODES, 1_000_000, uneven=True) == []
    known = absent_nodes(with_shares(rows, shares), [{"event": "node down", "address": "host1:9042"}])
    assert known == [text]

"""Routing keys, shards, ring and replica placement against scylla-driver's own metadata.

How: random rings go to both our Ring and the driver's replication strategies; the nodes must be the same for each
range. The driver lists repeated racks last (Cassandra where they stand on the ring), so only the first node's place is
compared; and it counts a node twice that it skipped twice, so such ranges are left to the properties below.
Shards are compared with the driver's _ShardingInfo, routing keys with its bound statements' rule.
"""

from __future__ import annotations

import random

import pytest

from cqlsurge.load.routing.keys import routing_key
from cqlsurge.load.routing.ring import (
    LocalStrategy,
    NetworkTopologyStrategy,
    Node,
    ReplicaMap,
    Ring,
    SimpleStrategy,
    strategy_from_options,
)
from cqlsurge.load.routing.sharding import shard_of_port, shard_of_token

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
TOPOLOGIES = [
    {"dc1": {"r1": 1}},
    {"dc1": {"r1": 3}},
    {"dc1": {"r1": 2, "r2": 1}},
    {"dc1": {"r1": 1, "r2": 1, "r3": 1}},
    {"dc1": {"r1": 4, "r2": 1, "r3": 2}, "dc2": {"r1": 2, "r2": 2}},
    {"dc1": {"r1": 3, "r2": 3, "r3": 3}, "dc2": {"a": 1}, "dc3": {"a": 1, "b": 2}},
]


def make_ring(topology, tokens_per_node, draw):
    nodes = [
        Node(f"{datacenter}-{rack}-{number}", datacenter, rack)
        for datacenter, racks in topology.items()
        for rack, count in racks.items()
        for number in range(count)
    ]
    return Ring({node: [draw.randrange(INT64_MIN + 1, INT64_MAX) for _ in range(tokens_per_node)] for node in nodes})


def driver_placement(ring, strategy):
    """The driver's replicas for each ring token, as node names."""
    metadata = pytest.importorskip("cassandra.metadata")
    from cassandra.connection import DefaultEndPoint
    from cassandra.policies import SimpleConvictionPolicy
    from cassandra.pool import Host

    hosts = {}
    for number, node in enumerate(dict.fromkeys(ring.owners)):
        hosts[node] = Host(DefaultEndPoint(f"127.0.0.{number + 1}"), SimpleConvictionPolicy, host_id=number + 1)
        hosts[node].set_location_info(node.datacenter, node.rack)
    names = {host: node.name for node, host in hosts.items()}
    tokens = [metadata.Murmur3Token(token) for token in ring.tokens]
    owners = {token: hosts[node] for token, node in zip(tokens, ring.owners, strict=True)}
    placed = strategy.make_token_replica_map(owners, tokens)
    return [[names[host] for host in placed[token]] for token in tokens]


@pytest.mark.parametrize("topology", TOPOLOGIES, ids=str)
@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_network_topology_placement(topology, factor):
    from cassandra.metadata import NetworkTopologyStrategy as DriverStrategy

    ring = make_ring(topology, 16, random.Random(factor))
    factors = dict.fromkeys(topology, factor) | {"absent": 3}
    sets = ring.replica_sets(NetworkTopologyStrategy(factors))
    theirs = driver_placement(ring, DriverStrategy({name: str(count) for name, count in factors.items()}))
    pairs = [pair for pair in zip(sets, theirs, strict=True) if len(set(pair[1])) == len(pair[1])]
    assert len(pairs) > len(sets) // 3
    for ours, driver in pairs:
        assert sorted(node.name for node in ours) == sorted(driver)
    for at, ours in enumerate(sets):
        assert ours[0] == ring.owners[at]
        assert len(set(ours)) == len(ours)
        for datacenter, racks in topology.items():
            here = [node.rack for node in ours if node.datacenter == datacenter]
            assert len(here) == min(factor, sum(racks.values()))
            assert len(set(here)) == min(factor, len(racks))


@pytest.mark.parametrize("factor", [1, 2, 3, 9])
def test_simple_placement(factor):
    from cassandra.metadata import SimpleStrategy as DriverStrategy

    ring = make_ring({"dc1": {"r1": 3, "r2": 2}}, 16, random.Random(factor))
    ours = [[node.name for node in nodes] for nodes in ring.replica_sets(SimpleStrategy(factor))]
    assert ours == driver_placement(ring, DriverStrategy({"replication_factor": str(factor)}))


def test_repeated_racks_stand_where_the_ring_has_them():
    """Three replicas on two racks: one repeat is acceptable, and it is the first one met."""
    a1, a2, b1 = Node("a1", "dc", "a"), Node("a2", "dc", "a"), Node("b1", "dc", "b")
    ring = Ring({a1: [10], a2: [20], b1: [30]})
    assert ring.replica_sets(NetworkTopologyStrategy({"dc": 3}))[0] == (a1, a2, b1)
    assert ring.replica_sets(NetworkTopologyStrategy({"dc": 2}))[0] == (a1, b1)


def test_a_range_ends_with_its_token():
    a, b = Node("a", "dc", "r"), Node("b", "dc", "r")
    ring = Ring({a: [-5], b: [7]})
    owners = ReplicaMap(ring, LocalStrategy())
    assert [owners.replicas(token)[0].name for token in (INT64_MIN, -5, -4, 7, 8, INT64_MAX)] == list("aabbaa")
    assert [ring.index(token) for token in (-5, -4, 8)] == [0, 1, 0]


def test_strategies_from_replication_options():
    long_name = "org.apache.cassandra.locator.NetworkTopologyStrategy"
    assert strategy_from_options({"class": long_name, "dc1": "3"}) == NetworkTopologyStrategy({"dc1": 3})
    assert strategy_from_options({"class": "SimpleStrategy", "replication_factor": "3/1"}) == SimpleStrategy(2)
    assert strategy_from_options({"class": "org.apache.cassandra.locator.LocalStrategy"}) == LocalStrategy()
    with pytest.raises(ValueError, match="EverywhereStrategy"):
        strategy_from_options({"class": "EverywhereStrategy"})


@pytest.mark.parametrize("shard_count", [1, 2, 3, 7, 8, 14, 96])
@pytest.mark.parametrize("ignore_msb", [0, 12])
def test_shards_as_the_driver_has_them(shard_count, ignore_msb):
    shard_info = pytest.importorskip("cassandra.shard_info")
    theirs = shard_info._ShardingInfo(0, shard_count, "", "", ignore_msb, None, None)
    draw = random.Random(shard_count)
    tokens = [INT64_MIN + 1, -1, 0, 1, INT64_MAX, *(draw.randrange(INT64_MIN, INT64_MAX) for _ in range(3000))]
    for token in tokens:
        assert shard_of_token(token, shard_count, ignore_msb) == theirs.shard_id_from_token(token)


def test_shard_of_a_client_port():
    assert [shard_of_port(port, 3) for port in (49152, 49153, 49154)] == [0, 1, 2]


def test_routing_keys_as_the_driver_composes_them():
    from cassandra.query import Statement

    parts = [b"\x00\x00\x00\x01", b"", b"caf\xc3\xa9"]
    assert routing_key([parts[2]]) == parts[2]
    assert routing_key(parts) == b"".join(Statement()._key_parts_packed(parts))
    with pytest.raises(ValueError, match="65535"):
        routing_key([b"a", bytes(65536)])

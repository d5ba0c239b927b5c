"""Topologies and who serves a token: properties of vnode and tablet placements, and the nodes' own figures."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from cqlsurge.load.routing.sharding import shard_of_token
from cqlsurge.simulator.placement import Placement, default_tablet_count, uses_tablets
from cqlsurge.simulator.topology import make_topology, node_address

TOKENS = [random.Random(4).randrange(-(1 << 63) + 1, 1 << 63) for _ in range(2000)]
NTS = "org.apache.cassandra.locator.NetworkTopologyStrategy"


def replication(**factors):
    return {"class": NTS, **{name: str(factor) for name, factor in factors.items()}}


def test_a_topology_depends_on_its_numbers_alone():
    one, two = (make_topology(4, 2, 9042, 19042, racks=2, datacenters=2) for _ in range(2))
    assert one.nodes == two.nodes
    places = [(node.datacenter, node.rack) for node in one.nodes]
    assert places == [(f"datacenter{dc}", f"rack{rack}") for rack in (1, 2) for dc in (1, 2)]
    assert len({node.host_id for node in one.nodes}) == 4


def test_addresses_of_many_nodes():
    assert [node_address(index) for index in (0, 1, 253, 254)] == ["127.0.0.1", "127.0.0.2", "127.0.0.254", "127.0.1.1"]


def test_like_cassandra_has_one_shard_a_node():
    topology = make_topology(2, 8, 9042, 19042, scylla=False)
    assert (topology.shard_count, topology.shard_aware_port) == (1, None)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_vnodes(factor):
    topology = make_topology(6, 4, 9042, 19042, racks=3)
    placement = Placement(topology, replication(datacenter1=factor))
    for token in TOKENS:
        owners = placement.owners(token)
        assert len({node for node, _ in owners}) == factor
        assert {shard for _, shard in owners} == {shard_of_token(token, 4)}
        assert len({topology.nodes[node].rack for node, _ in owners}) == factor
    assert placement.tablet(TOKENS[0]) is None


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [1, 8, 20])
def test_tablets(factor, count):
    topology = make_topology(6, 4, 9042, 19042, racks=2)
    placement = Placement(topology, replication(datacenter1=factor), count)
    assert len(placement.tablets) == 1 << (count - 1).bit_length()
    for token in TOKENS:
        owners = placement.owners(token)
        assert len({node for node, _ in owners}) == factor
        assert len({topology.nodes[node].rack for node, _ in owners}) == min(factor, 2)
        tablet = placement.tablet(token)
        assert tablet.first_token < token <= tablet.last_token
        assert [(replica.host_id, replica.shard) for replica in tablet.replicas] == [
            (topology.nodes[node].host_id, shard) for node, shard in owners
        ]


def test_tablets_are_dealt_out_evenly():
    topology = make_topology(3, 4, 9042, 19042)
    placement = Placement(topology, replication(datacenter1=3), 64)
    load = Counter(owner for last in placement.tablets.last_tokens for owner in placement.owners(last))
    assert set(load.values()) == {16}
    assert len(load) == 12


def test_two_data_centres():
    topology = make_topology(4, 2, 9042, 19042, datacenters=2)
    for count in (0, 16):
        placement = Placement(topology, replication(datacenter1=1, datacenter2=2), count)
        for token in TOKENS[:200]:
            where = Counter(topology.nodes[node].datacenter for node, _ in placement.owners(token))
            assert where == {"datacenter1": 1, "datacenter2": 2}


def test_only_one_strategy_has_tablets():
    assert uses_tablets(replication(datacenter1=1))
    assert not uses_tablets({"class": "SimpleStrategy", "replication_factor": "1"})
    assert not uses_tablets({"class": "org.apache.cassandra.locator.EverywhereStrategy"})
    assert default_tablet_count(make_topology(3, 4, 9042, 19042)) == 32

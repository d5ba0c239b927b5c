"""Tablet maps: lookup and updates, against scylla-driver's Tablets.

How: random updates go to both maps and all tokens of interest are looked up in both.
"""

from __future__ import annotations

import random
import uuid

import pytest

from cqlsurge.load.routing.tablets import (
    TabletMap,
    uniform_last_token,
)

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
HOSTS = [uuid.UUID(int=number + 1) for number in range(3)]


def uniform_rows(bits):
    return [(uniform_last_token(at, bits), [(HOSTS[at % 3], at)]) for at in range(1 << bits)]


@pytest.mark.parametrize("bits", [0, 1, 3, 10])
def test_uniform_maps_take_the_shift(bits):
    rows = uniform_rows(bits)
    random.Random(bits).shuffle(rows)
    tablets = TabletMap.from_rows(rows)
    assert tablets.uniform == (bits > 0)
    assert len(tablets) == 1 << bits
    assert tablets.last_tokens[-1] == INT64_MAX
    for at, last in enumerate(tablets.last_tokens):
        assert tablets.index(last) == at
        assert tablets.index(tablets.first_tokens[at] + 1) == at
        assert tablets.replicas(last) == ((HOSTS[at % 3], at),)


def test_maps_that_are_not_uniform_are_searched():
    tablets = TabletMap.from_rows([(100, [(HOSTS[0], 0)]), (INT64_MAX, [(HOSTS[1], 1)])])
    assert not tablets.uniform
    assert [tablets.index(token) for token in (INT64_MIN + 1, 100, 101, INT64_MAX)] == [0, 0, 1, 1]


def test_one_update_of_a_uniform_map_keeps_it_uniform_only_if_it_fits():
    tablets = TabletMap.from_rows(uniform_rows(2))
    tablets.update(tablets.first_tokens[1], tablets.last_tokens[1], [(HOSTS[2], 9)])
    assert tablets.uniform
    assert tablets.replicas(-1) == ((HOSTS[2], 9),)
    tablets.update(tablets.first_tokens[1], tablets.last_tokens[1] - 5, [(HOSTS[2], 8)])
    assert not tablets.uniform
    assert tablets.replicas(-1) is None


def test_updates_as_the_driver_does_them():
    """Ranges on a coarse grid, so that they touch, overlap, split and swallow each other often."""
    driver = pytest.importorskip("cassandra.tablets")
    draw = random.Random(11)
    for _ in range(60):
        ours, theirs = TabletMap(), driver.Tablets({})
        for step in range(25):
            first, last = sorted(draw.sample(range(0, 60, 3), 2))
            replicas = [(HOSTS[step % 3], step)]
            ours.update(first, last, replicas)
            theirs.add_tablet("ks", "t", driver.Tablet(first, last, replicas))
        assert list(zip(ours.first_tokens, ours.last_tokens, strict=True)) == [
            (tablet.first_token, tablet.last_token) for tablet in theirs._tablets["ks", "t"]
        ]
        assert [list(replicas) for replicas in ours.replica_sets] == [
            tablet.replicas for tablet in theirs._tablets["ks", "t"]
        ]


def test_lookup_in_an_empty_map():
    assert TabletMap().replicas(5) is None

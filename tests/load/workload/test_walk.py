"""The walk over a table: each row once, in order, found from its position and the position from it."""

import random

import pytest

from cqlsurge.load.workload.picks import scatter
from cqlsurge.load.workload.spec import BLOCK, TableSpec
from cqlsurge.load.workload.walk import Walk


def table(partitions, rows=(1,), **more):
    return TableSpec("ks.t", (), partitions, rows, streams="ks.t", **more)


def counts(most):
    return tuple(random.Random(most).choices(range(most + 1), k=BLOCK))


@pytest.mark.parametrize("rows", [(1,), (7,), counts(5), counts(40)])
@pytest.mark.parametrize("chunk", [1, 0, 3])
def test_partition_by_partition(rows, chunk):
    walk = Walk(table(5000, rows), seed=3, chunk=chunk)
    position = 0
    for partition in range(5000):
        assert walk.start_of(partition) == position
        units = 1 if not chunk else -(-walk.rows(partition) // chunk)
        for unit in range(units):
            assert walk.at(position) == (partition, unit)
            position += 1
    assert walk.total == position


def test_row_counts_are_exact_in_each_block():
    rows = counts(9)
    walk = Walk(table(3 * BLOCK, rows), seed=3)
    for block in range(3):
        assert sorted(walk.rows(block * BLOCK + place) for place in range(BLOCK)) == sorted(rows)
    other = Walk(table(BLOCK, rows), seed=4)
    assert [walk.rows(place) for place in range(BLOCK)] != [other.rows(place) for place in range(BLOCK)]


def test_row_by_row_in_groups():
    walk = Walk(table(1003, (5,), walk="rows", group=100), seed=1)
    order = [walk.at(position) for position in range(walk.total)]
    assert order[:3] == [(0, 0), (1, 0), (2, 0)]
    assert order[100] == (0, 1)
    assert len(set(order)) == walk.total == 5015
    assert max(order) == (1002, 4)
    beyond = [walk.at(position) for position in range(walk.total, walk.total + 1500)]
    assert len(set(beyond) | set(order)) == 5015 + 1500


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000, 4097])
def test_scattering_is_one_to_one(size):
    for key in (0, 1, 0xDEADBEEF12345678):
        assert sorted(scatter(index, size, key) for index in range(size)) == list(range(size))

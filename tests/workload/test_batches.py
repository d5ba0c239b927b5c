"""Batches whose rows are chosen, over several picks; one sequence for all statements; texts of a number as keys."""

from __future__ import annotations

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.workload.loader import load_workload

FILE = """
workload: b
schema: |
  CREATE KEYSPACE b WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
  CREATE TABLE b.t (pk text, ck int, v int, PRIMARY KEY (pk, ck));
tables:
  b.t:
    SEEDS
    rows: ROWS
    columns: {pk: "text(6, p)", ck: r}
statements:
  write:
    batch: logged
    each: {insert: b.t, rows: EACH}
    many: MANY
    across: partitions
  read: SELECT * FROM b.t WHERE pk = :pk AND ck = :ck
phases:
  run: {mix: {write: 1, read: 1}, operations: 1000, pick: {any: sequence}}
"""


def workload(seeds: str = "partitions: 500", rows: str = "20", each: str = "all", many: int = 1) -> SpecWorkload:
    text = FILE.replace("SEEDS", seeds).replace("ROWS", rows).replace("EACH", each).replace("MANY", str(many))
    return SpecWorkload(load_workload(text, "b.yaml", {}), "run", 1)


def keys_and_rows(made: SpecWorkload, number: int) -> list[tuple[bytes, int]]:
    batch = made.operation(number).batch
    found = []
    for _, cells in batch:
        key, row = cells[0], cells[1]
        assert isinstance(key, bytes)
        assert isinstance(row, bytes)
        found.append((key, int.from_bytes(row, "big")))
    return found


def test_each_row_is_chosen_with_its_share_and_at_least_one() -> None:
    made = workload(each="select(25%)")
    counts = [len(keys_and_rows(made, number)) for number in range(2000) if made.operation(number).batch]
    assert sum(counts) / len(counts) == pytest.approx(5, rel=0.05)
    assert len(set(counts)) > 5
    rare = workload(each="select(0.1%)")
    chosen = [keys_and_rows(rare, number) for number in range(600) if rare.operation(number).batch]
    assert all(len(rows) >= 1 for rows in chosen)
    assert len({row for rows in chosen for _, row in rows}) == 20
    assert keys_and_rows(made, 5) == keys_and_rows(workload(each="select(25%)"), 5)


def test_a_sequence_goes_on_over_all_statements() -> None:
    made = workload()
    assert [made.operation(number).partition for number in range(1003)][-5:] == [498, 499, 0, 1, 2]


def test_a_batch_over_several_picks_takes_the_next_seeds() -> None:
    made = workload(many=3)
    number = next(number for number in range(9) if made.operation(number).batch)
    keys = list(dict.fromkeys(key for key, _ in keys_and_rows(made, number)))
    expected = [made.partition_key(made.spec.tables[0], number * 3 + turn)[0] for turn in range(3)]
    assert keys == expected
    assert len(keys_and_rows(made, number)) == 60


def test_rows_are_those_of_the_partition_that_was_drawn() -> None:
    made = workload("seeds: 1..4k\n    partitions: draw(uniform(1..50))", "uniform(1..30)")
    sizes: dict[bytes, set[int]] = {}
    for number in range(3000):
        operation = made.operation(number)
        if operation.batch:
            rows = keys_and_rows(made, number)
            sizes.setdefault(rows[0][0], set()).add(len(rows))
    assert len(sizes) == 50
    assert all(len(counts) == 1 for counts in sizes.values()), "rows are a function of the partition, not of the seed"
    for number in range(3000):
        operation = made.operation(number)
        if not operation.batch:
            key = operation.cells[0]
            assert isinstance(key, bytes)
            assert operation.row < max(sizes[key])


def test_neighbouring_partitions_have_unlike_row_counts() -> None:
    made = workload(rows="uniform(1..5)")
    counts = [len(keys_and_rows(made, number)) for number in range(400) if made.operation(number).batch]
    assert sum(counts) / len(counts) == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("rows: EACH", "rows: select(0%)", "a share is above 0%"),
        ("rows: EACH", "rows: select(many)", "it is written select"),
        ("batch: logged", "batch: unlogged", "across: partitions"),
        ("text(6, p)", "text(1, p)", "rows overwrite each other"),
    ],
)
def test_errors(old: str, new: str, says: str) -> None:
    text = FILE.replace(old, new).replace("SEEDS", "partitions: 500").replace("ROWS", "20").replace("EACH", "all")
    text = text.replace("MANY", "3").replace(
        "    across: partitions\n", "" if "unlogged" in new else "    across: partitions\n"
    )
    with pytest.raises(UsageError, match=says):
        load_workload(text, "b.yaml", {})

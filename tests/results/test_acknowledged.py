"""Which rows a later run must find: what --verify RUN.json makes of an earlier run's unacknowledged writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.results.acknowledged import missing_partitions
from cqlsurge.runs.phases import measure_phase
from cqlsurge.settings import Settings


def earlier(ranges: list[tuple[int, int]], below: int | None = None, **settings: object) -> dict[str, object]:
    told: dict[str, object] = {"ranges": ranges, "overflow": False}
    if below is not None:
        told["below"] = below
    return {"settings": Settings(**settings).to_json(), "unacknowledged": told}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ranges", "partitions"),
    [
        ([], []),
        ([(5, 9)], [(105, 109)]),
        ([(40, 42), (90, 100)], [(140, 142), (190, 200)]),
        ([(0, 100)], [(100, 200)]),
    ],
)
def test_numbers_become_partitions(ranges: list[tuple[int, int]], partitions: list[tuple[int, int]]) -> None:
    document = earlier(ranges, operations=100, keys=100, key_offset=100)
    assert missing_partitions(document, Settings(mode="read")) == partitions


def test_what_another_write_has_written_is_there() -> None:
    """Ten writes of each row: only where none of them was acknowledged may it be missing."""
    document = earlier([(5, 9), (990, 1000)], operations=1000, keys=100)
    assert missing_partitions(document, Settings(mode="read")) == []
    never = [(first + 5, first + 7) for first in range(0, 1000, 100)]
    assert missing_partitions(earlier(never, operations=1000, keys=100), Settings(mode="read")) == [(5, 7)]


def test_every_acknowledged_row_of_several_processes_is_guarded() -> None:
    """A run of a duration: each process has a block of 1 M numbers, of which it came to a few thousand."""
    block, keys = 1 << 20, 1_000_000
    document = earlier([(6_000, block), (block + 5_000, 2 * block)], 2 * block, duration=5.0, keys=keys)
    second = block % keys
    assert missing_partitions(document, Settings(mode="read")) == [(6_000, second), (second + 5_000, keys)]


def test_of_a_mixed_run_without_a_population_the_writes_count() -> None:
    document = earlier([(50, 1000)], 1000, mode="mixed", populate=False, keys=100, duration=1.0)
    workload = KeyValue(seed=1, keyspace="ks", table="kv", mode="mixed", keys=100, blob_size=1)
    written = {number for number in range(50) if workload.kinds[workload.locate(number)[0]].writes}
    missing = missing_partitions(document, Settings(mode="read"))
    assert {partition for first, past in missing for partition in range(first, past)} == set(range(100)) - written


def test_a_run_that_wrote_nothing_excuses_nothing() -> None:
    assert missing_partitions(earlier([], 0, mode="read"), Settings(mode="read")) == []


def test_a_run_of_other_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"kind": "cqlsurge run", "schema": 1, **earlier([], seed=3)}))
    with pytest.raises(UsageError, match="seed 3"):
        measure_phase(Settings(mode="read", verify=str(path)))

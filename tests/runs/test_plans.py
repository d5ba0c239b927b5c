"""What --verify RUN.json makes of an earlier run's unacknowledged writes, and the messages of phases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.runs.plans import measure_phase, missing_partitions, populate_phase
from cqlsurge.settings import Settings


def earlier(ranges: list[tuple[int, int]], **settings: object) -> dict[str, object]:
    return {"settings": Settings(**settings).to_json(), "unacknowledged": {"ranges": ranges, "overflow": False}}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ranges", "partitions"),
    [
        ([], []),
        ([(5, 9)], [(105, 109)]),
        ([(40, 42), (990, 1000)], [(140, 142), (190, 200)]),
        ([(95, 105)], [(195, 200), (100, 105)]),
        ([(0, 1000)], [(100, 200)]),
    ],
)
def test_numbers_become_partitions(ranges: list[tuple[int, int]], partitions: list[tuple[int, int]]) -> None:
    document = earlier(ranges, operations=1000, keys=100, key_offset=100)
    assert missing_partitions(document, Settings(mode="read")) == partitions


def test_a_run_of_other_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"kind": "cqlsurge run", "schema": 1, **earlier([], seed=3)}))
    with pytest.raises(UsageError, match="seed 3"):
        measure_phase(Settings(mode="read", verify=str(path)))


def test_phases_say_which_numbers_write() -> None:
    assert measure_phase(Settings(operations=500)).writes_below == 500
    assert measure_phase(Settings(duration=5.0, keys=70)).writes_below == 70
    assert measure_phase(Settings(mode="read")).writes_below == 0
    assert measure_phase(Settings(mode="mixed")).writes_below == 0
    assert populate_phase(Settings(mode="mixed", keys=70)).writes_below == 70
    assert measure_phase(Settings(rate="5k")).headline == "response"

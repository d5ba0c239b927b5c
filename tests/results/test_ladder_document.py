"""The ladder's document from drawn runs (documents.py): factors, intervals, and what does not count."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from documents import make_climb, make_ladder

from cqlsurge.errors import ResultError
from cqlsurge.results.ladder_document import Climb, build, read_ladder
from cqlsurge.results.techniques import RUNGS

SCHEMA = json.loads(files("cqlsurge.results").joinpath("ladder_schema.json").read_text(encoding="utf-8"))
COMMON = {"state": "done", "started_at": "2026-11-23T13:00:00.000+00:00", "settings": {}, "rounds": 1}


def test_factors_are_over_the_measured_rung_below() -> None:
    ladder = make_ladder()
    jsonschema.Draft202012Validator(SCHEMA).validate(ladder)
    lowest, batch, absent, wire = ladder["rungs"]
    assert (lowest["over"], absent["state"], wire["over"]["rung"]) == (None, "absent", "batch")
    assert batch["over"]["ops"]["factor"] == pytest.approx(10, rel=0.01)
    assert wire["over"]["cpu"]["factor"] == pytest.approx(30, rel=0.01)
    for factor in (wire["over"]["ops"], wire["over"]["cpu"], wire["ops_s"], wire["cpu_us_per_op"]):
        assert factor["low"] < factor.get("factor", factor.get("value")) < factor["high"]
    assert wire["cores"] == pytest.approx(5.05 * 0.4, rel=0.01)
    assert ladder["top"] == wire["over"]


def test_one_round_has_no_intervals() -> None:
    ladder = build([make_climb("batch", 5000), make_climb("wire", 40e3, cpu_us=5.0)], **COMMON)  # type: ignore[arg-type]
    jsonschema.Draft202012Validator(SCHEMA).validate(ladder)
    wire = ladder["rungs"][1]
    assert wire["over"]["ops"] == {"factor": pytest.approx(8), "low": None, "high": None}
    assert wire["ops_s"] == {"value": pytest.approx(40e3), "low": None, "high": None}


def test_nothing_measured_is_a_document_too() -> None:
    ladder = build([Climb(rung) for rung in RUNGS.values()], **COMMON)  # type: ignore[arg-type]
    jsonschema.Draft202012Validator(SCHEMA).validate(ladder)
    assert {rung["state"] for rung in ladder["rungs"]} == {"not measured"}


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"kind": "cqlsurge run"}')
    with pytest.raises(ResultError, match="no ladder"):
        read_ladder(str(path))

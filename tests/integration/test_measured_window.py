"""The measured phase ends when issuing ends: stragglers, silences and the warm-up stretch or spoil no figure.

How: the simulator drops answers on command; runs are short, and only what cannot depend on the machine is asserted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cqlsurge.results.document import broken_laws
from cqlsurge.runs.run import exit_code, run
from cqlsurge.settings import Settings
from tests.integration.wire_support import simulator

COMMON: dict[str, Any] = {"processes": 1, "runtime": "cpython", "blob_size": 16}


def document_of(folder: Path, *options: str, **settings: Any) -> dict[str, Any]:
    with simulator(folder, "--nodes", "1", *options) as server:
        document = run(Settings(**{**COMMON, "address": f"{server.host}:{server.port}", **settings}))
    assert broken_laws(document) == []
    return document


def codes(document: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in document["verdict"]["reasons"]}


def test_one_lost_answer_stretches_no_run_with_a_rate(tmp_path: Path) -> None:
    document = document_of(
        tmp_path, "--fault", "drop:count=1,from=2s", rate="100", duration=4.0, request_timeout=3.0, retries=0
    )
    assert document["errors"] == {"client_timeout": 1}
    assert document["duration_s"] == pytest.approx(4.0, abs=0.2)
    assert document["throughput_ops_s"] == pytest.approx(99.75, rel=0.05)
    assert sum(row["span_s"] for row in document["timeline"]) == pytest.approx(4.0, abs=0.3)
    assert document["operations"]["backlog"] == 0, "what would be due at the end is not"
    assert document["operations"]["due"] == 400
    assert document["latency_us"]["all"]["response"]["count"] == 400, "its latency counts"
    assert "silence" not in codes(document)


@pytest.mark.long
def test_lost_answers_stretch_no_closed_load(tmp_path: Path) -> None:
    lost = 5
    document = document_of(
        tmp_path, "--fault", f"drop:count={lost}", operations=3_000, concurrency=32, request_timeout=20.0, retries=0
    )
    stragglers = document["stragglers"]
    assert document["errors"] == {"client_timeout": lost}
    assert lost <= stragglers["in_flight"] <= 32
    assert stragglers["unknown"] == lost
    assert stragglers["awaited_s"] + document["duration_s"] >= 19
    assert document["duration_s"] < 15
    ended = document["throughput_ops_s"] * document["duration_s"]
    assert round(ended) == 3_000 - stragglers["in_flight"]


def test_a_run_whose_warm_up_took_all_operations_measured_nothing(tmp_path: Path) -> None:
    document = document_of(tmp_path, operations=200, concurrency=4, warmup=30.0)
    assert (document["throughput_ops_s"], document["duration_s"]) == (0.0, 0.0)
    assert exit_code(document) == 1
    (reason,) = [each for each in document["verdict"]["reasons"] if each["code"] == "nothing_measured"]
    assert "all 200 operations went into the 30 s of warm-up" in reason["saw"]


def test_a_rate_below_one_has_no_silences_and_is_shown(tmp_path: Path) -> None:
    document = document_of(tmp_path, rate="0.5", duration=5.0)
    assert document["operations"]["due"] == document["operations"]["ok"] == 3
    assert document["verdict"]["bound_by"] == "rate"
    assert "silence" not in codes(document)
    assert "0.60 of 0.60 ops/s" in document["verdict"]["reasons"][0]["saw"]


def test_late_operations_are_counted_whatever_became_of_them(tmp_path: Path) -> None:
    """All wait for the one place: those that were refused, or compressed, or tried again are as late."""
    document = document_of(
        tmp_path, "--latency", "fixed:20ms", "--fault", "overloaded:p=0.3", rate="200", duration=2.0, concurrency=1,
        fill="text", blob_size=2_000, error_budget="100%",
    )  # fmt: skip
    counts = document["operations"]
    assert document["errors"]
    assert counts["late"] >= 0.9 * (counts["ok"] + counts["failed"] + counts["unknown"])
    warmed = document_of(
        tmp_path, "--stall", "500ms:every=60s,from=0s", rate="200", duration=1.0, warmup=2.0, concurrency=1
    )
    assert warmed["operations"]["late"] <= 200


def test_a_run_without_one_success_gets_no_advice_on_concurrency(tmp_path: Path) -> None:
    document = document_of(tmp_path, "--fault", "overloaded:p=1", operations=50, retries=0)
    assert exit_code(document) == 1
    assert codes(document) >= {"no_success"}
    assert "--concurrency" not in document["verdict"]["advice"]

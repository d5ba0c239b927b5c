"""Silences in a timeline: times without an answer between times with some."""

from __future__ import annotations

from typing import Any

from cqlsurge.runs.gather import silences


def row(t_s: int, ok: int, span_s: float = 1.0, errors: int = 0) -> dict[str, Any]:
    return {"t_s": t_s, "span_s": span_s, "ok": ok, "errors": errors}


def test_silences_lie_between_answers() -> None:
    rows = [row(1, 0), row(2, 5), row(3, 0), row(4, 0), row(5, 7, 0.999), row(6, 0, errors=1), row(7, 0)]
    assert silences(rows) == [(2, 4.001)]


def test_a_second_that_is_missing_belongs_to_the_long_row_behind_it() -> None:
    assert silences([row(1, 5), row(5, 5, 4.0)]) == []

"""What rows of a timeline show: silences, and where along a rate the answers fell behind."""

from __future__ import annotations

from typing import Any

import pytest

from cqlsurge.results.rows import gave_way, silences


def row(t_s: int, ok: int, span_s: float = 1.0, **more: Any) -> dict[str, Any]:
    made = {"t_s": t_s, "span_s": span_s, "ok": ok, "errors": 0, "in_flight": 1, "backlog": 0, "warmup": False}
    return {**made, "p50_us": 300.0, **more}


def test_silences_lie_behind_answers_while_something_is_in_flight() -> None:
    rows = [row(1, 0), row(2, 5), row(3, 0), row(4, 0), row(5, 7), row(6, 0, errors=1), row(7, 0, in_flight=0)]
    assert silences(rows) == [(2, 4)]


def test_a_time_in_which_nothing_was_due_is_no_silence() -> None:
    pause = [row(1, 5, in_flight=0), row(2, 0, in_flight=0), row(3, 0), row(4, 1, in_flight=0)]
    assert silences(pause) == []
    waiting = [row(1, 5, in_flight=0, backlog=4), row(2, 0, in_flight=0, backlog=9), row(3, 9)]
    assert silences(waiting) == [(1, 2)]


def test_a_second_that_is_missing_belongs_to_the_long_row_behind_it() -> None:
    assert silences([row(1, 5), row(5, 5, 4.0)]) == []


def test_a_ramp_gives_way_where_answers_begin_to_fall_behind() -> None:
    """1 K to 8 K ops/s against a server that carries 6 K."""
    rows, line = [], 0
    for second in range(1, 8):
        line += 1000 * second + 500
        ended = min(line, 6000)
        line -= ended
        rows.append(row(second, ended, in_flight=line + 2, p50_us=300.0 + line / 6))
    found = gave_way(rows)
    assert found is not None
    assert (found.t_s, found.rate_ops_s) == (5, pytest.approx(6500, rel=0.01))
    assert found.behind_s == pytest.approx(0.27, abs=0.02)
    assert gave_way(rows[:5]) is None


def test_what_was_caught_up_with_did_not_give_way() -> None:
    rows = [row(1, 1000), row(2, 100, in_flight=900), row(3, 1900), row(4, 1000)]
    assert gave_way(rows) is None
    assert gave_way(rows[:2]) is not None


def test_slow_answers_in_time_are_not_behind() -> None:
    slow = [row(second, 10, in_flight=15, p50_us=1.5e6) for second in range(2, 9)]
    assert gave_way([row(1, 0, in_flight=10), *slow]) is None


def test_a_few_operations_at_a_low_rate_are_not_behind() -> None:
    assert gave_way([row(second, second % 2, in_flight=(second + 1) % 2) for second in range(1, 9)]) is None

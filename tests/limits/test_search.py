"""The search for a limit, on virtual queues whose limits are known. benchmarks/limits.py has more of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("numpy")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.limits import by_search
from benchmarks.queues import cases, limit_mm1, over_md1, over_mmc
from cqlsurge.limits.goals import parse_slo
from cqlsurge.limits.search import Bounds, Search
from cqlsurge.limits.steps import Second

CASES = {case.name: case for case in cases()}
GOAL = parse_slo("p99 < 10ms")


@pytest.mark.parametrize("name", ["M/M/1 30K/s", "M/D/1 20K/s", "M/D/1 1K/s", "wall at 30K/s", "slow 20 s a minute"])
def test_the_limit_is_found_and_covered(name: str) -> None:
    case = CASES[name]
    for seed in range(3):
        found = by_search(case.make(seed))
        assert found.rate == pytest.approx(case.limit, rel=0.03), (seed, found)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= case.limit <= found.high, (seed, found)
        assert found.steps <= 12
        assert found.took_s <= 305


def test_the_limits_of_the_queues_agree_with_each_other() -> None:
    mm1 = limit_mm1(1 / 1000, 0.01, 0.01)
    assert over_mmc(mm1, 1, 1 / 1000, 0.01) == pytest.approx(0.01, rel=1e-6)
    assert over_md1(mm1, 1 / 1000, 0.01) < 0.01  # even service waits less


def steady(rate: float, *, over: float = 0.0, capacity: float = 1e9, waiting: int = 0) -> Second:
    ended = int(min(rate, capacity))
    return Second(1.0, int(rate), ended, waiting, (ended,), (int(ended * over),))


def drive(search: Search, system, bound_by: str = "server") -> Search:
    """Makes all steps; `system` gives a second for (rate, seconds of this step so far)."""
    while (step := search.next_step()) is not None:
        climb = [rate for rate in search.climb_rates for _ in range(2)]
        rates = climb if step.purpose == "climb" else [step.rate] * int(step.limit_s)
        for at, rate in enumerate(rates):
            if search.add(system(rate, at)):
                break
        search.end_step(step.elapsed_s + 1, bound_by)
    return search


def test_a_system_without_a_limit_is_said_to_have_none() -> None:
    answer = drive(Search(GOAL, Bounds(max_rate=20_000)), lambda rate, at: steady(rate)).answer()
    assert (answer.state, answer.rate, answer.high) == ("unlimited", 20_000, None)


def test_a_limit_that_is_the_clients_is_not_the_servers() -> None:
    def system(rate: float, at: int) -> Second:
        return steady(rate, over=1.0 if rate > 9_000 else 0.0)

    answer = drive(Search(GOAL, Bounds()), system, "client").answer()
    assert answer.bound_by == "client"
    assert answer.rate == pytest.approx(9_000, rel=0.03)


def test_errors_are_a_goal_of_their_own() -> None:
    goals = parse_slo("p99 < 10ms, errors < 0.1%")

    def system(rate: float, at: int) -> Second:
        count, failed = int(rate), int(rate * 0.004) if rate > 3_000 else 0
        return Second(1.0, count, count, 0, (count, count), (failed, failed))

    assert drive(Search(goals, Bounds()), system).answer().rate == pytest.approx(3_000, rel=0.03)


def test_what_holds_no_more_is_drift() -> None:
    seen = []

    def system(rate: float, at: int) -> Second:
        seen.append(rate)
        return steady(rate, over=1.0 if rate > (10_000 if len(seen) < 40 else 6_000) else 0.0)

    search = drive(Search(GOAL, Bounds()), system)
    assert search.drift
    assert search.answer().rate == pytest.approx(6_000, rel=0.06)


def test_a_system_that_stands_still_has_shown_no_capacity() -> None:
    def system(rate: float, at: int) -> Second:
        return Second(1.0, int(rate), 0, int(rate) * (at + 1), (0,), (0,))

    answer = drive(Search(GOAL, Bounds(max_steps=4)), system).answer()
    assert (answer.state, answer.rate) == ("none", None)


def test_nothing_is_known_before_a_step() -> None:
    assert Search(GOAL, Bounds()).answer().rate is None


def test_even_the_lowest_rate_may_break() -> None:
    answer = drive(Search(GOAL, Bounds(max_steps=5)), lambda rate, at: steady(rate, over=1.0)).answer()
    assert answer.state == "none"


@pytest.mark.parametrize(
    "text", ["p99", "p99 < 10", "p0 < 1ms", "p100 < 1ms", "mean < 3ms", "errors < 1%", "", "p99 < -1ms"]
)
def test_what_is_no_goal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="p99 < 10ms"):
        parse_slo(text)


def test_goals_of_kinds() -> None:
    goals = parse_slo("read p99.9 < 5ms, p50 <= 800us, errors < 1%")
    assert [(goal.kind, goal.limit_us) for goal in goals] == [("read", 5000.0), (None, 800.0), (None, None)]
    assert [goal.share for goal in goals] == [0.001, 0.5, 0.01]

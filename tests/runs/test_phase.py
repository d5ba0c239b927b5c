"""Phases over real load processes with the engine `fake`: ends, losses, hangs and requests to stop.

How: load processes start as the product starts them; no database is needed. Faults are real ones: exits, SIGKILL,
SIGSTOP.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cqlsurge.processes.local_group import LocalGroup
from cqlsurge.results.document import broken_laws
from cqlsurge.results.figures import Figures, figures_of
from cqlsurge.results.listener import Listener
from cqlsurge.runs import phase
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.phase import PhaseResult, PhaseRun
from cqlsurge.runs.watch import ServerWatch, Watch
from tests.processes.hosts import Heard, Ticks, make_ready, plan


@contextmanager
def group_of(count: int, options: list[dict[str, Any]] | None = None) -> Iterator[LocalGroup]:
    with LocalGroup(sys.executable, count) as group:
        make_ready(group, options or ())
        yield group


def figures(result: PhaseResult) -> Figures:
    return figures_of(result.counts, result.numbers())


def laws_hold(result: PhaseResult) -> dict[str, int]:
    operations = figures(result).operations
    assert broken_laws({"operations": operations}) == []
    return operations


def test_every_number_becomes_one_operation() -> None:
    with group_of(3) as group:
        result = PhaseRun(group, plan(20_001), Interrupts(), Listener()).run()
        counts = laws_hold(result)
        assert (counts["ok"], counts["issued"], counts["in_flight"]) == (20_001, 20_001, 0)
        assert sum(result.counts.histograms["write"]["service"]) == 20_001
        again = PhaseRun(group, plan(500), Interrupts(), Listener()).run()
        assert laws_hold(again)["ok"] == 500


def test_failures_are_told_by_class() -> None:
    with group_of(2, [{"fail_share": 0.25}] * 2) as group:
        result = PhaseRun(group, plan(8_000), Interrupts(), Listener()).run()
    counts = laws_hold(result)
    assert 1800 < counts["unknown"] < 2200
    assert result.counts.by_class("errors") == {"overloaded": counts["unknown"]}
    assert len(result.counts.unacknowledged()) == counts["unknown"]
    assert len(result.counts.examples()["overloaded"]) == 5


def test_a_process_that_dies_is_lost_and_the_others_finish() -> None:
    heard = Heard()
    with group_of(2, [{"exit_at": 3_000, "service_ns": 200_000}, {"service_ns": 200_000}]) as group:
        # Only the first block of each process is sure to be its own: number 3000 is in process 0's.
        result = PhaseRun(group, plan(20_000), Interrupts(), heard).run()
    assert len(result.lost) == 1
    assert "load process 0" in heard.warnings[0]
    assert "exited with 3" in heard.warnings[0]
    counts = laws_hold(result)
    # All numbers are accounted for: done, or handed to the lost process.
    assert counts["ok"] + counts["abandoned"] + counts["in_flight"] == 20_000
    assert 3_000 in figures(result).numbers.unacknowledged


def test_a_process_that_raises_says_why() -> None:
    heard = Heard()
    with group_of(2, [{"raise_at": 100}, {}]) as group:
        PhaseRun(group, plan(20_000), Interrupts(), heard).run()
    assert "told to raise at operation 100" in heard.warnings[0]


def test_a_killed_process_is_named() -> None:
    heard = Heard()
    with group_of(2, [{"service_ns": 1_000_000}] * 2) as group:
        killed = False

        def kill_once(phase: PhaseRun) -> None:
            nonlocal killed
            if not killed and phase.result.counts.timeline.rows:
                os.kill(group.processes[1].pid, signal.SIGKILL)
                killed = True

        result = PhaseRun(group, plan(None, duration_s=2.5), Interrupts(), heard, [Ticks(kill_once)]).run()
    assert "load process 1" in heard.warnings[0]
    assert "SIGKILL" in heard.warnings[0]
    assert laws_hold(result)["ok"] > 0
    assert result.counts.processes[1].total("ok") > 0, "what it reported before is kept"


def test_a_request_to_stop_ends_the_phase_within_two_seconds() -> None:
    interrupts = Interrupts()
    with group_of(2, [{"service_ns": 1_000_000}] * 2) as group:
        asked_s = 0.0

        def ask_once(phase: PhaseRun) -> None:
            nonlocal asked_s
            if not asked_s and phase.result.counts.timeline.rows:
                asked_s = time.monotonic()
                interrupts.request()
                interrupts.request()

        result = PhaseRun(group, plan(None), interrupts, Listener(), [Ticks(ask_once)]).run()
        assert time.monotonic() - asked_s < 2
    assert result.interrupted
    assert not result.lost
    laws_hold(result)


def test_a_frozen_process_is_noticed_and_does_not_hold_up_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phase, "SILENT_S", 1.5)
    interrupts, heard = Interrupts(), Heard()
    with group_of(2, [{"service_ns": 1_000_000}] * 2) as group:
        os.kill(group.processes[0].pid, signal.SIGSTOP)

        def stop_when_noticed(phase: PhaseRun) -> None:
            if heard.warnings and not interrupts.requested:
                interrupts.request()

        result = PhaseRun(group, plan(None), interrupts, heard, [Ticks(stop_when_noticed)]).run()
    assert "has said nothing for" in heard.warnings[0]
    assert "did not stop in time" in result.lost[0]
    assert laws_hold(result)["ok"] > 0


def test_a_process_that_stood_still_is_named() -> None:
    with group_of(1, [{"service_ns": 1_000_000}]) as group:
        begun_s = time.monotonic()

        def stop_for_a_while(phase: PhaseRun) -> None:
            late_s = time.monotonic() - begun_s
            os.kill(group.processes[0].pid, signal.SIGSTOP if 1.2 < late_s < 4.5 else signal.SIGCONT)

        result = PhaseRun(group, plan(None, duration_s=6.0), Interrupts(), Listener(), [Ticks(stop_for_a_while)]).run()
    (event,) = [event for event in result.events if "stood_still" in event]
    assert "stood still for 3" in event["event"] or "stood still for 4" in event["event"]
    assert 0.5 < event["t_s"] < 2.5


def test_warm_up_counts_in_operations_alone() -> None:
    with group_of(1, [{"service_ns": 1_000_000}]) as group:
        result = PhaseRun(group, plan(None, warmup_s=1.0, duration_s=1.0), Interrupts(), Listener()).run()
    measures = figures(result)
    assert measures.duration_s == pytest.approx(1.0, abs=0.4)
    stragglers = sum(measures.stragglers[name] for name in ("ok", "failed", "unknown"))
    assert sum(measures.histograms["write"]["service"]) == measures.measured_finished + stragglers
    assert measures.measured_finished < 0.8 * measures.operations["ok"]


def test_a_rate_is_held_and_divided() -> None:
    from cqlsurge.load.pacing.notation import parse
    from cqlsurge.load.pacing.schedule import pacing_json

    with group_of(2, [{"service_ns": 500_000}] * 2) as group:
        message = {"pacing": pacing_json(parse("2k")), "duration_s": 2.0, "concurrency": 1000}
        result = PhaseRun(group, plan(None, **message), Interrupts(), Listener()).run()
    counts = laws_hold(result)
    assert counts["due"] == pytest.approx(4000, abs=40)
    assert counts["ok"] + counts["backlog"] + counts["in_flight"] == counts["due"]


def test_each_measured_phase_is_watched_anew() -> None:
    def ask() -> dict[str, dict[str, float]]:
        return {"metrics": {"reactor_utilization": 0.5}}

    with group_of(1, [{"service_ns": 1_000_000}]) as group, ExitStack() as stack:
        watch = Watch(group, lambda: ServerWatch([ask]), stack)
        seen = []
        for _ in range(2):
            PhaseRun(group, plan(None, duration_s=1.6), Interrupts(), Listener(), [watch]).run()
            seen.append((watch.server.get("samples"), bool(watch.host)))
    assert seen == [(1, True), (1, True)]

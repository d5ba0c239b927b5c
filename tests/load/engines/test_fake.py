"""The fake engine keeps the contract of all engines, and its latencies are the ones asked for.

How: phases run in this process against a scripted channel; only lower bounds are set on time, since the machine may be
busy. Faults that end a process are tried in a process of their own.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from cqlsurge.load.engines.contract import EngineError
from cqlsurge.load.latency.histogram import count_of, maximum, minimum, percentile
from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import Pacer


def test_each_number_becomes_one_operation(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(), 5000, concurrency=100)
    recorder = ran.recorder
    assert (recorder.due, recorder.issued, recorder.finished, recorder.kinds[0].ok) == (5000,) * 4
    assert (ran.in_flight, ran.backlog, recorder.skipped) == (0, 0, 0)
    assert recorder.errors == {}


def test_latencies_are_exact(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(service_ns=1 << 20), 50, concurrency=50)
    service = ran.recorder.kinds[0].service
    assert count_of(service) == 50
    assert minimum(service) <= 1 << 20 <= maximum(service)
    assert maximum(service) < 1.002 * (1 << 20)


def test_lognormal_spread(make_fake, run_phase) -> None:
    service = run_phase(make_fake(service_ns=100_000, sigma=1.0), 4000, concurrency=1000).recorder.kinds[0].service
    assert 90_000 < percentile(service, 50) < 110_000
    # One standard deviation above: e times the median.
    assert 240_000 < percentile(service, 84.13) < 310_000


def test_concurrency_is_the_number_in_flight(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(service_ns=2_000_000), 40, concurrency=10)
    assert ran.duration_s >= 0.008


def test_failures_are_the_same_ones_each_time(make_fake, run_phase) -> None:
    first, second = (run_phase(make_fake(fail_share=0.25), 4000).recorder for _ in range(2))
    assert 800 < first.kinds[0].unknown < 1200
    assert first.kinds[0].failed == 0
    assert first.errors == first.attempt_errors == {"overloaded": first.kinds[0].unknown}
    assert first.unacknowledged.pairs() == second.unacknowledged.pairs()
    assert first.finished == 4000
    assert first.examples["overloaded"][0]["node"] == "fake"


def test_failed_reads_had_no_effect(make_fake, run_phase) -> None:
    read = run_phase(make_fake(fail_share=0.5), 100, mode="read").recorder.kinds[1]
    assert read.failed > 0
    assert read.unknown == 0
    assert read.rows == read.ok


def test_stop_in_the_middle_drains(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(service_ns=1_000_000), None, steps={3: [{"type": "stop", "drain_s": 5}]})
    assert ran.control.stopping
    assert ran.in_flight == 0
    assert ran.recorder.due == ran.recorder.issued > 10


def test_drain_has_an_end(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(service_ns=60 * 10**9), None, steps={2: [{"type": "stop", "drain_s": 0.01}]})
    assert (ran.recorder.finished, ran.in_flight) == (0, 10)


def test_parent_gone_ends_at_once(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(service_ns=60 * 10**9), None, steps={2: None})
    assert ran.control.stop_reason == "parent gone"


def test_duration_ends_the_phase(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(service_ns=100_000), None, duration_s=0.05)
    assert ran.control.stop_reason == "duration"
    assert ran.duration_s >= 0.05


def test_numbers_may_come_late(make_fake, run_phase) -> None:
    steps = {2: [{"type": "range", "start": 0, "count": 70}], 3: [{"type": "range_end"}]}
    ran = run_phase(make_fake(), 0, steps=steps, ended=False)
    assert ran.recorder.finished == ran.recorder.due == 70
    assert ran.needs >= 1


def test_pacer_is_obeyed(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(), 200, pacer=Pacer(parse("10k")))
    assert ran.recorder.due == ran.recorder.issued == 200
    assert ran.duration_s >= 199 / 10_000


def test_waiting_for_a_place_counts_from_the_due_time(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(service_ns=5_000_000), 20, concurrency=1, pacer=Pacer(parse("1M")))
    kind = ran.recorder.kinds[0]
    # The last of 20 operations in a row waits for 19 others, and all were due at once.
    assert maximum(kind.wait) >= 19 * 5_000_000 - 20_000
    assert maximum(kind.response) >= 20 * 5_000_000 - 20_000


def test_backlog_is_bounded_and_counted(make_fake, run_phase) -> None:
    ran = run_phase(
        make_fake(service_ns=10_000_000),
        None,
        concurrency=1,
        pacer=Pacer(parse("10k")),
        max_backlog=5,
        duration_s=0.2,
        drain_s=0.0,
    )
    recorder = ran.recorder
    assert recorder.due > 1000
    assert recorder.skipped > 900
    assert ran.backlog <= 5
    assert recorder.due == recorder.issued + recorder.skipped + ran.backlog


def test_pause_and_change_of_rate(make_fake, run_phase) -> None:
    steps = {1: [{"type": "rate", "factor": 0}], 6: [{"type": "rate", "factor": 100}]}
    ran = run_phase(make_fake(), 1000, pacer=Pacer(parse("100")), steps=steps)
    # Asked rate: 10 s; paused for five ticks of 20 ms, then a hundred times as fast: 0.2 s.
    assert 0.18 < ran.duration_s < 5
    assert ran.recorder.finished == 1000


def test_a_schedule_may_end(make_fake, run_phase) -> None:
    ran = run_phase(make_fake(), None, pacer=Pacer(parse("step:1k,0@50ms")))
    assert ran.recorder.finished == ran.recorder.due == 50
    assert not ran.control.stopping


def test_open_can_refuse(make_fake) -> None:
    with pytest.raises(EngineError, match="not today"):
        make_fake(refuse="not today")


def test_raising(make_fake, run_phase) -> None:
    with pytest.raises(RuntimeError, match="operation 7"):
        run_phase(make_fake(raise_at=7), 100)


def test_dying() -> None:
    code = "from cqlsurge.load.engines.fake import fault; fault('exit_at', 1)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 3


def test_a_process_does_not_count_the_memory_of_its_starter() -> None:
    """Linux's ru_maxrss would."""
    large = bytearray(b"x") * 300_000_000
    said = "from cqlsurge.load.engines.control import max_rss_mb; print(max_rss_mb())"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert 1 < float(done.stdout) < len(large) / 1e6 / 2

"""What a load process tells of a phase: a snapshot a second, in steps, and the end."""

from __future__ import annotations

from typing import Any

from conftest import workload

from cqlsurge.load.engines.control import TICK_NS, Control
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.source import Source
from cqlsurge.load.latency.hdr import decode
from cqlsurge.load.latency.histogram import LATENCIES, count_of
from tests.phases import Channel

SECOND_NS = 1_000_000_000


class Phase:
    """A phase without an engine: the test says what happened and when the control is polled."""

    def __init__(self, **options: Any) -> None:
        self.channel = Channel()
        self.recorder = Recorder(workload("mixed").kinds)
        self.control = Control(self.channel, self.recorder, Source(lambda: None), **options)

    def succeed(self, kind: int, count: int) -> None:
        for _ in range(count):
            self.recorder.issue()
            self.recorder.succeed(kind, 0, 1000, 50_000)

    def counted(self, at: int, kind: str) -> list[int]:
        """How many are in each histogram of a message."""
        return [count_of(decode(self.channel.sent[at]["kinds"][kind][latency])) for latency in LATENCIES]

    def poll(self, now_ns: int, times: int = 1) -> None:
        for step in range(times):
            self.control.poll(now_ns + step * TICK_NS)


def test_a_snapshot_goes_out_over_several_polls_and_tells_of_the_moment_it_was_taken() -> None:
    phase = Phase()
    write, read = (kind.name for kind in phase.recorder.kinds)
    phase.poll(0)
    phase.succeed(0, 3)
    phase.poll(SECOND_NS - TICK_NS, times=2)
    assert not phase.channel.sent, "one step does not hold all three histograms"
    phase.succeed(0, 4)
    phase.poll(SECOND_NS + TICK_NS, times=5)
    (sent,) = phase.channel.sent
    assert sent["t_ns"] == SECOND_NS
    assert sent["kinds"][write]["ok"] == sent["issued"] == 3
    assert phase.counted(0, write) == [3, 3, 3]
    assert phase.counted(0, read) == [0, 0, 0]

    phase.succeed(1, 2)
    phase.poll(2 * SECOND_NS - TICK_NS, times=10)
    assert phase.counted(1, write) == [4, 4, 4]
    assert phase.counted(1, read) == [2, 2, 2]
    phase.control.finish(3 * SECOND_NS)
    assert [message["type"] for message in phase.channel.sent] == ["snapshot", "snapshot", "end"]
    assert phase.counted(2, write) == phase.counted(2, read) == [0, 0, 0]


def test_the_warm_up_is_cut_off_when_it_ends_though_a_snapshot_is_still_on_its_way() -> None:
    phase = Phase(warmup_ns=SECOND_NS + TICK_NS)
    write = phase.recorder.kinds[0].name
    phase.poll(0)
    phase.succeed(0, 3)
    phase.poll(SECOND_NS - TICK_NS, times=2)
    assert not phase.channel.sent
    phase.succeed(0, 4)
    phase.poll(SECOND_NS + TICK_NS)
    phase.succeed(0, 5)
    phase.control.finish(2 * SECOND_NS)
    assert [message["measuring"] for message in phase.channel.sent] == [False, False, True]
    assert [phase.counted(at, write)[0] for at in range(3)] == [3, 4, 5]


def test_histograms_are_used_again_and_begin_empty() -> None:
    phase = Phase()
    phase.poll(0)
    seen = set()
    for second in range(1, 6):
        phase.succeed(0, second)
        phase.poll(second * SECOND_NS - TICK_NS, times=10)
        assert phase.counted(-1, phase.recorder.kinds[0].name) == [second] * 3
        seen.add(id(phase.recorder.kinds[0].service))
    assert len(seen) <= 4


def test_an_engine_that_polls_seldom_sends_all_at_once() -> None:
    phase = Phase()
    phase.poll(0)
    phase.succeed(0, 3)
    phase.poll(SECOND_NS)
    assert phase.counted(0, phase.recorder.kinds[0].name) == [3, 3, 3]


def test_the_window_closes_once_when_the_time_is_over() -> None:
    phase = Phase(duration_ns=SECOND_NS)
    phase.poll(0)
    phase.succeed(0, 3)
    phase.poll(SECOND_NS, times=5)
    phase.succeed(0, 1)
    phase.control.finish(2 * SECOND_NS)
    assert [(message["t_ns"], message["issuing"]) for message in phase.channel.sent] == [
        (SECOND_NS, False), (2 * SECOND_NS, False)
    ]  # fmt: skip
    assert phase.control.issue_until_ns == SECOND_NS


def test_numbers_that_ran_out_close_the_window_only_if_it_tells_a_rate() -> None:
    """No more ended than is in flight: that was one round, and the answers to come belong to it."""
    for ended, closed in ((3, True), (2, False)):
        phase = Phase()
        phase.poll(0)
        phase.succeed(0, ended)
        phase.recorder.issued += 2
        phase.control.ran_out()
        assert phase.control.next_ns == 0
        phase.poll(TICK_NS, times=5)
        assert [message["issuing"] for message in phase.channel.sent] == ([False] if closed else [])


def test_a_warm_up_that_takes_all_operations_leaves_nothing_to_measure() -> None:
    phase = Phase(warmup_ns=5 * SECOND_NS)
    phase.poll(0)
    phase.succeed(0, 9)
    phase.control.ran_out()
    phase.poll(TICK_NS, times=5)
    phase.control.finish(SECOND_NS)
    assert [(message["measuring"], message["issuing"]) for message in phase.channel.sent] == [(False, False)] * 2

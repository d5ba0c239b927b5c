"""A phase of load in this very process: an engine, a source with all its numbers, and a channel that a test scripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cqlsurge.load.engines.contract import Engine, Setup, Target, Work
from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.registry import load_engine
from cqlsurge.load.engines.source import Source
from cqlsurge.load.pacing.schedule import Pacer
from cqlsurge.load.workload.kv import KeyValue

TARGET = Target(contact_points=(("127.0.0.1", 9),), local_dc="datacenter1", keyspace="test", table="kv")


@dataclass
class Script:
    """A channel: `steps` maps a count of polls to the messages that arrive then; None is the parent's end."""

    steps: dict[int, list[dict[str, Any]] | None] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    polls: int = 0

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def receive(self) -> list[dict[str, Any]]:
        self.polls += 1
        messages = self.steps.get(self.polls, [])
        if messages is None:
            raise EOFError
        return messages


@dataclass
class Ran:
    """What a phase left behind."""

    recorder: Recorder
    control: Control
    channel: Script
    duration_s: float
    needs: int

    @property
    def in_flight(self) -> int:
        return self.recorder.issued - self.recorder.finished

    @property
    def backlog(self) -> int:
        return self.recorder.due - self.recorder.issued - self.recorder.skipped


def workload(mode: str = "write", keys: int = 1 << 20) -> KeyValue:
    return KeyValue(seed=1, keyspace="test", table="kv", mode=mode, keys=keys, blob_size=32)


@pytest.fixture
def make_fake() -> Callable[..., Engine]:
    """A fake engine, opened, with the options given."""

    def make(**options: Any) -> Engine:
        engine = load_engine("fake")(Setup(workload(), TARGET, options))
        engine.open()
        return engine

    return make


@pytest.fixture
def run_phase() -> Callable[..., Ran]:
    """Runs a phase of `count` numbers (None: without an end) and gives what it left behind."""

    def run(
        engine: Engine,
        count: int | None = 1000,
        *,
        concurrency: int = 10,
        steps: dict[int, list[dict[str, Any]] | None] | None = None,
        pacer: Pacer | None = None,
        mode: str = "write",
        max_backlog: int | None = None,
        duration_s: float | None = None,
        drain_s: float = 12.0,
        ended: bool = True,
    ) -> Ran:
        channel = Script(steps or {})
        needs: list[int] = []
        source = Source(lambda: needs.append(channel.polls))
        if count != 0:
            source.add(0, 1 << 40 if count is None else count)
        if ended:
            source.end()
        load = workload(mode)
        start_ns = time.monotonic_ns()
        recorder = Recorder(load.kinds, start_ns)
        duration_ns = None if duration_s is None else int(duration_s * 1e9)
        control = Control(
            channel, recorder, source, start_ns=start_ns, duration_ns=duration_ns, drain_ns=int(drain_s * 1e9)
        )
        work = Work(load, source, recorder, control, concurrency, start_ns, pacer=pacer, max_backlog=max_backlog)
        engine.run(work)
        return Ran(recorder, control, channel, (time.monotonic_ns() - start_ns) / 1e9, len(needs))

    return run

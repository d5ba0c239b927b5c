"""A phase of load in this very process: an engine, a source of numbers, and a channel that a test scripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.load.engines.contract import Engine, Work
from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.source import Source
from cqlsurge.load.workload.model import Workload

Messages = list[dict[str, Any]]


@dataclass
class Channel:
    """The parent's end: `says` gives the messages that arrive at each poll, None for the parent's end."""

    says: Callable[[int], Messages | None] = lambda polls: []
    sent: Messages = field(default_factory=list)
    polls: int = 0

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def receive(self) -> Messages:
        self.polls += 1
        messages = self.says(self.polls)
        if messages is None:
            raise EOFError
        return messages


@dataclass
class Ran:
    """What a phase left behind. needs: how often the engine asked for more numbers."""

    recorder: Recorder
    control: Control
    channel: Channel
    duration_s: float
    needs: int

    @property
    def in_flight(self) -> int:
        return self.recorder.issued - self.recorder.finished

    @property
    def backlog(self) -> int:
        return self.recorder.due - self.recorder.issued - self.recorder.skipped


def run_in_process(
    engine: Engine,
    load: Workload,
    count: int | None,
    concurrency: int,
    *,
    says: Callable[[int], Messages | None] = lambda polls: [],
    first: int = 0,
    ended: bool = True,
    duration_s: float | None = None,
    drain_s: float = 12.0,
    **more: Any,
) -> Ran:
    """Runs `count` numbers (None: without an end) from `first`; `more` are further fields of Work."""
    channel, needs = Channel(says), 0

    def need() -> None:
        nonlocal needs
        needs += 1

    source = Source(need)
    if count != 0:
        source.add(first, 1 << 40 if count is None else count)
    if ended:
        source.end()
    start_ns = time.monotonic_ns()
    recorder = Recorder(load.kinds, start_ns)
    control = Control(
        channel,
        recorder,
        source,
        start_ns=start_ns,
        duration_ns=None if duration_s is None else int(duration_s * 1e9),
        drain_ns=int(drain_s * 1e9),
    )
    engine.run(Work(load, source, recorder, control, concurrency, start_ns, **more))
    return Ran(recorder, control, channel, (time.monotonic_ns() - start_ns) / 1e9, needs)

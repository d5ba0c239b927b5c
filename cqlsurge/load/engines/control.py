"""The engine's side of the talk with the parent: stop, rate, topology, snapshots; polled once a tick, no threads.

The messages themselves are listed in cqlsurge.load.worker.messages.
"""

from __future__ import annotations

import resource
import sys
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

from cqlsurge.load.engines.garbage import garbage_s
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.source import Source

TICK_NS = 20_000_000
#: an engine that comes so seldom, such as one that waits for each answer, is not held up by a few milliseconds
SELDOM_NS = 5 * TICK_NS


class Channel(Protocol):
    """A two-way stream of JSON messages with the parent."""

    def send(self, message: dict[str, Any]) -> None:
        """Sends one message."""

    def receive(self) -> list[dict[str, Any]]:
        """The messages that have arrived, without waiting. Raises EOFError when the parent is gone."""


def cpu_s() -> float:
    """CPU time of this process so far: user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def max_rss_mb() -> float:
    """Largest resident set of this process so far.

    From /proc where there is one: Linux's ru_maxrss begins with that of the process that started this one.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024 / 1e6
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class Control:
    """One phase's control. `poll` must be called when `next_ns` has passed; it updates the fields below.

    stopping: issue nothing more. issue_until_ns: an operation that is due then or later is none. drain_until_ns: give
    up on what is in flight then. rate_factor: multiply the asked rate (0 is a pause); it has changed when `changes` has
    grown. topology: messages for the engine to take and clear.

    The first snapshot in which nothing more is issued (`issuing` is false) closes the measured window: throughput and
    all that is told per second end with it. What is in flight then is awaited, and its latencies count.
    """

    def __init__(
        self,
        channel: Channel,
        recorder: Recorder,
        source: Source,
        *,
        phase: str = "measure",
        start_ns: int = 0,
        warmup_ns: int = 0,
        duration_ns: int | None = None,
        drain_ns: int = 12_000_000_000,
        snapshot_ns: int = 1_000_000_000,
    ) -> None:
        self.stopping = False
        self.stop_reason = ""
        self.issue_until_ns = self.drain_until_ns = 1 << 62
        self.rate_factor = 1.0
        self.changes = 0
        self.topology: list[dict[str, Any]] = []
        self.next_ns = start_ns
        self._channel, self._recorder, self._source = channel, recorder, source
        self._phase = phase
        self._start_ns = start_ns
        self._measure_ns = start_ns + warmup_ns
        if duration_ns is not None:
            self.issue_until_ns = self._measure_ns + duration_ns
        self._drain_ns = drain_ns
        self._snapshot_every_ns = snapshot_ns
        self._snapshot_ns = start_ns + snapshot_ns
        self._began_ns: int | None = None
        self._polled_ns = start_ns
        self._measuring = self._ran_out = False
        self._issuing = True
        self._finished_before = 0  # operations that had ended when measuring began
        self._cpu_at_measure_s = 0.0
        self._spin_at_measure_ns = 0
        self._measuring_since_ns = start_ns
        self._garbage_before_s = garbage_s()
        self._open: deque[tuple[dict[str, Any], Iterator[None]]] = deque()

    def poll(self, now_ns: int) -> None:
        """Reads what the parent says, sends a snapshot when one is due, and moves the phase's clock on."""
        if self._began_ns is None:
            self._began_ns = now_ns
        polled_ns, self._polled_ns = self._polled_ns, now_ns
        if self._issuing and not self._measuring and now_ns >= self._measure_ns:
            self._begin_measure(now_ns)
        if now_ns >= self.issue_until_ns:
            self.stop(now_ns, "duration")
        elif self._ran_out and self._issuing:
            self._close_if_enough(now_ns)
        # The measured phase begins and ends on time, not at some tick after.
        turns = (self._measure_ns, self.issue_until_ns)
        self.next_ns = min([now_ns + TICK_NS, *(turn_ns for turn_ns in turns if turn_ns > now_ns)])
        try:
            messages = self._channel.receive()
        except EOFError:
            self.stop(now_ns, "parent gone", drain_ns=0)
            return
        for message in messages:
            self._obey(message, now_ns)
        if now_ns >= self._snapshot_ns:
            self._snapshot_ns += self._snapshot_every_ns * ((now_ns - self._snapshot_ns) // self._snapshot_every_ns + 1)
            self._snapshot(now_ns)
        elif self._open:
            self._send_on()
        if now_ns - polled_ns > SELDOM_NS:
            self._send_all()

    def stop(self, now_ns: int, reason: str, drain_ns: int | None = None) -> None:
        """Asks the engine to issue nothing more; a later stop can only shorten the drain."""
        self.stopping = True
        self.stop_reason = self.stop_reason or reason
        self._close(now_ns)
        self.drain_until_ns = min(self.drain_until_ns, now_ns + (self._drain_ns if drain_ns is None else drain_ns))

    def ran_out(self) -> None:
        """The engine has issued the last operation that there is; the next poll, which is due at once, takes note."""
        if not self._ran_out:
            self._ran_out = True
            self.next_ns = 0

    def _close_if_enough(self, now_ns: int) -> None:
        """Closes the measured window, unless it is of no more than one round of what is in flight: that is no rate."""
        finished = self._recorder.finished
        if not self._measuring or finished - self._finished_before > self._recorder.issued - finished:
            self._close(now_ns)

    def _close(self, now_ns: int) -> None:
        if self._issuing:
            self._issuing = False
            self._snapshot(now_ns)
            self._snapshot_ns = max(self._snapshot_ns, now_ns + self._snapshot_every_ns)

    def _snapshot(self, now_ns: int, message_type: str = "snapshot") -> None:
        """Takes the recorder's counts and the interval's histograms as they are now; sent by the next few polls."""
        self._recorder.gauges["gc_s"] = garbage_s() - self._garbage_before_s
        taken = self._recorder.take()
        used_s = cpu_s() - self._cpu_at_measure_s
        taken.update(
            type=message_type,
            phase=self._phase,
            reason=self.stop_reason,
            t_ns=now_ns,
            began_ns=self._began_ns,
            measuring=self._measuring,
            issuing=self._issuing,
            cpu_s=used_s,
            measured_spin_s=self._spin_s(now_ns, used_s),
            max_rss_mb=max_rss_mb(),
        )
        self._open.append((taken, self._recorder.encoding(taken)))

    def _send_on(self) -> None:
        """One step of sending what was taken first: all at once would hold up the load for milliseconds."""
        taken, steps = self._open[0]
        if next(steps, True):
            self._channel.send(taken)
            self._open.popleft()

    def _send_all(self) -> None:
        while self._open:
            self._send_on()

    def finish(self, now_ns: int) -> None:
        """Reports the end of the phase: the engine has returned and the recorder is final."""
        self._issuing = False
        self._snapshot(now_ns, "end")
        self._send_all()

    def _spin_s(self, now_ns: int, used_s: float) -> float:
        """CPU time spent spinning: the loop knows for how long it spun, and got only its share of a crowded core."""
        elapsed_s = (now_ns - self._measuring_since_ns) / 1e9
        share = min(1.0, used_s / elapsed_s) if elapsed_s > 0 else 1.0
        return (self._recorder.spin_ns - self._spin_at_measure_ns) / 1e9 * share

    def _begin_measure(self, now_ns: int) -> None:
        if now_ns > self._start_ns:
            # What came before belongs to the warm-up: it leaves the histograms and is counted in operations alone.
            self._snapshot(now_ns)
        self._measuring = True
        self._finished_before = self._recorder.finished
        self._measuring_since_ns = now_ns
        self._cpu_at_measure_s = cpu_s()
        self._spin_at_measure_ns = self._recorder.spin_ns

    def _obey(self, message: dict[str, Any], now_ns: int) -> None:
        kind = message["type"]
        if kind == "stop":
            self.stop(now_ns, "asked", int(message.get("drain_s", 1.0) * 1e9))
        elif kind == "range":
            self._source.add(message["start"], message["count"])
        elif kind == "range_end":
            self._source.end()
        elif kind == "rate":
            self.rate_factor = float(message["factor"])
            self.changes += 1
        elif kind == "topology":
            self.topology.append(message)

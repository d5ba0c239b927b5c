"""What an engine does next: numbers from the source, each at the time it is due.

For engines whose drivers cost tens of microseconds an operation; `wire` does the same in blocks of its own.
"""

from __future__ import annotations

import time
from collections import deque

from cqlsurge.load.engines.contract import Work
from cqlsurge.load.pacing.schedule import Pacer

NEVER_NS = 1 << 62
BLOCK = 256

# Sleeping less than this cannot be relied on: the wait is spun away instead.
SPIN_NS = 2_000_000


class DueNumbers:
    """Hands out (number, due time), and keeps the recorder's `due` and `skipped`.

    With a pacer, due times that have come wait in a queue, and those beyond `max_backlog` are skipped; a skipped time
    takes no number. A change of rate moves what is not due yet.
    """

    def __init__(self, work: Work) -> None:
        self.control = work.control
        self.recorder = work.recorder
        self._source = work.source
        self._schedule = None if work.pacer is None else Schedule(work.pacer, work.start_ns)
        self._max_backlog = NEVER_NS if work.max_backlog is None else work.max_backlog
        self._spin = work.spin
        self._waiting: deque[int] = deque()
        self._number = self._past = 0

    @property
    def ended(self) -> bool:
        """True when no operation will come any more."""
        if self.control.stopping or (self._number == self._past and self._source.finished):
            return True
        return self._schedule is not None and self._schedule.ended and not self._waiting

    def tick(self, now_ns: int) -> None:
        """Polls the control if it is time to, and moves the schedule to now; call it once a round."""
        control = self.control
        if now_ns >= control.next_ns:
            self._account(now_ns)
            control.poll(now_ns)
            if control.stopping:
                self._past = self._number
            if self._schedule is not None:
                self._schedule.scale(control.rate_factor, now_ns)

    def close(self, now_ns: int) -> None:
        """The phase is over: leaves the recorder's `due` final."""
        self._account(now_ns)

    def take(self, now_ns: int) -> tuple[int, int] | None:
        """The number of an operation that is due now, and when it became due; None if there is none yet."""
        if self._number == self._past and not self._refill():
            return None
        due_ns = now_ns
        if self._schedule is not None:
            if not self._waiting:
                self._advance(now_ns)
                if not self._waiting:
                    return None
            due_ns = self._waiting.popleft()
        number = self._number
        self._number = number + 1
        return number, due_ns

    def next_ns(self) -> int:
        """When to look again if `take` gave nothing: the next due time or the next control poll."""
        if self._schedule is None or self._number == self._past:
            return self.control.next_ns
        return min(self.control.next_ns, self._schedule.next_ns)

    def pause(self, until_ns: int) -> None:
        """Waits on this thread until then, a little less, or the next control poll if that comes first."""
        now_ns = time.monotonic_ns()
        control_ns = self.control.next_ns
        if not self._spin or until_ns >= control_ns:
            time.sleep(max(0, min(until_ns, control_ns) - now_ns) / 1e9)
        elif until_ns - now_ns > SPIN_NS:
            time.sleep((until_ns - now_ns - SPIN_NS) / 1e9)
        else:
            began_ns = now_ns
            while now_ns < until_ns:
                now_ns = time.monotonic_ns()
            self.recorder.spin_ns += now_ns - began_ns

    def _refill(self) -> bool:
        block = None if self.control.stopping else self._source.take()
        if block is None:
            return False
        self._number, self._past = block[0], block[0] + block[1]
        return True

    def _advance(self, now_ns: int) -> None:
        schedule, waiting = self._schedule, self._waiting
        assert schedule is not None
        while schedule.next_ns <= now_ns:
            due_ns = schedule.step()
            if len(waiting) < self._max_backlog:
                waiting.append(due_ns)
            else:
                self.recorder.skipped += 1

    def _account(self, now_ns: int) -> None:
        """Brings `due` up to date: what was issued, skipped or waits. Times for which no number is left never count."""
        recorder, waiting = self.recorder, self._waiting
        if self._number == self._past and self._source.finished:
            waiting.clear()
        elif self._schedule is not None and not self.control.stopping:
            self._advance(now_ns)
        recorder.due = recorder.issued + recorder.skipped + len(waiting)


class Schedule:
    """A pacer's times on the clock of this process, through changes of rate and pauses. `next_ns` is the next time."""

    def __init__(self, pacer: Pacer, start_ns: int) -> None:
        self._pacer, self._start_ns = pacer, start_ns
        self._times: list[int] = []
        self._at = self._given = 0
        self._factor = self._pacer_factor = 1.0
        self._paused_ns = 0
        self.ended = False
        self._aim()

    def step(self) -> int:
        """The time of the next operation; the one after it comes next."""
        due_ns = self.next_ns
        self._at += 1
        self._given += 1
        self._aim()
        return due_ns

    def scale(self, factor: float, now_ns: int) -> None:
        """From now on the schedule goes `factor` times as fast as first asked; 0 is a pause. All till now is given."""
        if factor == self._factor or self.ended:
            return
        elapsed_ns = now_ns - self._start_ns
        if not self._factor:
            self._pacer.delay_ns += elapsed_ns - self._paused_ns
        self._factor = factor
        if factor:
            self._pacer = self._pacer.rescaled(elapsed_ns, factor / self._pacer_factor, self._given)
            self._pacer_factor = factor
            self._times, self._at = [], 0
            self._aim()
        else:
            self._paused_ns, self.next_ns = elapsed_ns, NEVER_NS

    def _aim(self) -> None:
        if self._at == len(self._times):
            self._times, self._at = self._pacer.fill(self._given, BLOCK), 0
        self.ended = not self._times
        self.next_ns = NEVER_NS if self.ended else self._start_ns + self._times[self._at]

"""What an engine does next: numbers from the source, each at the time it is due.

For engines whose drivers cost tens of microseconds an operation; `wire` does the same in blocks of its own.
"""

from __future__ import annotations

import time

from cqlsurge.load.engines.contract import Work
from cqlsurge.load.engines.schedule import Schedule

NEVER_NS = 1 << 62

# Sleeping less than this cannot be relied on: the wait is spun away instead.
SPIN_NS = 2_000_000


class DueNumbers:
    """Hands out (number, due time), and keeps the recorder's `due` and `skipped`.

    With a pacer, due times beyond `max_backlog` are skipped; a skipped time takes no number. A change of rate moves
    what is not due yet.
    """

    def __init__(self, work: Work) -> None:
        self.control = work.control
        self.recorder = work.recorder
        self._source = work.source
        self._schedule = None if work.pacer is None else Schedule(work.pacer, work.start_ns, work.max_backlog)
        self._spin = work.spin
        #: see Line
        self.dues: list[int] = []
        self.at = self.skipped = 0
        self._left = 0
        self._number = self._past = 0

    @property
    def ended(self) -> bool:
        """True when no operation will come any more."""
        if self.control.stopping or (self._number == self._past and self._source.finished):
            return True
        return self._schedule is not None and self._schedule.ended and self.at == len(self.dues)

    def tick(self, now_ns: int) -> None:
        """Polls the control if it is time to, and moves the schedule to now; call it once a round."""
        control = self.control
        if now_ns >= control.next_ns:
            self._account(now_ns)
            control.poll(now_ns)
            if control.stopping:
                self._past = self._number
            if self._schedule is not None:
                self._schedule.scale(self, control.rate_factor, now_ns)
        if not control.stopping and self.ended:
            control.ran_out()

    def close(self, now_ns: int) -> None:
        """The phase is over: leaves the recorder's `due` final."""
        self._account(now_ns)

    def take(self, now_ns: int) -> tuple[int, int] | None:
        """The number of an operation that is due now, and when it became due; None if there is none yet."""
        if self._number == self._past and not self._refill():
            return None
        due_ns = now_ns
        if self._schedule is not None:
            self._schedule.advance(self, now_ns)
            if self.at == len(self.dues) or self.dues[self.at] > now_ns:
                return None
            due_ns = self.dues[self.at]
            self.at += 1
        number = self._number
        self._number = number + 1
        return number, due_ns

    def next_ns(self) -> int:
        """When to look again if `take` gave nothing: the next due time or the next control poll."""
        if self._schedule is None or self._number == self._past:
            return self.control.next_ns
        if self.at == len(self.dues):
            return self.control.next_ns if self._schedule.idle else 0
        return min(self.control.next_ns, self.dues[self.at])

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

    def _account(self, now_ns: int) -> None:
        """Brings `due` up to date: what was issued, skipped or waits.

        Times for which no number is left never count, nor do those at the end of the phase or later.
        """
        if self._number == self._past and self._source.finished:
            self._left = 0
        elif self._schedule is not None and not self.control.stopping:
            due_by_ns = min(now_ns, self.control.issue_until_ns - 1)
            self._schedule.advance(self, due_by_ns)
            self._left = self._schedule.waiting(self, due_by_ns)
        recorder = self.recorder
        recorder.skipped = self.skipped
        recorder.due = recorder.issued + recorder.skipped + self._left

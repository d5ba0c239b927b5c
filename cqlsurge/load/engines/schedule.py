"""A pacer's due times on the clock of this process, through changes of the rate and pauses.

Due times are a function of the schedule, so a line of operations that wait need not be listed: `dues` holds the next
few thousand, and what is due beyond them is counted. With a limit on what may wait the list goes as far as the limit;
what comes when so many wait is skipped.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cqlsurge.load.pacing.schedule import Pacer

BLOCK = 4096
FEW = 512
#: as many are listed behind what is skipped: at a rate far too high all but the first of them will be skipped again
NEXT = 64
NEVER = 1 << 62


class Line(Protocol):
    """Who issues: `dues` holds due times in order, those from position `at` on are still to be issued."""

    dues: list[int]
    at: int
    skipped: int


class Schedule:
    """Feeds a line from a pacer. `ended`: all that there will ever be has been listed."""

    def __init__(self, pacer: Pacer, start_ns: int, max_backlog: int | None) -> None:
        #: (pacer, the operation at which the next pacer goes on) in order of time; at the first one the list is made
        self._pieces = deque([(pacer, NEVER)])
        self.start_ns = start_ns
        self.max_backlog = NEVER if max_backlog is None else max_backlog
        self.factor = 1.0
        self.ended = False
        self._few = min(FEW, self.max_backlog + 1)
        self._reach = -1 if max_backlog is None else max_backlog
        self._paused_ns = 0
        self._ahead: Pacer | None = None
        self._counted: list[int] = []

    @property
    def idle(self) -> bool:
        """Whether there is nothing to list at present: the schedule has ended, or is paused."""
        return self.ended or (bool(self._paused_ns) and len(self._pieces) == 1)

    def advance(self, line: Line, now: int) -> None:
        """Lists due times up to now at least, as far as they are wanted, and skips what goes beyond the backlog."""
        dues = line.dues
        while (
            len(dues) - line.at < self._few or (len(dues) - line.at <= self._reach and dues[-1] <= now)
        ) and not self.idle:
            self._list(line)
        first = line.at + self.max_backlog
        while first < len(dues) and dues[first] <= now:  # a search each time would allocate kilobytes on PyPy
            past = bisect_right(dues, now, first)
            del dues[first:past]
            line.skipped += past - first
            if first < len(dues) or self.idle:
                break
            line.skipped += self._jump(now)
            if not self.idle:
                self._list(line, NEXT)
                first = line.at + self.max_backlog

    def waiting(self, line: Line, now: int) -> int:
        """How many operations are due by now and not issued, listed or not."""
        listed = bisect_right(line.dues, now, line.at) - line.at
        return listed + (self._unlisted(now) if line.at + listed == len(line.dues) else 0)

    def scale(self, line: Line, factor: float, now: int) -> None:
        """From now on the rate is `factor` times the asked one; 0 is a pause."""
        if factor == (0 if self._paused_ns else self.factor):
            return
        offset = now - self.start_ns
        kept = bisect_right(line.dues, now, line.at)
        pacer, _ = self._pieces.pop()
        next_k = pacer.next_k - (len(line.dues) - kept)
        if kept == len(line.dues):
            next_k += self._unlisted_of(pacer, now)
        del line.dues[kept:]
        if pacer.next_k < next_k:
            self._pieces.append((pacer, next_k))
        self.ended = False
        self._ahead = None
        if self._paused_ns:
            pacer.delay_ns += now - self._paused_ns
            self._paused_ns = 0
        if factor:
            self._pieces.append((pacer.rescaled(offset, factor / self.factor, next_k), NEVER))
            self.factor = factor
        else:
            # The factor before the pause stays in the pacer: it is what the next one is relative to.
            self._pieces.append((pacer.rescaled(offset, 1.0, next_k), NEVER))
            self._paused_ns = now

    def _list(self, line: Line, most: int = BLOCK) -> None:
        if 2 * line.at >= len(line.dues):
            # What is behind the cursor goes now and then, not at each operation.
            del line.dues[: line.at]
            line.at = 0
        pacer, past = self._pieces[0]
        count = min(most, past - pacer.next_k)
        offsets = pacer.fill(pacer.next_k, count)
        start = self.start_ns
        line.dues += [start + offset for offset in offsets]
        if len(self._pieces) == 1:
            self.ended = len(offsets) < count
        elif len(offsets) < count or pacer.next_k == past:
            self._pieces.popleft()

    def _jump(self, now: int) -> int:
        """Leaves out what is due by now and not listed, where that can be had without listing it; how many."""
        left_out = 0
        while True:
            pacer, past = self._pieces[0]
            if pacer.arrivals != "constant":
                return left_out
            count = self._unlisted_of(pacer, now) if past == NEVER else past - pacer.next_k
            pacer.next_k += count
            left_out += count
            if past == NEVER:
                return left_out
            self._pieces.popleft()

    def _unlisted(self, now: int) -> int:
        count = sum(past - pacer.next_k for pacer, past in self._pieces if past != NEVER)
        return count + self._unlisted_of(self._pieces[-1][0], now)

    def _unlisted_of(self, pacer: Pacer, now: int) -> int:
        """How many operations of the last pacer are due by now and not listed."""
        if self._paused_ns or self.ended:
            return 0
        offset = now - self.start_ns
        if pacer.arrivals == "constant":
            return max(0, pacer.count_until(offset) - pacer.next_k)
        # Random gaps must be drawn to be counted: by a second pacer that goes ahead, each of them once.
        if self._ahead is None or self._ahead.next_k < pacer.next_k:
            self._ahead, self._counted = copy.copy(pacer), []
        ahead = self._ahead
        while not self._counted or self._counted[-1] <= offset:
            self._counted = ahead.fill(ahead.next_k, BLOCK)
            if len(self._counted) < BLOCK:
                break
        past = ahead.next_k - len(self._counted) + bisect_right(self._counted, offset)
        return max(0, past - pacer.next_k)

"""The due times of a load with a rate, listed ahead; what waits too long in line is skipped."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.pacing.schedule import Pacer

BLOCK = 4096
FEW = 512
NEVER = 1 << 62


class Schedule:
    """Feeds `load.dues` from a pacer, and obeys changes of the rate."""

    def __init__(self, pacer: Pacer, start_ns: int, max_backlog: int | None) -> None:
        self.pacer, self.start_ns = pacer, start_ns
        self.max_backlog = NEVER if max_backlog is None else max_backlog
        self.factor = 1.0
        self._paused_ns = 0
        self.ended = False

    def advance(self, load: Load, now: int) -> None:
        """Lists due times beyond now, and skips what goes beyond the backlog."""
        dues = load.dues
        while not self.ended and not self._paused_ns and (len(dues) - load.at < FEW or dues[-1] <= now):
            self._list(load)
        first = load.at + self.max_backlog
        if first < len(dues) and dues[first] <= now:  # a search each time would allocate kilobytes on PyPy
            past = bisect_right(dues, now, first)
            del dues[first:past]
            load.skipped += past - first

    def _list(self, load: Load) -> None:
        # What is behind the cursor goes now and then, not at each operation.
        del load.dues[: load.at]
        load.at = 0
        offsets = self.pacer.fill(self.pacer.next_k, BLOCK)
        start = self.start_ns
        load.dues += [start + offset for offset in offsets]
        self.ended = len(offsets) < BLOCK

    def scale(self, load: Load, factor: float, now: int) -> None:
        """From now on the rate is `factor` times the asked one; 0 is a pause."""
        if factor == (0 if self._paused_ns else self.factor):
            return
        offset = now - self.start_ns
        kept = bisect_right(load.dues, now, load.at)
        next_k = self.pacer.next_k - (len(load.dues) - kept)
        del load.dues[kept:]
        self.ended = False
        if self._paused_ns:
            self.pacer.delay_ns += now - self._paused_ns
            self._paused_ns = 0
        if factor == 0:
            self.pacer = self.pacer.rescaled(offset, 1.0, next_k)
            self._paused_ns = now
            # The factor before the pause stays in the pacer: it is what the next one is relative to.
            return
        self.pacer = self.pacer.rescaled(offset, factor / self.factor, next_k)
        self.factor = factor

"""Hands operation numbers out in blocks, and knows afterwards who had which.

Blocks shrink as the work does: large ones first, so that few messages are needed, small ones last, so that all load
processes end together.
"""

from __future__ import annotations

LARGEST = 1 << 20
SMALLEST = 64
#: a block is at most this part of what an even division of the rest would give
PART = 2


class Dealer:
    """Operation numbers from 0 to `total` (None: without end) for `workers` load processes.

    Law, kept at any time: numbers handed out = [0, next), each to exactly one worker.
    """

    def __init__(self, total: int | None, workers: int) -> None:
        self._total = total
        self._workers = workers
        self.next = 0
        self.given: list[list[tuple[int, int]]] = [[] for _ in range(workers)]

    @property
    def exhausted(self) -> bool:
        """Whether all numbers have been handed out."""
        return self._total is not None and self.next >= self._total

    @property
    def left(self) -> int:
        """How many numbers have not been handed out; 0 where there is no end to them."""
        return 0 if self._total is None else self._total - self.next

    def deal(self, worker: int) -> tuple[int, int] | None:
        """The next block (start, count) for a worker, or None when there is none left."""
        if self.exhausted:
            return None
        count = LARGEST
        if self._total is not None:
            rest = self._total - self.next
            smallest = max(SMALLEST, self._total // (self._workers * 256))
            count = min(rest, LARGEST, max(smallest, rest // (self._workers * PART)))
        block = (self.next, count)
        self.next += count
        self.given[worker].append(block)
        return block

    def handed(self, worker: int) -> int:
        """How many numbers a worker was given."""
        return sum(count for _, count in self.given[worker])

    def ranges_from(self, worker: int, position: int) -> list[tuple[int, int]]:
        """The numbers of a worker from a position in its order of issue on, as ranges [first, past)."""
        ranges = []
        for start, count in self.given[worker]:
            if position < count:
                ranges.append((start + max(0, position), start + count))
            position -= count
        return ranges

"""Hands operation numbers out in blocks, and knows afterwards who had which.

Blocks shrink as the work does: large ones first, so that few messages are needed, small ones last, so that all load
processes end together.
"""

from __future__ import annotations

from collections.abc import Iterable

LARGEST = 1 << 20
SMALLEST = 64
#: a block is at most this part of what an even division of the rest would give
PART = 2


class Dealer:
    """Operation numbers up to `total` (None: without end) for `workers` load processes: those of `again`, rising, then
    all from `first` on. `largest`: numbers that a block has at most.

    Law, kept at any time: numbers handed out = again and [first, next), each to exactly one worker.
    """

    def __init__(
        self,
        total: int | None,
        workers: int,
        *,
        first: int = 0,
        again: Iterable[tuple[int, int]] = (),
        largest: int = LARGEST,
    ) -> None:
        self._total = total
        self._workers = workers
        self._largest = min(LARGEST, max(SMALLEST, largest))
        self._again = list(again)[::-1]
        self.next = first
        self.given: list[list[tuple[int, int]]] = [[] for _ in range(workers)]

    @property
    def exhausted(self) -> bool:
        """Whether all numbers have been handed out."""
        return not self._again and self._total is not None and self.next >= self._total

    @property
    def left(self) -> int:
        """How many numbers have not been handed out; 0 where there is no end to them."""
        rest = 0 if self._total is None else self._total - self.next
        return rest + sum(past - first for first, past in self._again)

    @property
    def waiting(self) -> list[tuple[int, int]]:
        """The numbers below `next` that have not been handed out, as ranges [first, past)."""
        return self._again[::-1]

    @property
    def soon(self) -> tuple[int, int]:
        """The numbers that may be handed out next, two blocks to each worker, as a range [first, past)."""
        past = self.next + 2 * self._workers * self._largest
        return self.next, past if self._total is None else min(past, self._total)

    def deal(self, worker: int) -> tuple[int, int] | None:
        """The next block (start, count) for a worker, or None when there is none left."""
        if self.exhausted:
            return None
        if self._again:
            return self._deal_again(worker)
        count = self._largest
        if self._total is not None:
            rest = self._total - self.next
            smallest = max(SMALLEST, self._total // (self._workers * 256))
            count = min(rest, self._largest, max(smallest, rest // (self._workers * PART)))
        block = (self.next, count)
        self.next += count
        self.given[worker].append(block)
        return block

    def _deal_again(self, worker: int) -> tuple[int, int]:
        first, past = self._again.pop()
        count = min(past - first, self._largest)
        if first + count < past:
            self._again.append((first + count, past))
        self.given[worker].append((first, count))
        return first, count

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

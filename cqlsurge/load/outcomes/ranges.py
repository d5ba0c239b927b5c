"""A bounded set of operation numbers, kept as ranges: which writes may or may not exist."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

LIMIT = 10_000


class Ranges:
    """Sorted, disjoint half-open ranges [first, past). Beyond `limit` ranges the closest are joined over their gap.

    Joining makes the set larger, never smaller: `overflow` says that it happened and some members were acknowledged.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = (), limit: int = LIMIT) -> None:
        self._first: list[int] = []
        self._past: list[int] = []
        self._limit = limit
        self.overflow = False
        for first, past in ranges:
            self.add(first, past)

    def add(self, first: int, past: int) -> None:
        """Adds all numbers from `first` up to but not including `past`."""
        if past <= first:
            return
        low = bisect_right(self._past, first - 1)
        high = bisect_right(self._first, past)
        if low < high:
            first = min(first, self._first[low])
            past = max(past, self._past[high - 1])
        self._first[low:high] = [first]
        self._past[low:high] = [past]
        if len(self._first) > self._limit:
            self._join_closest()

    def _join_closest(self) -> None:
        self.overflow = True
        gaps = sorted(range(1, len(self._first)), key=lambda i: self._first[i] - self._past[i - 1])
        for index in sorted(gaps[: max(1, self._limit // 10)], reverse=True):
            self._past[index - 1] = self._past[index]
            del self._first[index], self._past[index]

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._first, number) - 1
        return index >= 0 and number < self._past[index]

    def __len__(self) -> int:
        return sum(past - first for first, past in self.pairs())

    def pairs(self) -> list[tuple[int, int]]:
        """The ranges as (first, past) pairs in order."""
        return list(zip(self._first, self._past))

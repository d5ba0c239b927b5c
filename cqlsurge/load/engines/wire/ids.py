"""The stream ids that are free, the longest unused first: an answer that comes twice finds its id free, and is seen.

On CPython a deque is best. On PyPy a deque makes an object of each integer that goes through it; a ring in a list does
not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Union

from cqlsurge.load.workload.mixing import INTOP


class IdRing:
    """A queue of ids in a list of a power of two; as much of deque's interface as is used."""

    def __init__(self) -> None:
        self._ring = [0]
        self._mask = 0
        self._head = self._tail = 0

    def __len__(self) -> int:
        return self._tail - self._head

    def __bool__(self) -> bool:
        return self._tail != self._head

    def popleft(self) -> int:
        """The longest unused id; the caller knows that there is one."""
        head = self._head
        self._head = head + 1
        return self._ring[head & self._mask]

    def append(self, sid: int) -> None:
        """Gives an id back; there is room for all ids that were ever added by `extend`."""
        tail = self._tail
        self._tail = tail + 1
        self._ring[tail & self._mask] = sid

    def extend(self, more: Iterable[int]) -> None:
        """Adds ids that are new."""
        new = list(more)
        have = [self.popleft() for _ in range(len(self))]
        room = 1 << (len(self._ring) + len(new) - 1).bit_length()
        ids = have + new
        self._ring = ids + [0] * (room - len(ids))
        self._mask = room - 1
        self._head, self._tail = 0, len(ids)


FreeIds = Union["deque[int]", IdRing]


def free_ids() -> FreeIds:
    """An empty queue of this interpreter's kind."""
    return IdRing() if INTOP else deque()

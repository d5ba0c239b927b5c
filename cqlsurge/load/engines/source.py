"""Where a load process takes its operation numbers from: blocks handed out by the parent, in order."""

from __future__ import annotations

from collections import deque
from typing import Callable

LOW_BLOCKS = 2


class Source:
    """A queue of blocks (start, count). `finished` is true when nothing is left and nothing more will come.

    `need` is called whenever fewer than two blocks are left and more may come, so that one is always in reserve.
    """

    def __init__(self, need: Callable[[], None] = lambda: None) -> None:
        self._blocks: deque[tuple[int, int]] = deque()
        self._closed = False
        self._asked = False
        self._need = need

    @property
    def finished(self) -> bool:
        """True when the last block has been taken and no more will come."""
        return self._closed and not self._blocks

    def add(self, start: int, count: int) -> None:
        """A block from the parent."""
        self._asked = False
        self._blocks.append((start, count))

    def end(self) -> None:
        """No more blocks will come."""
        self._closed = True

    def take(self) -> tuple[int, int] | None:
        """The next block, or None: look at `finished`, and if it is false ask again after the next control poll."""
        block = self._blocks.popleft() if self._blocks else None
        if len(self._blocks) < LOW_BLOCKS and not self._closed and not self._asked:
            self._asked = True
            self._need()
        return block

"""Long work in short pieces: a generator that yields now and then, and gives its result when it is through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

Result = TypeVar("Result")


def run_through(steps: Generator[None, None, Result]) -> Result:
    """All of it at once."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: Result = done.value
            return result


class Piecework:
    """Work that goes on for a while at each call of `go_on`."""

    def __init__(self, steps: Generator[None, None, Any]) -> None:
        self._steps = steps
        self.result: Any = None

    def go_on(self, budget_ns: int) -> bool:
        """Works for that long, and a piece more; True once `result` is there."""
        until_ns = time.monotonic_ns() + budget_ns
        while time.monotonic_ns() < until_ns:
            try:
                next(self._steps)
            except StopIteration as done:
                self.result = done.value
                return True
        return False

"""A node as a queue of known capacity: operations are served in their order, by so many servers, each for its time.

What a search for a limit is tried on: for M/M/1, M/D/1 and M/M/c the share of responses beyond a time is known.
"""

from __future__ import annotations

from collections import deque
from heapq import heapreplace
from typing import TYPE_CHECKING

from cqlsurge.errors import UsageError
from cqlsurge.simulator.inject.specs import Spec, duration_ns, integer, number, parse_spec
from cqlsurge.units import parse_count

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

FORM = (
    "exp:mean=40us,servers=1, fixed:mean=40us, each with slow=2,for=20s,every=60s, or "
    "wall:rate=30k,below=2ms,above=20ms"
)
OPTIONS = {"node", "mean", "servers", "slow", "for", "every", "rate", "below", "above"}
#: the rate of a wall is that of the last second, by tenths of one
TENTH_NS = 100_000_000


class ServiceQueue:
    """Gives each operation the time at which its service ends. Times: ns since the simulator's start, never falling."""

    def __init__(self, spec: Spec, draw: random.Random) -> None:
        mean_ns = _time(spec, "mean")
        servers = integer(spec, "servers") or 1
        self._free = [0] * servers
        self._mean_ns, self._draw = mean_ns, draw
        self._fixed = spec.kind == "fixed"
        self._slow = number(spec, "slow", 1.0)
        self._every_ns = duration_ns(spec.options["every"]) if "every" in spec.options else 0
        self._for_ns = duration_ns(spec.options.get("for", "0s"))
        if self._for_ns > self._every_ns:
            raise UsageError(f"{spec.text!r}: it cannot be slow for longer than `every`")

    def leave_ns(self, now_ns: int) -> int:
        """When an operation that comes now has been served."""
        service = self._mean_ns if self._fixed else self._draw.expovariate(1.0) * self._mean_ns
        if self._every_ns and now_ns % self._every_ns < self._for_ns:
            service *= self._slow
        free = self._free
        end_ns = int(max(now_ns, free[0]) + service)
        heapreplace(free, end_ns)
        return end_ns


class Wall:
    """No queue: quick while no more than `rate` come in a second, slow above."""

    def __init__(self, spec: Spec) -> None:
        try:
            self._rate = parse_count(spec.options.get("rate", ""))
        except ValueError as error:
            raise UsageError(f"{spec.text!r}: rate: {error}") from None
        self._below_ns, self._above_ns = _time(spec, "below"), _time(spec, "above")
        self._counts: deque[int] = deque([0] * 11, maxlen=11)
        self._tenth = 0

    def leave_ns(self, now_ns: int) -> int:
        """When an operation that comes now has been served."""
        tenth = now_ns // TENTH_NS
        for _ in range(min(11, tenth - self._tenth)):
            self._counts.append(0)
        self._tenth = tenth
        self._counts[-1] += 1
        second = sum(self._counts) - self._counts[-1]
        return now_ns + (self._below_ns if second <= self._rate else self._above_ns)


def parse_queue(text: str, draw: random.Random) -> tuple[int | None, Callable[[int], int]]:
    """The node that a spec is for, None for each, and a function of the time at which an operation comes."""
    spec = parse_spec(text, OPTIONS)
    if spec.kind in {"exp", "fixed"}:
        return integer(spec, "node"), ServiceQueue(spec, draw).leave_ns
    if spec.kind == "wall":
        return integer(spec, "node"), Wall(spec).leave_ns
    raise UsageError(f"{text!r}: a queue is {FORM}")


def _time(spec: Spec, name: str) -> int:
    found = duration_ns(spec.options[name]) if name in spec.options else 0
    if not found:
        raise UsageError(f"{spec.text!r}: {name} is missing; a queue is {FORM}")
    return found

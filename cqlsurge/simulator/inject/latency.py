"""How long an answer is held back: queues, a distribution for each node, and stalls that hold all answers of a node.

Nodes are numbered from 1, as their addresses end; a spec without `node` is for all of them.
"""

from __future__ import annotations

import bisect
import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cqlsurge.errors import UsageError
from cqlsurge.simulator.inject.queueing import parse_queue
from cqlsurge.simulator.inject.specs import Spec, duration_ns, integer, number, parse_spec

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    Draw = Callable[[], int]


class Stall(NamedTuple):
    """All answers of a node are held for `length_ns`, every `every_ns` from `first_ns` on (0: once)."""

    node: int | None
    length_ns: int
    every_ns: int
    first_ns: int

    def end_ns(self, at_ns: int) -> int:
        """When the stall that holds an answer at this time ends; the time itself when there is none."""
        since = at_ns - self.first_ns
        if since < 0:
            return at_ns
        into = since % self.every_ns if self.every_ns else since
        return at_ns + self.length_ns - into if into < self.length_ns else at_ns


class Delays:
    """The delay of each answer. Times are nanoseconds since the simulator's start."""

    def __init__(self, draw: random.Random, latency: Sequence[str] = (), stalls: Sequence[str] = ()) -> None:
        self._random = draw
        self.set_latency(latency)
        self.set_stalls(stalls)
        self.set_queues(())

    def set_queues(self, specs: Sequence[str]) -> None:
        """Replace all queues (queueing.py); one without `node` is made anew for each node."""
        self._queue_specs = {parse_queue(text, self._random)[0]: text for text in specs}
        self._queues: dict[int, Callable[[int], int]] = {}

    def _queue(self, node: int) -> Callable[[int], int] | None:
        found = self._queues.get(node)
        text = self._queue_specs.get(node) or self._queue_specs.get(None)
        if found is None and text is not None:
            found = self._queues[node] = parse_queue(text, self._random)[1]
        return found

    def set_latency(self, specs: Sequence[str]) -> None:
        """Replace all distributions: fixed:2ms, lognormal:median=1ms,sigma=0.5 or histogram:FILE, each with node=N."""
        made: dict[int | None, Draw] = {}
        for text in specs:
            spec = parse_spec(text, {"node", "median", "sigma"})
            made[integer(spec, "node")] = _distribution(spec, self._random)
        self._draws = made
        self.latency_specs = list(specs)

    def set_stalls(self, specs: Sequence[str], now_ns: int = 0) -> None:
        """Replace all stalls: `500ms:every=10s,from=3s,node=2`; `from` counts from now."""
        made = []
        for text in specs:
            spec = parse_spec(text, {"node", "every", "from"})
            every = duration_ns(spec.options["every"]) if "every" in spec.options else 0
            first = now_ns + duration_ns(spec.options.get("from", "0s"))
            stall = Stall(integer(spec, "node"), duration_ns(spec.kind), every, first)
            if every and every <= stall.length_ns:
                raise UsageError(f"{text!r}: a stall must be shorter than the time between two")
            made.append(stall)
        self._stalls = made
        self.stall_specs = list(specs)

    @property
    def active(self) -> bool:
        return bool(self._draws or self._stalls or self._queue_specs)

    def send_at_ns(self, node: int, now_ns: int) -> int:
        """When an answer of a node that is ready now may go out."""
        draw = self._draws.get(node) or self._draws.get(None)
        at = now_ns
        if self._queue_specs and (queue := self._queue(node)) is not None:
            at = queue(now_ns)
        if draw:
            at += draw()
        for stall in self._stalls:
            if stall.node in (None, node):
                at = stall.end_ns(at)
        return at


def _distribution(spec: Spec, draw: random.Random) -> Draw:
    if spec.kind == "fixed":
        fixed = duration_ns(spec.value)
        return lambda: fixed
    if spec.kind == "lognormal":
        mu = math.log(max(1, duration_ns(spec.options.get("median", "1ms"))))
        sigma = number(spec, "sigma", 0.5)
        return lambda: int(draw.lognormvariate(mu, sigma))
    if spec.kind == "histogram":
        values, ends = _histogram(Path(spec.value))
        return lambda: values[bisect.bisect_right(ends, draw.random() * ends[-1])]
    raise UsageError(f"{spec.text!r}: a latency is fixed:DURATION, lognormal:median=DURATION,sigma=N or histogram:FILE")


def _histogram(path: Path) -> tuple[list[int], list[float]]:
    """Latencies in ns and the running sum of their counts, from lines `MICROSECONDS COUNT` (# for comments)."""
    pairs = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            fields = line.partition("#")[0].replace(",", " ").split()
            if fields:
                pairs.append((round(float(fields[0]) * 1000), float(fields[1])))
    except (OSError, ValueError, IndexError) as error:
        raise UsageError(f"{path}: not a histogram of lines `MICROSECONDS COUNT`: {error}") from None
    pairs = [pair for pair in pairs if pair[0] >= 0 and pair[1] > 0]
    if not pairs:
        raise UsageError(f"{path}: no line `MICROSECONDS COUNT` in it")
    return [value for value, _ in pairs], list(itertools.accumulate(count for _, count in pairs))

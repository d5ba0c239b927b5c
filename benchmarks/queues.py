"""Queues with known limits, second by second: what a search for a limit is tried on, without any database.

How: discrete events with numpy, seeded; each second takes open-loop Poisson arrivals and tells its figures as a run
would, the response times of what ended in it. The true limit of each is computed from queueing theory.
"""

from __future__ import annotations

import heapq
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from cqlsurge.limits.goals import SloGoal, parse_slo
from cqlsurge.limits.steps import Second


class Queue(ABC):
    """A queue, from time 0 on. `run` gives seconds of load, `rest` lets it drain."""

    def __init__(self, seed: int, goal: SloGoal) -> None:
        self.draw = np.random.default_rng(seed)
        self.now_s = 0.0
        self.goal = goal
        self._ends = np.empty(0)
        self._times = np.empty(0)

    @abstractmethod
    def depart(self, arrivals: np.ndarray) -> np.ndarray:
        """When each of these leaves, in their order."""

    def second(self, rate: float) -> Second:
        """One more second at this rate."""
        count = int(self.draw.poisson(rate))
        arrivals = np.sort(self.now_s + self.draw.random(count))
        ends = self.depart(arrivals)
        self.now_s += 1.0
        self._ends = np.concatenate([self._ends, ends])
        self._times = np.concatenate([self._times, ends - arrivals])
        gone = self._ends <= self.now_s
        ended = int(gone.sum())
        assert self.goal.limit_us is not None
        over = int((self._times[gone] * 1e6 > self.goal.limit_us).sum())
        self._ends, self._times = self._ends[~gone], self._times[~gone]
        return Second(1.0, count, ended, len(self._ends), (ended,), (over,))

    def rest(self) -> float:
        """A second passes, and what waits ends, for at most 10 s: the rest waits in the client. How long that took."""
        before = self.now_s
        last = float(self._ends.max()) if len(self._ends) else self.now_s
        self.now_s = max(self.now_s + 1.0, min(last, self.now_s + 10.0))
        self._ends, self._times = np.empty(0), np.empty(0)
        self.clear()
        return self.now_s - before

    @abstractmethod
    def clear(self) -> None:
        """Nothing waits any more."""


class Single(Queue):
    """One server: M/M/1, M/D/1, or one that degrades. `service`: draws times for a number of arrivals at times."""

    def __init__(self, seed: int, goal: SloGoal, service: Callable[[np.ndarray, np.random.Generator], np.ndarray]):
        super().__init__(seed, goal)
        self._service, self._last = service, 0.0

    def clear(self) -> None:
        """See Queue."""
        self._last = min(self._last, self.now_s)

    def depart(self, arrivals: np.ndarray) -> np.ndarray:
        """Lindley's recursion, all at once."""
        if not len(arrivals):
            return arrivals
        total = np.cumsum(self._service(arrivals, self.draw))
        before = np.concatenate([[0.0], total[:-1]])
        starts = np.maximum.accumulate(np.concatenate([[max(self._last, arrivals[0])], arrivals[1:] - before[1:]]))
        ends = starts + total
        self._last = float(ends[-1])
        return ends


class Several(Queue):
    """M/M/c."""

    def __init__(self, seed: int, goal: SloGoal, servers: int, mean_s: float) -> None:
        super().__init__(seed, goal)
        self._free = [0.0] * servers
        self._mean_s = mean_s

    def clear(self) -> None:
        """See Queue."""
        self._free = [min(free, self.now_s) for free in self._free]

    def depart(self, arrivals: np.ndarray) -> np.ndarray:
        """Each to the server that is free first."""
        times = self.draw.exponential(self._mean_s, len(arrivals))
        free, ends = self._free, []
        for at, time in zip(arrivals.tolist(), times.tolist(), strict=True):
            end = max(at, free[0]) + time
            heapq.heapreplace(free, end)
            ends.append(end)
        return np.array(ends)


class Wall(Queue):
    """Quick up to a rate, slow above it, though never in a queue."""

    def __init__(self, seed: int, goal: SloGoal, wall: float, below_s: float, above_s: float) -> None:
        super().__init__(seed, goal)
        self._wall, self._below_s, self._above_s = wall, below_s, above_s

    def clear(self) -> None:
        """See Queue: nothing ever waits."""

    def depart(self, arrivals: np.ndarray) -> np.ndarray:
        """By the number of arrivals of this second."""
        mean_s = self._below_s if len(arrivals) <= self._wall else self._above_s
        return arrivals + mean_s * self.draw.uniform(0.8, 1.2, len(arrivals))


def exponential(mean_s: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    return lambda arrivals, draw: draw.exponential(mean_s, len(arrivals))


def constant(mean_s: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    return lambda arrivals, draw: np.full(len(arrivals), mean_s)


def degrading(
    mean_s: float, factor: float = 2.0, every_s: float = 60.0, for_s: float = 20.0, from_s: float = 0.0
) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """`factor` slower for `for_s` of every `every_s`."""

    def service(arrivals: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        slow = (arrivals - from_s) % every_s < for_s
        return draw.exponential(mean_s, len(arrivals)) * np.where(slow, factor, 1.0)

    return service


# -- the true limits


def bisect(over: Callable[[float], float], share: float, low: float, high: float) -> float:
    """The rate at which `over` reaches the share."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if over(middle) < share else (low, middle)
    return low


def limit_mm1(mean_s: float, limit_s: float, share: float) -> float:
    """ln share = -(mu - rate) * T."""
    return 1 / mean_s + math.log(share) / limit_s


def over_mmc(rate: float, servers: int, mean_s: float, limit_s: float) -> float:
    """P(response > T) of M/M/c: Erlang's C, then an exponential wait plus an exponential service."""
    mu, load = 1 / mean_s, rate * mean_s
    if load >= servers:
        return 1.0
    log_terms = [k * math.log(load) - math.lgamma(k + 1) for k in range(servers)]
    last = servers * math.log(load) - math.lgamma(servers + 1) + math.log(servers / (servers - load))
    waits = math.exp(last) / (sum(map(math.exp, log_terms)) + math.exp(last))
    gap = servers * mu - rate
    if abs(gap - mu) < 1e-9 * mu:
        slow = math.exp(-mu * limit_s) * (1 + mu * limit_s)
    else:
        slow = (gap * math.exp(-mu * limit_s) - mu * math.exp(-gap * limit_s)) / (gap - mu)
    return (1 - waits) * math.exp(-mu * limit_s) + waits * slow


def over_md1(rate: float, mean_s: float, limit_s: float) -> float:
    """P(response > T) of M/D/1 by its exponential tail, which near a limit at a small share is all of it."""
    load = rate * mean_s
    if load >= 1:
        return 1.0
    wait = limit_s - mean_s
    if wait < 0:
        return 1.0
    # the tail: P(W > t) ~ C exp(-theta t), rate (exp(theta D) - 1) = theta
    theta = _theta(rate, mean_s)
    factor = (1 - load) / (load * math.exp(theta * mean_s) - 1)
    return min(1.0, factor * math.exp(-theta * wait))


def _theta(rate: float, mean_s: float) -> float:
    low, high = 1e-9, 50 / mean_s
    for _ in range(200):
        middle = (low + high) / 2
        value = rate * math.expm1(middle * mean_s) - middle if middle * mean_s < 600 else math.inf
        low, high = (middle, high) if value < 0 else (low, middle)
    return low


def limit_degrading(mean_s: float, limit_s: float, share: float, factor: float = 2.0, part: float = 1 / 3) -> float:
    """Shares of both states together, each as its own M/M/1 (they last for many relaxation times)."""

    def over(rate: float) -> float:
        def one(mu: float) -> float:
            return math.exp(-(mu - rate) * limit_s) if rate < mu else 1.0

        return (1 - part) * one(1 / mean_s) + part * one(1 / (mean_s * factor))

    return bisect(over, share, 1.0, 1 / mean_s)


def limit_wall(wall: float, share: float) -> float:
    """The rate at which so large a share of the operations comes in seconds with more than `wall`."""

    def over(rate: float) -> float:
        return 0.5 * math.erfc((wall + 0.5 - rate) / math.sqrt(2 * rate))

    return bisect(over, share, wall / 2, wall * 1.1)


def course(queue: Queue, rates: Iterable[float]) -> Iterator[Second]:
    """Seconds of load at these rates."""
    for rate in rates:
        yield queue.second(rate)


@dataclass(frozen=True)
class Case:
    """A queue by name, how to make one of a seed, its true limit for `goal`."""

    name: str
    make: Callable[[int], Queue]
    limit: float
    goal: SloGoal


def cases() -> list[Case]:
    """All queues that the search is tried on; the goal is p99 < 10 ms, of M/M/8 p99 < 15 ms."""
    goal, slower = parse_slo("p99 < 10ms")[0], parse_slo("p99 < 15ms")[0]
    limit_s, share = 0.010, goal.share
    md1 = {mu: bisect(lambda rate, mu=mu: over_md1(rate, 1 / mu, limit_s), share, 1.0, mu) for mu in (20_000, 1_000)}  # type: ignore[misc]
    mm8 = bisect(lambda rate: over_mmc(rate, 8, 0.002, 0.015), share, 1.0, 3_999.0)
    return [
        Case(
            "M/M/1 30K/s",
            lambda seed: Single(seed, goal, exponential(1 / 30_000)),
            limit_mm1(1 / 30_000, limit_s, share),
            goal,
        ),
        Case(
            "M/M/1 2K/s",
            lambda seed: Single(seed, goal, exponential(1 / 2_000)),
            limit_mm1(1 / 2_000, limit_s, share),
            goal,
        ),
        Case(
            "M/M/1 1K/s",
            lambda seed: Single(seed, goal, exponential(1 / 1_000)),
            limit_mm1(1 / 1_000, limit_s, share),
            goal,
        ),
        Case("M/D/1 20K/s", lambda seed: Single(seed, goal, constant(1 / 20_000)), md1[20_000], goal),
        Case("M/D/1 1K/s", lambda seed: Single(seed, goal, constant(1 / 1_000)), md1[1_000], goal),
        Case("M/M/8 4K/s", lambda seed: Several(seed, slower, 8, 0.002), mm8, slower),
        Case("wall at 30K/s", lambda seed: Wall(seed, goal, 30_000, 0.002, 0.025), limit_wall(30_000, share), goal),
        Case(
            "slow 20 s a minute",
            lambda seed: Single(seed, goal, degrading(1 / 5_000, from_s=seed * 7 % 60)),
            limit_degrading(1 / 5_000, limit_s, share),
            goal,
        ),
    ]

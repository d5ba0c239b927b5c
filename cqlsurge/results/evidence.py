"""What a verdict looks at: figures of the measured phase, taken from counts and histograms. Pure.

Shares are of 1; None stands for what the engine, the system or the server does not show.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.load.latency.histogram import filled, mean_of, middles, percentiles_of
from cqlsurge.load.latency.layout import index_of, lowest_at

#: an answer that took this many times the median, and so long at least, was held up by something
STALL_FACTOR = 10
STALL_NS = 10_000_000


@dataclass(frozen=True)
class Service:
    """The service times of all kinds together, in microseconds. `floor_us`: what one answer in a hundred is below.

    stalled_share: the share of all in-flight time that went into answers held up far beyond the median.
    """

    count: int = 0
    mean_us: float = 0.0
    floor_us: float = 0.0
    p50_us: float = 0.0
    p99_us: float = 0.0
    stalled_share: float = 0.0


def service_of(counts: Sequence[int]) -> Service:
    """The service times of a histogram (cqlsurge.load.latency.layout)."""
    indexes = filled(counts)
    if not indexes:
        return Service()
    p50, p99 = percentiles_of(counts, indexes, (50.0, 99.0))
    limit, middle = max(STALL_NS, STALL_FACTOR * p50), middles()
    count, mean_ns = sum(counts), mean_of(counts, indexes)
    stalled = sum(counts[i] * middle[i] for i in indexes[bisect_right(indexes, index_of(limit)) :])
    return Service(
        count, mean_ns / 1000, lowest_at(indexes[0]) / 1000, p50 / 1000, p99 / 1000, stalled / (mean_ns * count)
    )


@dataclass(frozen=True)
class Evidence:
    """All that the verdict knows of a run.

    concurrency: operations in flight at most, in each process. asked: operations that the rate asked for in asked_s,
    None where there was none; wait_*_us: how long after they were due operations were sent. cores: those that this
    program may use. busy_share: CPU time of the load processes but for spinning, of one core each; waited_share: time
    that they were ready to run and had no core. ops_per_send, ops_per_wake, empty_wakes: how the engine batched (a wake
    counts where it brought something). unwritable_share: time that a process had a socket that took no more bytes.
    host, server: runs/watch.py; targets: nodes, or shards where the server has them; local: the server runs here;
    unbalanced: what is wrong with the spread over them (shares.py). pauses: load processes that did not run for a
    while, in words; silences: (begin, end) in seconds of times without an answer. hosts: the same of each loader, by
    name, where there are several; as far as verdict.py asks of one.
    """

    concurrency: int
    processes: int
    duration_s: float
    finished: int
    service: Service
    asked: int | None = None
    asked_s: float = 0.0
    wait_mean_us: float = 0.0
    wait_p50_us: float = 0.0
    wait_p99_us: float = 0.0
    late: int = 0
    skipped: int = 0
    backlog: int = 0
    issued: int = 0
    engine: str = ""
    cores: int = 1
    busy_share: float = 0.0
    waited_share: float | None = None
    ops_per_send: float | None = None
    ops_per_wake: float | None = None
    empty_wakes: float | None = None
    unwritable_share: float | None = None
    garbage_share: float | None = None
    targets: int = 1
    local: bool = False
    unbalanced: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
    silences: tuple[tuple[float, float], ...] = ()
    errors: Mapping[str, int] = field(default_factory=dict)
    host: Mapping[str, Any] = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict)
    hosts: tuple[tuple[str, Evidence], ...] = ()

    @property
    def finished_ops_s(self) -> float:
        """Operations that ended, a second."""
        return self.finished / self.duration_s if self.duration_s else 0.0

    @property
    def rate(self) -> float | None:
        """Operations asked for, a second."""
        return None if self.asked is None else self.asked / max(self.asked_s, 1e-9)

    @property
    def demand_share(self) -> float:
        """How much of a core each process wanted: what it used and what it waited for."""
        return min(1.0, self.busy_share + (self.waited_share or 0.0))

    @property
    def in_flight(self) -> float:
        """Operations in flight on average, in each process (Little's law: throughput times service time)."""
        return self.finished_ops_s * self.service.mean_us / 1e6 / max(1, self.processes)

    @property
    def client_share(self) -> float | None:
        """The share of the operations in flight that lie answered, or not yet sent, at the client.

        In each round the engine deals with all that has come since the last one; so many are at the client for as long
        as it works. None for engines that do not say.
        """
        if self.ops_per_wake is None:
            return None
        return min(1.0, self.demand_share * self.ops_per_wake / max(1.0, min(self.in_flight, self.concurrency)))

    @property
    def queueing(self) -> float:
        """The median service time over that of the fastest answer: near 1 where nothing waits in line."""
        return self.service.p50_us / self.service.floor_us if self.service.floor_us else 1.0

    def error_share(self, *classes: str) -> float:
        """The share of the operations issued that ended in one of these classes."""
        return sum(self.errors.get(name, 0) for name in classes) / max(1, self.issued)

    def figures(self) -> dict[str, Any]:
        """For the result document, so that anybody can judge again."""
        known: dict[str, Any] = {
            "rate_asked_ops_s": self.rate,
            "finished_ops_s": self.finished_ops_s,
            "in_flight_mean": self.in_flight,
            "in_flight_limit": self.concurrency,
            "busy_share": self.busy_share,
            "waited_share": self.waited_share,
            "ops_per_send": self.ops_per_send,
            "ops_per_wake": self.ops_per_wake,
            "empty_wakes": self.empty_wakes,
            "client_share": self.client_share,
            "unwritable_share": self.unwritable_share,
            "garbage_share": self.garbage_share,
            "queueing": self.queueing,
            "stalled_share": self.service.stalled_share,
            "service_floor_us": self.service.floor_us,
            "service_p50_us": self.service.p50_us,
            "wait_mean_us": self.wait_mean_us,
            "wait_p50_us": self.wait_p50_us,
            "wait_p99_us": self.wait_p99_us,
        }
        rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in known.items()}
        return {**rounded, "host": dict(self.host), "server": dict(self.server)}

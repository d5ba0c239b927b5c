"""What a verdict looks at: from the figures of a phase, the settings, and what the parent saw beside the load.

Shares are of 1; None stands for what the engine, the system or the server does not show.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.host.cores import core_count
from cqlsurge.load.engines.contract import Target
from cqlsurge.load.latency.histogram import filled, mean, mean_of, middles, percentiles, percentiles_of
from cqlsurge.load.latency.layout import index_of, lowest_at, new_counts
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.results.balance import absent_nodes, imbalances
from cqlsurge.results.figures import Figures
from cqlsurge.results.rows import GaveWay, gave_way, silences
from cqlsurge.settings import Settings

#: samples of receive delays that are enough for a p99
FEWEST_DELAYS = 100
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
    receive_delay_p99_us: how long answers lay in our sockets, by the kernel's stamps.
    host, server: runs/watch.py; targets: nodes, or shards where the server has them; local: the server runs here;
    unbalanced, absent: what is wrong with the spread over them, and nodes that were away (balance.py). pauses: load
    processes that did not run for a while, in words; silences, gave_way: rows.py. hosts: the same of each loader, by
    name, where there are several; as far as verdict.py asks of one. warmup_s: how long the warm-up was; succeeded: None
    where nobody counted.
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
    receive_delay_p99_us: float | None = None
    garbage_share: float | None = None
    targets: int = 1
    local: bool = False
    warmup_s: float = 0.0
    succeeded: int | None = None
    unbalanced: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    gave_way: GaveWay | None = None
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
            "receive_delay_p99_us": self.receive_delay_p99_us,
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


def evidence_of(
    settings: Settings,
    target: Target,
    figures: Figures,
    *,
    engine: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]] = (),
    host: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
) -> Evidence:
    """The evidence of a phase, whole or as far as it has come.

    engine: what it said of itself; events: what happened meanwhile; host, server: how hard they were pressed.
    """
    duration_s = figures.duration_s
    processes = max(1, len(figures.workers))
    waits = figures.merged.get("wait") or new_counts()
    wait_p50, wait_p99 = percentiles(waits, (50.0, 99.0))
    gauges = figures.gauges
    useful = gauges.get("polls", 0.0) - gauges.get("empty_polls", 0.0)
    core_s = duration_s * processes
    host = figures.hosts[0]["use"] if settings.local_hosts else host or {}  # local hosts are all this machine
    local = any(_is_loopback(node.address) for node in target.nodes)
    hosts = tuple((one["host"], host_evidence(settings, one, duration_s, local=local)) for one in figures.hosts)
    waited = [one.waited_share for _, one in hosts if one.waited_share is not None]
    client, counts = figures.client, figures.operations
    local_nodes = [node for node in target.nodes if node.dc == target.local_dc]
    delays = client.get("receive_delay_us", {})
    absent = absent_nodes(figures.targets, events)
    return Evidence(
        concurrency=settings.in_flight_limit,
        processes=processes,
        duration_s=duration_s,
        finished=figures.measured_finished,
        succeeded=figures.measured_ok,
        warmup_s=settings.warmup,
        service=service_of(figures.merged.get("service") or new_counts()),
        asked=_asked(settings, figures, events),
        asked_s=duration_s,
        wait_mean_us=mean(waits) / 1000,
        wait_p50_us=wait_p50 / 1000,
        wait_p99_us=wait_p99 / 1000,
        late=counts["late"],
        skipped=counts["skipped"],
        backlog=counts["backlog"],
        issued=counts["issued"],
        engine=settings.engine,
        cores=sum(one.cores for _, one in hosts) if hosts else core_count(),
        busy_share=max(0.0, _ratio(client["cpu_s"] - client["spin_s"], core_s) or 0.0),
        waited_share=sum(waited) / len(waited) if waited else host.get("waited_share"),
        ops_per_send=_ratio(gauges.get("ops_sent", 0.0), gauges.get("sends", 0.0)),
        ops_per_wake=_ratio(figures.measured_finished, useful),
        empty_wakes=_ratio(gauges.get("empty_polls", 0.0), gauges.get("polls", 0.0)),
        receive_delay_p99_us=delays["p99"] if delays.get("samples", 0) >= FEWEST_DELAYS else None,
        unwritable_share=_ratio(gauges["unwritable_s"], core_s) if "unwritable_s" in gauges else None,
        garbage_share=_ratio(gauges["gc_s"], core_s) if "gc_s" in gauges else None,
        targets=sum(max(1, node.shards) for node in local_nodes) or 1,
        local=local,
        errors=figures.errors,
        host=host,
        server=server or {},
        hosts=hosts,
        absent=tuple(absent),
        unbalanced=tuple(imbalances(figures.targets, engine, local_nodes, settings.population, uneven=bool(absent))),
        gave_way=None if settings.rate is None else gave_way(figures.timeline),
        pauses=tuple(event["event"] for event in events if "stood_still" in event),
        silences=tuple(silences(figures.timeline)),
    )


def host_evidence(settings: Settings, host: Mapping[str, Any], duration_s: float, *, local: bool) -> Evidence:
    """What is known of one of several hosts, from its figures in the result's `hosts`."""
    return Evidence(
        concurrency=settings.in_flight_limit,
        processes=max(1, len(host["workers"])),
        duration_s=duration_s,
        finished=round(host["throughput_ops_s"] * duration_s),
        service=Service(mean_us=host["service_mean_us"]),
        cores=host["cores"],
        busy_share=host["busy_share"],
        waited_share=host["use"].get("waited_share"),
        ops_per_wake=host["ops_per_wake"],
        local=local,
        host=host["use"],
    )


def _asked(settings: Settings, figures: Figures, events: Sequence[Mapping[str, Any]]) -> int | None:
    """What the rate asked for; where somebody changed it as it went, or processes were lost, what became due."""
    if settings.rate is None:
        return None
    if any("rate_factor" in event for event in events) or any(worker["lost"] for worker in figures.workers):
        return figures.measured_due
    shape = parse_rate(settings.rate)
    begin_ns = int(settings.warmup * 1e9)
    return int(shape.count_before(begin_ns + int(figures.duration_s * 1e9)) - shape.count_before(begin_ns))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"

"""Puts together what the verdict looks at, from settings, reports of load processes, and what the parent saw."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from cqlsurge.host.cores import core_count
from cqlsurge.load.engines.contract import Target
from cqlsurge.load.latency.histogram import add, mean, percentiles
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.processes.tally import Tally
from cqlsurge.results.document import Histograms, Measures
from cqlsurge.results.evidence import Evidence, Service, service_of
from cqlsurge.runs.watch import Watch
from cqlsurge.settings import Settings

#: seconds without an answer that are worth a word; rows of the timeline are a second long
SILENCE_S = 0.9


def gather(settings: Settings, target: Target, measures: Measures, tally: Tally, watch: Watch | None) -> Evidence:
    """The evidence of the phase, whole or as far as it has come."""
    duration_s = measures.duration_s
    # What comes after the end is only awaited.
    asked_s = duration_s if settings.duration is None else min(duration_s, settings.duration)
    processes = max(1, len(tally.workers))
    waits = _merged(measures.histograms, "wait")
    wait_p50, wait_p99 = percentiles(waits, (50.0, 99.0))
    gauges = measured_gauges(tally)
    useful = gauges.get("polls", 0.0) - gauges.get("empty_polls", 0.0)
    core_s = duration_s * processes
    host = watch.host if watch is not None else {}
    if settings.local_hosts:
        host = measures.hosts[0]["use"]  # all of them are this machine
    local = any(_is_loopback(node.address) for node in target.nodes)
    hosts = tuple((one["host"], host_evidence(settings, one, duration_s, local=local)) for one in measures.hosts)
    waited = [one.waited_share for _, one in hosts if one.waited_share is not None]
    client, counts = measures.client, measures.operations
    return Evidence(
        concurrency=settings.in_flight_limit,
        processes=processes,
        duration_s=duration_s,
        finished=measures.measured_finished,
        service=service_of(_merged(measures.histograms, "service")),
        asked=_asked(settings, measures, tally, asked_s),
        asked_s=asked_s,
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
        ops_per_wake=_ratio(measures.measured_finished, useful),
        empty_wakes=_ratio(gauges.get("empty_polls", 0.0), gauges.get("polls", 0.0)),
        unwritable_share=_ratio(gauges["unwritable_s"], core_s) if "unwritable_s" in gauges else None,
        garbage_share=_ratio(gauges["gc_s"], core_s) if "gc_s" in gauges else None,
        targets=sum(max(1, node.shards) for node in target.nodes if node.dc == target.local_dc) or 1,
        local=local,
        errors=measures.errors,
        host=host,
        server=watch.server if watch is not None else {},
        hosts=hosts,
        pauses=tuple(event["event"] for event in measures.events if "stood_still" in event),
        silences=tuple(silences(measures.timeline)),
    )


def silences(timeline: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """(begin, end) in seconds of each time in which no operation ended, though some did before and after."""
    found: list[tuple[float, float]] = []
    heard_s = None
    for row in timeline:
        if row["ok"] or row["errors"]:
            begin_s = row["t_s"] - row["span_s"]
            if heard_s is not None and begin_s - heard_s > SILENCE_S:
                found.append((heard_s, begin_s))
            heard_s = row["t_s"]
    return found


def host_evidence(settings: Settings, host: Mapping[str, Any], duration_s: float, *, local: bool) -> Evidence:
    """What is known of one of several group, from its figures in the result's `hosts`."""
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


def measured_gauges(tally: Tally) -> dict[str, float]:
    """The engines' figures of the measured phase, over all processes."""
    sums: dict[str, float] = {}
    for worker in tally.workers:
        before = (worker.before or {}).get("gauges", {})
        for name, value in (worker.last or {}).get("gauges", {}).items():
            sums[name] = sums.get(name, 0.0) + value - before.get(name, 0.0)
    return sums


def _asked(settings: Settings, measures: Measures, tally: Tally, length_s: float) -> int | None:
    """What was asked for; where somebody changed the rate as it went, or processes were lost, what became due."""
    if any("rate_factor" in event for event in measures.events) or any(worker.lost for worker in tally.workers):
        return tally.measured("due")
    return asked_for(settings, length_s)


def asked_for(settings: Settings, length_s: float) -> int | None:
    """Operations that the rate's shape asked for in so much of the measured phase."""
    if settings.rate is None:
        return None
    shape = parse_rate(settings.rate)
    begin_ns = int(settings.warmup * 1e9)
    return int(shape.count_before(begin_ns + int(length_s * 1e9)) - shape.count_before(begin_ns))


def _merged(histograms: Histograms, latency: str) -> list[int]:
    counts = new_counts()
    for by_latency in histograms.values():
        add(counts, by_latency[latency])
    return counts


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"

"""The figures of one host of many: the `hosts` of the result document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cqlsurge.load.latency.layout import median_at, new_counts
from cqlsurge.processes.group import Host
from cqlsurge.processes.tally import Sparse, WorkerTally
from cqlsurge.results.document import encoded, latencies
from cqlsurge.runs.phase import PhaseResult

COUNTS = ("due", "issued", "ok", "failed", "unknown", "skipped", "late")
FACTS = ("hostname", "cpu", "cores", "memory_mb", "kernel", "virtualisation", "container")


def measure_host(result: PhaseResult, hosts: Sequence[Host], at: int, *, whole: bool) -> dict[str, Any]:
    """What one host did. `whole`: with its histograms, which take long to encode for many hosts."""
    host, tally = hosts[at], result.tally
    workers = [tally.workers[index] for index in host.workers]
    reports = [worker.last for worker in workers if worker.last is not None]
    counts = {name: sum(worker.total(name) for worker in workers) for name in COUNTS}
    counts["in_flight"] = counts["issued"] - counts["ok"] - counts["failed"] - counts["unknown"]
    finished = sum(worker.measured(name) for worker in workers for name in ("ok", "failed", "unknown"))
    span_s = max((worker.span_s(tally.start_ns) for worker in workers), default=0.0)
    cpu_s = sum(report["cpu_s"] - report["measured_spin_s"] for report in reports if report["measuring"])
    began_ns = [report["began_ns"] for report in reports]
    core_s = span_s * max(1, len(workers))
    figures = {
        "host": host.name,
        "address": host.address,
        "facts": {name: host.facts.get(name) for name in FACTS},
        "runtime": host.runtime.get("name"),
        "cores": len(host.cores),
        "workers": list(host.workers),
        "operations": counts,
        "throughput_ops_s": round(sum(worker.measured("ok") for worker in workers) / span_s, 3) if span_s else 0.0,
        "cpu_us_per_op": round(max(0.0, cpu_s) * 1e6 / finished, 4) if finished else 0.0,
        "busy_share": round(max(0.0, cpu_s) / core_s, 4) if core_s else 0.0,
        "ops_per_wake": ops_per_wake(workers, finished),
        "service_mean_us": round(mean_us(tally.of_groups[at], "service"), 3),
        "use": dict(host.use),
        "clock_offset_ms": round(host.clock_offset_ns / 1e6, 4),
        "clock_error_ms": round(host.clock_error_ns / 1e6, 4),
        "start_ms": round((max(began_ns) - tally.start_ns) / 1e6, 3) if began_ns else None,
        "message_bytes": host.message_bytes,
        "lost": host.lost,
    }
    if whole:
        histograms = dense(tally.of_groups[at])
        figures |= {"latency_us": latencies(histograms), "histograms": encoded(histograms)}
    return figures


def ops_per_wake(workers: Sequence[WorkerTally], finished: int) -> float | None:
    """Operations each time that an engine woke for something; None for engines that do not say."""
    polls = empty = 0.0
    for worker in workers:
        for snapshot, sign in ((worker.last, 1), (worker.before, -1)):
            gauges = (snapshot or {}).get("gauges", {})
            polls += sign * gauges.get("polls", 0.0)
            empty += sign * gauges.get("empty_polls", 0.0)
    return round(finished / (polls - empty), 4) if polls > empty else None


def mean_us(group: Sparse, latency: str) -> float:
    """The mean of a latency over all kinds, in microseconds."""
    total_ns = count = 0
    for by_latency in group.values():
        for index, number in by_latency.get(latency, {}).items():
            total_ns += median_at(index) * number
            count += number
    return total_ns / count / 1e3 if count else 0.0


def dense(group: Mapping[str, Mapping[str, Mapping[int, int]]]) -> dict[str, dict[str, list[int]]]:
    """Histograms as lists of counts."""
    found: dict[str, dict[str, list[int]]] = {}
    for kind, by_latency in group.items():
        for name, sparse in by_latency.items():
            counts = found.setdefault(kind, {}).setdefault(name, new_counts())
            for index, number in sparse.items():
                counts[index] = number
    return found

"""The figures of one host of many: the `hosts` of the result document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cqlsurge.load.latency.layout import median_at, new_counts
from cqlsurge.results.counts import ENDED, PhaseCounts, ProcessCounts
from cqlsurge.results.document import encoded, latencies
from cqlsurge.results.figures import counted, late_of, merged_kinds
from cqlsurge.results.seconds import Histograms, Sparse

FACTS = ("hostname", "cpu", "cores", "memory_mb", "kernel", "virtualisation", "container")


@dataclass(frozen=True)
class HostFacts:
    """What is known of a host beside what its load processes report; `use`: how hard it was pressed."""

    name: str
    address: str
    machine: Mapping[str, Any]
    runtime: str | None
    cores: int
    workers: Sequence[int]
    use: Mapping[str, Any]
    clock_offset_ns: int
    clock_error_ns: int
    message_bytes: int
    lost: str | None


def host_figures(counts: PhaseCounts, host: HostFacts, sparse: Sparse, *, rated: bool, whole: bool) -> dict[str, Any]:
    """What one host did; `sparse`: its histograms. `whole`: tell them too, which take long to encode for many hosts."""
    processes = [counts.processes[index] for index in host.workers]
    ends = [process.window_end for process in processes]
    finished = sum(process.measured(name) for process in processes for name in ENDED)
    span_s = max((process.span_s(counts.start_ns) for process in processes), default=0.0)
    cpu_s = sum(end["cpu_s"] - end["measured_spin_s"] for end in ends if end is not None)
    began_ns = [process.last["began_ns"] for process in processes if process.last is not None]
    core_s = span_s * max(1, len(processes))
    told = counted(processes)
    operations = {name: told[name] for name in ("due", "issued", *ENDED, "skipped")}
    waits: list[Mapping[int, int]] = [by_latency.get("wait", {}) for by_latency in sparse.values()]
    operations["late"] = sum(late_of(dict(wait)) for wait in waits) if rated else 0
    operations["in_flight"] = told["in_flight"]
    figures = {
        "host": host.name,
        "address": host.address,
        "facts": {name: host.machine.get(name) for name in FACTS},
        "runtime": host.runtime,
        "cores": host.cores,
        "workers": list(host.workers),
        "operations": operations,
        "throughput_ops_s": round(sum(process.measured("ok") for process in processes) / span_s, 3) if span_s else 0.0,
        "cpu_us_per_op": round(max(0.0, cpu_s) * 1e6 / finished, 4) if finished else 0.0,
        "busy_share": round(max(0.0, cpu_s) / core_s, 4) if core_s else 0.0,
        "ops_per_wake": ops_per_wake(processes, finished),
        "service_mean_us": round(mean_us(sparse, "service"), 3),
        "use": dict(host.use),
        "clock_offset_ms": round(host.clock_offset_ns / 1e6, 4),
        "clock_error_ms": round(host.clock_error_ns / 1e6, 4),
        "start_ms": round((max(began_ns) - counts.start_ns) / 1e6, 3) if began_ns else None,
        "message_bytes": host.message_bytes,
        "lost": host.lost,
    }
    if whole:
        histograms = dense(sparse)
        told_latencies = latencies(histograms, merged_kinds(histograms))
        figures |= {"latency_us": told_latencies, "histograms": encoded(histograms)}
    return figures


def ops_per_wake(processes: Sequence[ProcessCounts], finished: int) -> float | None:
    """Operations each time that an engine woke for something; None for engines that do not say."""
    gauges = [process.gauges() for process in processes]
    useful = sum(one.get("polls", 0.0) - one.get("empty_polls", 0.0) for one in gauges)
    return round(finished / useful, 4) if useful > 0 else None


def mean_us(sparse: Sparse, latency: str) -> float:
    """The mean of a latency over all kinds, in microseconds."""
    total_ns = count = 0
    for by_latency in sparse.values():
        for index, number in by_latency.get(latency, {}).items():
            total_ns += median_at(index) * number
            count += number
    return total_ns / count / 1e3 if count else 0.0


def dense(sparse: Mapping[str, Mapping[str, Mapping[int, int]]]) -> Histograms:
    """Histograms as lists of counts."""
    found: Histograms = {}
    for kind, by_latency in sparse.items():
        for name, cells in by_latency.items():
            counts = found.setdefault(kind, {}).setdefault(name, new_counts())
            for index, number in cells.items():
                counts[index] = number
    return found

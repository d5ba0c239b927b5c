"""From the counts of a phase to its figures: what the document tells, and what the verdict looks at.

Throughput, CPU and all else that is told per second or per operation are of the measured window (counts.py). Counts of
`operations` are of the whole phase, but for `late` and `skipped`, which a warm-up has no part in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.load.latency.histogram import add
from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.results.counts import ENDED, PhaseCounts, ProcessCounts, count_of, in_flight
from cqlsurge.results.receive_delay import receive_delay
from cqlsurge.results.seconds import Histograms

#: an operation sent more than this after it was due counts as late
LATE_NS = 1_000_000
LATE_FROM = index_of(LATE_NS) + 1
NO_STRAGGLERS = {"in_flight": 0, "awaited_s": 0.0, **dict.fromkeys(ENDED, 0)}


@dataclass
class Numbers:
    """What became of a phase's operation numbers.

    Those below `below` were handed out and are writes, all of them acknowledged but those that `unacknowledged` holds;
    abandoned: how many were handed to processes that were lost before they issued them.
    """

    abandoned: int = 0
    below: int = 0
    unacknowledged: Ranges = field(default_factory=Ranges)


@dataclass
class Open:
    """What a run that is taken up again must know, should this one be cut off.

    ranges: numbers below `next` that are not known to have ended; soon: from `next` on, those that may be handed out
    before the next time that this is told.
    """

    ranges: list[list[int]]
    next: int
    soon: list[int]


@dataclass
class Figures:
    """The figures of a phase, as far as it has come. `merged`: histograms of all kinds together, by latency."""

    phase: str = "measure"
    duration_s: float = 0.0
    measured_ok: int = 0
    measured_finished: int = 0
    measured_due: int = 0
    operations: dict[str, int] = field(default_factory=dict)
    stragglers: dict[str, Any] = field(default_factory=lambda: {**NO_STRAGGLERS})
    client: dict[str, Any] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    histograms: Histograms = field(default_factory=dict)
    merged: dict[str, list[int]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    attempt_errors: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=Numbers)
    targets: list[dict[str, Any]] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    workers: list[dict[str, Any]] = field(default_factory=list)
    hosts: list[dict[str, Any]] = field(default_factory=list)
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def throughput_ops_s(self) -> float:
        """Operations ok per second of the measured window."""
        return round(self.measured_ok / self.duration_s, 3) if self.duration_s > 0 else 0.0


def figures_of(
    counts: PhaseCounts,
    numbers: Numbers,
    *,
    phase: str = "measure",
    rated: bool = False,
    hosts: Sequence[dict[str, Any]] = (),
) -> Figures:
    """The figures of a phase, whether it has ended or still goes on. `rated`: it has a rate, so that it can be late.

    `hosts`: the figures of each host (host_figures.py), where there are several.
    """
    merged = merged_kinds(counts.histograms)
    finished = sum(counts.measured(name) for name in ENDED)
    late = sum(merged["wait"][LATE_FROM:]) if rated and merged else 0
    return Figures(
        phase=phase,
        duration_s=max((process.span_s(counts.start_ns) for process in counts.processes), default=0.0),
        measured_ok=counts.measured("ok"),
        measured_finished=finished,
        measured_due=counts.measured("due"),
        operations=_operations(counts, late, numbers.abandoned),
        stragglers=_stragglers(counts.processes),
        client=_client(counts, finished),
        gauges=_gauges(counts.processes),
        histograms=counts.histograms,
        merged=merged,
        errors=counts.by_class("errors"),
        attempt_errors=counts.by_class("attempt_errors"),
        examples=counts.examples(),
        numbers=numbers,
        targets=_targets(counts),
        timeline=counts.timeline.rows,
        workers=[_worker(index, process) for index, process in enumerate(counts.processes)],
        hosts=list(hosts),
    )


def merged_kinds(histograms: Histograms) -> dict[str, list[int]]:
    """The histograms of all kinds together, by latency; empty where there are none."""
    merged: dict[str, list[int]] = {}
    for by_latency in histograms.values():
        for name, counts in by_latency.items():
            add(merged.setdefault(name, new_counts()), counts)
    return merged


def late_of(sparse: dict[int, int]) -> int:
    """Operations that were sent late, of a histogram of waits that holds its filled cells only."""
    cells = sorted(sparse)
    return sum(sparse[cell] for cell in cells[bisect_right(cells, LATE_FROM - 1) :])


def counted(processes: Sequence[ProcessCounts]) -> dict[str, int]:
    """The counts of some processes that obey the laws (document.py), with what is open of them."""
    names = ("due", "issued", *ENDED, "rows", "retries", "skipped")
    counts = {name: sum(process.total(name) for process in processes) for name in names}
    # What was skipped in the warm-up is told nowhere, and so was not due either.
    early = sum(process.before["skipped"] for process in processes if process.before is not None)
    counts["due"] -= early
    counts["skipped"] -= early
    counts["in_flight"] = counts["issued"] - sum(counts[name] for name in ENDED)
    counts["backlog"] = counts["due"] - counts["issued"] - counts["skipped"]
    return counts


def _operations(counts: PhaseCounts, late: int, abandoned: int) -> dict[str, int]:
    return {**counted(counts.processes), "late": late, "abandoned": abandoned}


def _stragglers(processes: Sequence[ProcessCounts]) -> dict[str, Any]:
    """What was in flight when issuing ended, how long it was awaited, and what came of it."""
    closed = [process for process in processes if process.closing is not None]
    told: dict[str, Any] = {
        "in_flight": sum(in_flight(process.closing) for process in closed),
        "awaited_s": round(max((process.awaited_s() for process in closed), default=0.0), 3),
    }
    for name in ENDED:
        told[name] = sum(process.total(name) - count_of(process.closing, name) for process in closed)
    return told


def _client(counts: PhaseCounts, finished: int) -> dict[str, Any]:
    ends = [process.window_end for process in counts.processes]
    reports = [process.last for process in counts.processes if process.last is not None]
    cpu_s = sum(end["cpu_s"] for end in ends if end is not None)
    spin_s = sum(end["measured_spin_s"] for end in ends if end is not None)
    delay = receive_delay(_gauges(counts.processes))
    slow = [report["gauges"]["slow_answers"] for report in reports if "slow_answers" in report["gauges"]]
    # Time spun is wall time: where spinning had to wait for a core it is more than the CPU time that it took.
    worked_s = max(0.0, cpu_s - spin_s)
    return {
        "processes": len(counts.processes),
        "cpu_s": round(cpu_s, 6),
        "spin_s": round(spin_s, 6),
        "max_rss_mb": round(max((report["max_rss_mb"] for report in reports), default=0.0), 1),
        "bytes_out": counts.total("bytes_out"),
        "bytes_in": counts.total("bytes_in"),
        "start_skew_ms": round(counts.start_skew_s() * 1e3, 3),
        "cpu_us_per_op": round(worked_s * 1e6 / finished, 4) if finished else 0.0,
        **({"slow_answers": int(sum(slow))} if slow else {}),
        **({"receive_delay_us": delay} if delay is not None else {}),
    }


def _gauges(processes: Sequence[ProcessCounts]) -> dict[str, float]:
    """The engines' figures of the measured window, over all processes."""
    sums: dict[str, float] = {}
    for process in processes:
        for name, value in process.gauges().items():
            sums[name] = sums.get(name, 0.0) + value
    return sums


def _targets(counts: PhaseCounts) -> list[dict[str, Any]]:
    return [
        {"node": node, "address": address, "shard": shard, "issued": issued, "ok": ok, "failed": failed, "lost": lost}
        for (node, address, shard), (issued, ok, failed, lost) in counts.targets().items()
    ]


def _worker(index: int, process: ProcessCounts) -> dict[str, Any]:
    last = process.last or {}
    return {
        "worker": index,
        "ok": process.total("ok"),
        "errors": process.total("failed") + process.total("unknown"),
        "cpu_s": round(last.get("cpu_s", 0.0), 6),
        "max_rss_mb": round(last.get("max_rss_mb", 0.0), 1),
        "gauges": last.get("gauges", {}),
        "lost": process.lost,
    }

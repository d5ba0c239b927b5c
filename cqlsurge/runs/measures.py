"""From what the load processes reported to the figures of the result document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.processes.group import Host
from cqlsurge.processes.tally import Tally
from cqlsurge.results.document import Measures
from cqlsurge.runs.host_figures import measure_host
from cqlsurge.runs.phase import PhasePlan, PhaseResult


def measure(
    result: PhaseResult, *, state: str, started_at: str, phase: PhasePlan, hosts: Sequence[Host] = ()
) -> Measures:
    """The figures of a phase, whether it has ended or still goes on. `hosts`: those of the group, if any."""
    tally = result.tally
    finished = sum(tally.measured(name) for name in ("ok", "failed", "unknown"))
    return Measures(
        state=state,
        started_at=started_at,
        phase=phase.name,
        duration_s=max((worker.span_s(tally.start_ns) for worker in tally.workers), default=0.0),
        measured_ok=tally.measured("ok"),
        measured_finished=finished,
        operations=_operations(result),
        client=_client(tally),
        histograms=tally.histograms,
        errors=tally.by_class("errors"),
        attempt_errors=tally.by_class("attempt_errors"),
        examples=tally.examples(),
        unacknowledged=_unacknowledged(result, phase.writes_below),
        targets=_targets(tally),
        timeline=tally.timeline,
        workers=[_worker(result, index) for index in range(len(tally.workers))],
        hosts=[measure_host(result, hosts, at, whole=state != "running") for at in range(len(hosts))],
    )


def _operations(result: PhaseResult) -> dict[str, int]:
    tally = result.tally
    counts = {
        name: tally.total(name)
        for name in ("due", "issued", "ok", "failed", "unknown", "rows", "retries", "late", "skipped")
    }
    counts["in_flight"] = tally.in_flight
    counts["backlog"] = counts["due"] - counts["issued"] - counts["skipped"]
    counts["abandoned"] = sum(
        result.dealer.handed(index) - worker.total("issued")
        for index, worker in enumerate(tally.workers)
        if worker.lost is not None
    )
    if all(worker.lost is not None for worker in tally.workers):
        counts["abandoned"] += result.dealer.left
    return counts


def _client(tally: Tally) -> dict[str, Any]:
    reports = [worker.last for worker in tally.workers if worker.last is not None]
    slow = [report["gauges"]["slow_answers"] for report in reports if "slow_answers" in report["gauges"]]
    return {
        "processes": len(tally.workers),
        "cpu_s": round(sum(report["cpu_s"] for report in reports if report["measuring"]), 6),
        "spin_s": round(sum(report["measured_spin_s"] for report in reports if report["measuring"]), 6),
        "max_rss_mb": round(max((report["max_rss_mb"] for report in reports), default=0.0), 1),
        "bytes_out": tally.total("bytes_out"),
        "bytes_in": tally.total("bytes_in"),
        "start_skew_ms": round(tally.start_skew_s() * 1e3, 3),
        **({"slow_answers": int(sum(slow))} if slow else {}),
    }


def _unacknowledged(result: PhaseResult, writes: int) -> Ranges:
    """Numbers below `writes` that were not acknowledged: failed, unknown, open, never issued, of lost processes."""
    merged = Ranges()
    if not writes:
        return merged
    for first, past in result.tally.unacknowledged().pairs():
        merged.add(first, past)
    merged.overflow = result.tally.unacknowledged().overflow
    for index, worker in enumerate(result.tally.workers):
        # A process that stopped in good order has named what it left in flight itself.
        position = worker.total("issued") if worker.lost is None else (worker.last or {}).get("settled", 0)
        for first, past in result.dealer.ranges_from(index, position):
            merged.add(first, min(past, writes))
    merged.add(result.dealer.next, writes)
    return merged


def _targets(tally: Tally) -> list[dict[str, Any]]:
    return [
        {"node": node, "address": address, "shard": shard, "issued": issued, "ok": ok, "failed": failed}
        for (node, address, shard), (issued, ok, failed) in tally.targets().items()
    ]


def _worker(result: PhaseResult, index: int) -> dict[str, Any]:
    worker = result.tally.workers[index]
    last = worker.last or {}
    return {
        "worker": index,
        "ok": worker.total("ok"),
        "errors": worker.total("failed") + worker.total("unknown"),
        "cpu_s": round(last.get("cpu_s", 0.0), 6),
        "max_rss_mb": round(last.get("max_rss_mb", 0.0), 1),
        "gauges": last.get("gauges", {}),
        "lost": worker.lost,
    }

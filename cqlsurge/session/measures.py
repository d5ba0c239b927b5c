"""From what the load processes reported to the figures of the result document."""

from __future__ import annotations

from typing import Any

from cqlsurge.fleet.tally import Tally
from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.results.document import Measures
from cqlsurge.session.phase import PhaseResult


def measure(result: PhaseResult, *, state: str, started_at: str, writes: bool, total: int | None) -> Measures:
    """The figures of a phase, whether it has ended or still goes on. `total`: operations asked for, if a count was."""
    tally = result.tally
    ends = {index: _span_s(tally, index) for index in range(len(tally.workers))}
    finished = sum(tally.measured(name) for name in ("ok", "failed", "unknown"))
    return Measures(
        state=state,
        started_at=started_at,
        duration_s=max(ends.values(), default=0.0),
        measured_ok=tally.measured("ok"),
        measured_finished=finished,
        operations=_operations(result),
        client=_client(tally),
        histograms=tally.histograms,
        errors=tally.by_class("errors"),
        attempt_errors=tally.by_class("attempt_errors"),
        examples=tally.examples(),
        unacknowledged=_unacknowledged(result) if writes else Ranges(),
        targets=_targets(tally),
        timeline=tally.timeline,
        workers=[_worker(result, index) for index in range(len(tally.workers))],
    )


def _span_s(tally: Tally, index: int) -> float:
    """How long a process has measured: from the end of its warm-up to its last report."""
    worker = tally.workers[index]
    if worker.last is None or not worker.last["measuring"]:
        return 0.0
    begin_ns = worker.before["t_ns"] if worker.before is not None else tally.start_ns
    return max(0.0, float(worker.last["t_ns"] - begin_ns) / 1e9)


def _operations(result: PhaseResult) -> dict[str, int]:
    tally = result.tally
    counts = {
        name: tally.total(name)
        for name in ("due", "issued", "ok", "failed", "unknown", "rows", "retries", "late", "skipped")
    }
    counts["in_flight"] = tally.in_flight
    counts["backlog"] = counts["due"] - counts["issued"] - counts["skipped"]
    counts["abandoned"] = sum(
        result.dealer.handed(index) - worker.total("issued") - worker.total("skipped")
        for index, worker in enumerate(tally.workers)
        if worker.lost is not None
    )
    if all(worker.lost is not None for worker in tally.workers):
        counts["abandoned"] += result.dealer.left
    return counts


def _client(tally: Tally) -> dict[str, Any]:
    reports = [worker.last for worker in tally.workers if worker.last is not None]
    return {
        "processes": len(tally.workers),
        "cpu_s": round(sum(report["cpu_s"] for report in reports if report["measuring"]), 6),
        "spin_s": round(sum(report["measured_spin_s"] for report in reports if report["measuring"]), 6),
        "max_rss_mb": round(max((report["max_rss_mb"] for report in reports), default=0.0), 1),
        "bytes_out": tally.total("bytes_out"),
        "bytes_in": tally.total("bytes_in"),
    }


def _unacknowledged(result: PhaseResult) -> Ranges:
    """Writes of unknown fate: those reported, and all that lost or stopped processes may have sent since."""
    merged = result.tally.unacknowledged()
    for index, worker in enumerate(result.tally.workers):
        in_flight = worker.total("issued") - sum(worker.total(name) for name in ("ok", "failed", "unknown"))
        if worker.lost is None and not in_flight:
            continue
        issued = worker.total("issued") + worker.total("skipped")
        settled = (worker.last or {}).get("settled", 0)
        ranges = result.dealer.ranges_from(index, settled)
        if worker.lost is None:
            # It stopped in good order: nothing beyond what it issued can have been sent.
            unsent = result.dealer.ranges_from(index, issued)
            ranges = _without(ranges, unsent)
        for first, past in ranges:
            merged.add(first, past)
    return merged


def _without(ranges: list[tuple[int, int]], tail: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges up to where the tail of the same list begins."""
    if not tail:
        return ranges
    first_unsent, past_unsent = tail[0]
    kept = []
    for first, past in ranges:
        if past == past_unsent:
            if first < first_unsent:
                kept.append((first, first_unsent))
            break
        kept.append((first, past))
    return kept


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

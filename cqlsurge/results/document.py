"""The result document: what a run was and what came of it, as one JSON-able dict (schema 1).

Built from plain figures; nothing here asks a clock, a process or a file. The laws that hold in every document:

    issued = ok + failed + unknown + in_flight
    due    = issued + skipped + backlog          (closed load: due = issued)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cqlsurge.load.latency.hdr import encode
from cqlsurge.load.latency.histogram import summary
from cqlsurge.results.figures import Figures, Open
from cqlsurge.results.seconds import Histograms

SCHEMA = 1
STATES = ("running", "done", "partial", "interrupted", "failed")

Document = dict[str, Any]


@dataclass
class RunFacts:
    """What a run was: everything in the document that is known before the load begins."""

    started_at: str
    engine: dict[str, Any]
    runtime: dict[str, Any]
    seed: int
    settings: dict[str, Any]
    host: dict[str, Any]
    cluster: dict[str, Any]
    version: str
    workload: dict[str, Any] | None = None


def build(
    facts: RunFacts,
    figures: Figures,
    verdict: dict[str, Any],
    *,
    state: str,
    events: Sequence[dict[str, Any]] = (),
    precision: dict[str, Any] | None = None,
    still_open: Open | None = None,
    phases: Sequence[dict[str, Any]] = (),
    expectations: Sequence[dict[str, Any]] = (),
) -> Document:
    """The document of a run, whole or as far as it has come.

    precision: Until.facts of a run that has --until; still_open: what it takes to take the run up again; phases: what
    came of those before (earlier_phase); expectations: what was expected of the figures, and whether it came so.
    """
    unacknowledged = figures.numbers.unacknowledged
    return {
        "schema": SCHEMA,
        "kind": "cqlsurge run",
        "version": facts.version,
        "state": state,
        "started_at": facts.started_at,
        "phase": figures.phase,
        "engine": facts.engine,
        "runtime": facts.runtime,
        "seed": facts.seed,
        "settings": facts.settings,
        "host": facts.host,
        "cluster": facts.cluster,
        "duration_s": round(figures.duration_s, 6),
        "throughput_ops_s": figures.throughput_ops_s,
        "operations": figures.operations,
        "stragglers": figures.stragglers,
        "unacknowledged": {
            "ranges": [list(pair) for pair in unacknowledged.pairs()],
            "overflow": unacknowledged.overflow,
            "below": figures.numbers.below,
        },
        "client": figures.client,
        "latency_us": latencies(figures.histograms, figures.merged),
        "histograms": encoded(figures.histograms),
        "errors": figures.errors,
        "attempt_errors": figures.attempt_errors,
        "error_examples": figures.examples,
        "targets": figures.targets,
        "workers": figures.workers,
        "hosts": figures.hosts,
        "verdict": verdict,
        "events": list(events),
        "timeline": figures.timeline,
        **({} if precision is None else {"precision": precision}),
        **({} if still_open is None else {"open": asdict(still_open)}),
        **({"expectations": list(expectations)} if expectations else {}),
        **(
            {}
            if facts.workload is None
            else {"workload": facts.workload, "statements": figures.statements, "phases": list(phases)}
        ),
    }


def earlier_phase(figures: Figures, state: str) -> dict[str, Any]:
    """What a document keeps of a phase before its last."""
    return {
        "phase": figures.phase,
        "state": state,
        "duration_s": round(figures.duration_s, 6),
        "throughput_ops_s": figures.throughput_ops_s,
        "operations": figures.operations,
        "latency_us": latencies(figures.histograms, figures.merged),
        "errors": figures.errors,
        "statements": figures.statements,
    }


def latencies(histograms: Histograms, merged: dict[str, list[int]]) -> dict[str, Any]:
    """{kind or "all": {wait, service, response: figures in microseconds}} of the kinds that have any.

    `merged`: the histograms of all kinds together, by latency.
    """
    figures: dict[str, Any] = {
        kind: {name: summary(counts) for name, counts in by_latency.items()}
        for kind, by_latency in histograms.items()
        if any(by_latency["service"])
    }
    if figures:
        figures["all"] = {name: summary(counts) for name, counts in merged.items()}
    return figures


def encoded(histograms: Histograms) -> dict[str, dict[str, str]]:
    """The histograms of the kinds that have any, as text (load/latency/hdr.py)."""
    return {
        kind: {name: encode(counts) for name, counts in by_latency.items()}
        for kind, by_latency in histograms.items()
        if any(by_latency["service"])
    }


def broken_laws(document: Document) -> list[str]:
    """The conservation laws that a document breaks, in words; none in a sound one."""
    counts = document["operations"]
    broken = []
    ended = counts["ok"] + counts["failed"] + counts["unknown"] + counts["in_flight"]
    if counts["issued"] != ended:
        broken.append(f"issued {counts['issued']} is not ok + failed + unknown + in flight {ended}")
    known = counts["issued"] + counts["skipped"] + counts["backlog"]
    if counts["due"] != known:
        broken.append(f"due {counts['due']} is not issued + skipped + backlog {known}")
    return broken

"""The result document: what a run was and what came of it, as one JSON-able dict (schema 1).

Built from plain figures; nothing here asks a clock, a process or a file. The laws that hold in every document:

    issued = ok + failed + unknown + in_flight
    due    = issued + skipped + backlog          (closed load: due = issued)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cqlsurge.load.latency.hdr import encode
from cqlsurge.load.latency.histogram import add, summary
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.load.outcomes.ranges import Ranges

SCHEMA = 1
STATES = ("running", "done", "partial", "interrupted", "failed")

Document = dict[str, Any]
Histograms = dict[str, dict[str, list[int]]]


@dataclass
class Measures:
    """The figures of a run as the session has them. Counts of `operations` are of the whole run, populating apart."""

    state: str
    started_at: str
    phase: str
    duration_s: float
    measured_ok: int
    measured_finished: int
    operations: dict[str, int]
    client: dict[str, Any]
    histograms: Histograms
    errors: dict[str, int] = field(default_factory=dict)
    attempt_errors: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    unacknowledged: Ranges = field(default_factory=Ranges)
    targets: list[dict[str, Any]] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    workers: list[dict[str, Any]] = field(default_factory=list)
    hosts: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Frame:
    """What a run was: everything in the document that is known before the load begins."""

    engine: dict[str, Any]
    runtime: dict[str, Any]
    seed: int
    settings: dict[str, Any]
    host: dict[str, Any]
    cluster: dict[str, Any]
    version: str


def build(frame: Frame, measures: Measures, verdict: dict[str, Any]) -> Document:
    """The document of a run, whole or as far as it has come."""
    duration_s = measures.duration_s
    return {
        "schema": SCHEMA,
        "kind": "cqlsurge run",
        "version": frame.version,
        "state": measures.state,
        "started_at": measures.started_at,
        "phase": measures.phase,
        "engine": frame.engine,
        "runtime": frame.runtime,
        "seed": frame.seed,
        "settings": frame.settings,
        "host": frame.host,
        "cluster": frame.cluster,
        "duration_s": round(duration_s, 6),
        "throughput_ops_s": round(measures.measured_ok / duration_s, 3) if duration_s > 0 else 0.0,
        "operations": measures.operations,
        "unacknowledged": {"ranges": measures.unacknowledged.pairs(), "overflow": measures.unacknowledged.overflow},
        "client": _client(measures),
        "latency_us": latencies(measures.histograms),
        "histograms": encoded(measures.histograms),
        "errors": measures.errors,
        "attempt_errors": measures.attempt_errors,
        "error_examples": measures.examples,
        "targets": measures.targets,
        "workers": measures.workers,
        "hosts": measures.hosts,
        "verdict": verdict,
        "events": measures.events,
        "timeline": measures.timeline,
    }


def _client(measures: Measures) -> dict[str, Any]:
    client = dict(measures.client)
    finished = measures.measured_finished
    # Time spun is wall time: where spinning had to wait for a core it is more than the CPU time that it took.
    worked_s = max(0.0, client["cpu_s"] - client["spin_s"])
    client["cpu_us_per_op"] = round(worked_s * 1e6 / finished, 4) if finished else 0.0
    return client


def latencies(histograms: Histograms) -> dict[str, Any]:
    """{kind or "all": {wait, service, response: figures in microseconds}} of the kinds that have any."""
    merged: dict[str, list[int]] = {}
    figures: dict[str, Any] = {}
    for kind, by_latency in histograms.items():
        if not any(by_latency["service"]):
            continue
        figures[kind] = {name: summary(counts) for name, counts in by_latency.items()}
        for name, counts in by_latency.items():
            add(merged.setdefault(name, new_counts()), counts)
    if merged:
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

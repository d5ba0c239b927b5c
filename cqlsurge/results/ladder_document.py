"""The document of a ladder: what each rung came to, and how far it lies above the one below.

Figures of a rung are of its runs together: percentiles of merged histograms, CPU over operations. Intervals hold with
95% confidence each; how they are made is told in docs/comparison.md.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cqlsurge import __version__
from cqlsurge.errors import ResultError
from cqlsurge.results.command import command_of
from cqlsurge.results.compare import CPU, ERROR_FLOOR, LARGEST, LEVEL, RUN_VARIATION, THROUGHPUT, Metric, Pair
from cqlsurge.results.document import Document
from cqlsurge.results.files import marked
from cqlsurge.results.run_set import ALL, Figure, RunSet
from cqlsurge.results.statistics import Difference, spread_of
from cqlsurge.results.techniques import ANCESTOR, Rung

KIND = "cqlsurge ladder"
SCHEMA = 1
LADDER = marked("ladder", f'"kind": "{KIND}"')
#: the load that the best-practices program is known for; 36 vCPUs carried it
HEADLINE_OPS_S = 400_000
LATENCY = "service"
#: what is kept of each run's document: enough to compute all figures again
KEPT = (
    "state", "started_at", "engine", "runtime", "settings", "duration_s", "throughput_ops_s", "operations", "client",
    "latency_us", "histograms", "errors", "error_examples", "verdict",
)  # fmt: skip


@dataclass
class Climb:
    """What became of a rung: its runs that count, why others do not, and why it cannot run here at all."""

    rung: Rung
    runs: list[Document] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    absent: str = ""


def build(
    climbs: Sequence[Climb], *, state: str, started_at: str, settings: dict[str, Any], rounds: int, ended: str = ""
) -> Document:
    """The document, whole or as far as it has come. `state`: as a run's; `ended`: why it ended early."""
    rungs, below = [], None
    for climb in climbs:
        rungs.append(_rung(climb, below))
        below = climb if climb.runs else below
    first = next((climb.runs[0] for climb in climbs if climb.runs), None)
    ancestor = next((climb for climb in climbs if climb.rung.name == ANCESTOR and climb.runs), None)
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "version": __version__,
        "state": state,
        "ended": ended,
        "started_at": started_at,
        "rounds": rounds,
        "level": LEVEL,
        "headline_ops_s": HEADLINE_OPS_S,
        "settings": settings,
        "host": first["host"] if first else {},
        "cluster": first["cluster"] if first else {},
        "rungs": rungs,
        "top": _over(below, ancestor) if below and ancestor and below is not ancestor else None,
    }


def _rung(climb: Climb, below: Climb | None) -> dict[str, Any]:
    rung = climb.rung
    told = {
        "name": rung.name,
        "title": rung.title,
        "why": rung.why,
        "where": rung.where,
        "state": "measured" if climb.runs else "absent" if climb.absent else "not measured",
        "absent": climb.absent,
        "left_out": climb.left_out,
    }
    if not climb.runs:
        return told
    side, last = RunSet(climb.runs, LATENCY), climb.runs[-1]
    cpu_us = side.cpu_us()
    return {
        **told,
        "engine": last["engine"]["name"],
        "technique": last["engine"].get("technique"),
        "driver": last["engine"].get("driver"),
        "runtime": last["runtime"]["name"],
        "processes": last["client"]["processes"],
        "in_flight": last["client"]["processes"] * (last["settings"]["concurrency"] or 1),
        "bound_by": Counter(run["verdict"]["bound_by"] for run in climb.runs).most_common(1)[0][0],
        "command": command_of(last["settings"]),
        "ops_s": _estimate(side.throughput()),
        "cpu_us_per_op": _estimate(cpu_us),
        "p50_us": side.tail(ALL, "p50").whole,
        "p99_us": side.tail(ALL, "p99").whole,
        "cores": cpu_us.whole * HEADLINE_OPS_S / 1e6,
        "over": _over(climb, below) if below else None,
        "runs": [{name: run[name] for name in KEPT} for run in climb.runs],
    }


def _estimate(figure: Figure) -> dict[str, float | None]:
    """A figure with its interval, which one run alone does not have."""
    if len(figure.each) < 2:
        return {"value": figure.whole, "low": None, "high": None}
    logs = figure.logarithms()
    spread = spread_of(logs.whole, logs.each, logs.without)
    known = Difference(spread.estimate, math.hypot(math.sqrt(spread.variance), ERROR_FLOOR), spread.df)
    low, high = (_exp(end) for end in known.interval(LEVEL))
    return {"value": figure.whole, "low": low, "high": high}


def _over(climb: Climb, below: Climb) -> dict[str, Any]:
    """How many times the throughput of the rung below, and how many times less CPU an operation."""
    pair = Pair(RunSet(below.runs, LATENCY), RunSet(climb.runs, LATENCY), RUN_VARIATION)
    return {"rung": below.rung.name, "ops": _factor(pair, THROUGHPUT, 1), "cpu": _factor(pair, CPU, -1)}


def _factor(pair: Pair, metric: Metric, sign: int) -> dict[str, float | None]:
    """The ratio of the candidate's figure to the base's, or (sign -1) of the base's to the candidate's."""
    draft = pair.draft(metric)
    if draft.difference is None:
        return {"factor": (draft.candidate / draft.base) ** sign, "low": None, "high": None}
    low, high = sorted(_exp(sign * end) for end in draft.difference.interval(LEVEL))
    return {"factor": _exp(sign * draft.difference.estimate), "low": low, "high": high}


def _exp(logarithm: float) -> float:
    return math.exp(max(-LARGEST, min(logarithm, LARGEST)))


def measured(document: Document) -> list[dict[str, Any]]:
    """The rungs that have figures, from the bottom up."""
    return [rung for rung in document["rungs"] if rung["state"] == "measured"]


def read_ladder(path: str) -> Document:
    """A ladder from its file. Raises ResultError."""
    try:
        data: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("kind") != KIND or data.get("schema") != SCHEMA:
        raise ResultError(f"{path} is no ladder of this version of cqlsurge (schema {SCHEMA})")
    return data

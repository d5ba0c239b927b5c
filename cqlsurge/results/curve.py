"""The document of a curve, response times against rate (`cqlsurge curve`), and what it says in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cqlsurge.limits.knee import knee
from cqlsurge.results.document import SCHEMA, Document, RunFacts
from cqlsurge.results.files import marked, read_kind
from cqlsurge.units import show_count, show_us

KIND = "cqlsurge curve"
CURVE = marked("curve", f'"kind": "{KIND}"')
PERCENTILES = ("mean", "p50", "p90", "p99", "p99_9", "max")
#: the way back is said to differ where its median response is so much longer or shorter
HYSTERESIS = 0.2
KNEE = "The knee is the rate at which rate / mean response is the largest (Kleinrock's power)."


def point_of(document: Document, rate: float, direction: str, bound_by: str) -> dict[str, Any]:
    """One step at a rate as the document lists it. direction: up, knee (beside it) or down."""
    latencies = document["latency_us"].get("all", {})
    counts = document["operations"]
    return {
        "direction": direction,
        "rate": round(rate, 3),
        "throughput_ops_s": document["throughput_ops_s"],
        "duration_s": document["duration_s"],
        "errors": counts["failed"] + counts["unknown"],
        "bound_by": bound_by,
        "latency_us": {name: {each: round(latencies[name][each], 3) for each in PERCENTILES} for name in latencies},
    }


def knee_of(points: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The knee of a curve's points; None while there are too few. rate None: no knee up to `high`."""
    pairs = [
        (point["throughput_ops_s"], point["latency_us"]["response"]["mean"])
        for point in points
        if "response" in point["latency_us"] and point["throughput_ops_s"] > 0
    ]
    try:
        found = knee(pairs)
    except ValueError:
        return None
    rounded = None if found.rate is None else round(found.rate, 1)
    return {"rate": rounded, "low": round(found.low, 1), "high": round(found.high, 1)}


def hysteresis_of(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each rate that was visited on both ways: p50 and p99 on the way down over those on the way up."""
    up = {point["rate"]: point for point in points if point["direction"] == "up"}
    found = []
    for point in points:
        first = up.get(point["rate"])
        if point["direction"] != "down" or first is None:
            continue
        ratios = {}
        for name in ("p50", "p99"):
            before = first["latency_us"].get("response", {}).get(name, 0.0)
            after = point["latency_us"].get("response", {}).get(name, 0.0)
            ratios[name] = round(after / before, 4) if before else None
        found.append({"rate": point["rate"], **ratios})
    return found


def side(name: str, facts: RunFacts, points: Sequence[dict[str, Any]], closed: dict[str, Any] | None) -> dict[str, Any]:
    """One curve: what it was made with, its points, the closed load's maximum, the knee, the way back."""
    return {
        "name": name,
        "settings": {**facts.settings, "rate": None, "duration": None},
        "engine": facts.engine,
        "runtime": facts.runtime,
        "cluster": facts.cluster,
        "closed": closed,
        "points": list(points),
        "knee": knee_of(points),
        "hysteresis": hysteresis_of(points),
    }


def build(sides: Sequence[dict[str, Any]], facts: RunFacts, *, state: str, ended: str) -> Document:
    """The whole, of one or several curves."""
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "version": facts.version,
        "state": state,
        "ended": ended,
        "started_at": facts.started_at,
        "curves": list(sides),
        "engine": facts.engine,
        "runtime": facts.runtime,
        "host": facts.host,
        "cluster": facts.cluster,
    }


def read_curve(path: str) -> Document:
    """A curve's document from its file. Raises ResultError."""
    return read_kind(path, KIND, "curve")


def curve_lines(curve: dict[str, Any]) -> list[str]:
    """What one curve comes to."""
    lines = []
    if curve["closed"] is not None:
        closed = curve["closed"]
        lines.append(
            f"Closed load, {closed['in_flight']} in flight, reaches {show_count(closed['throughput_ops_s'])} ops/s at "
            f"a p99 of {show_us(closed['p99_us'])}; the {closed['bound_by']} bounds it."
        )
    found = curve["knee"]
    if found is not None and found["rate"] is None:
        lines.append(f"No knee up to {show_count(found['high'])} ops/s: response stays flat.")
    elif found is not None:
        lines.append(
            f"Knee at {show_count(found['rate'])} ops/s; within 1 % of it from {show_count(found['low'])} to "
            f"{show_count(found['high'])}. {KNEE}"
        )
    apart = [one for one in curve["hysteresis"] if one["p50"] and abs(one["p50"] - 1) > HYSTERESIS]
    if apart:
        worst = max(apart, key=lambda one: abs(float(one["p50"]) - 1))
        lines.append(
            f"The way back differs: at {show_count(worst['rate'])} ops/s the median response is {worst['p50']:.2f} "
            "times that of the way up."
        )
    elif curve["hysteresis"]:
        lines.append(f"The way back is the same within {HYSTERESIS:.0%} of the median response.")
    return lines

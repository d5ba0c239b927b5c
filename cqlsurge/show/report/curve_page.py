"""The page of curves: response times by rate, overlaid where there are several, with their knees and all points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from cqlsurge.results.curve import curve_lines
from cqlsurge.results.document import Document
from cqlsurge.show.lines import cluster_line, engine_line
from cqlsurge.show.report.page import MARK, asset, environment
from cqlsurge.show.report.rates import RatePoint, rate_chart
from cqlsurge.show.report.svg import Chart
from cqlsurge.show.report.tables import Table, facts
from cqlsurge.show.terminal.curve import WORDS
from cqlsurge.units import show_count, show_us

HEADS = ("rate", "way", "reached", "mean", "p50", "p90", "p99", "p99.9", "errors", "bound by")
TIMES = ("mean", "p50", "p90", "p99", "p99_9")


def render(documents: Sequence[Document], names: Sequence[str] = ()) -> str:
    """The page of all curves in these documents; `names` go before those of the curves."""
    found: list[tuple[str, dict[str, Any]]] = []
    for at, document in enumerate(documents):
        for curve in document["curves"]:
            label = " ".join(part for part in (names[at] if names else "", curve["name"]) if part)
            found.append((label, curve))
    first = documents[0]
    lines = [f"{label}: {line}" if label else line for label, curve in found for line in curve_lines(curve)]
    return (
        environment()
        .get_template("limits.html")
        .render(
            mark=Markup(MARK),
            style=Markup(asset("report.css")),
            script=Markup(asset("report.js")),
            kicker="cqlsurge curve",
            title="Response time against rate",
            cluster=cluster_line(first["cluster"]),
            engine=engine_line(first["engine"], first["runtime"]),
            lines=lines,
            charts=_charts(found),
            chart_words="Response counts from when an operation was due. Marks: knees, and the closed load's maximum.",
            tables=[(f"Points {label}".strip(), _table(curve)) for label, curve in found],
            document=first,
            environment=Table(["what", "value"], facts(first, ("cluster", "host")), words=1),
        )
    )


def _charts(found: Sequence[tuple[str, dict[str, Any]]]) -> list[Chart]:
    curves = [(label, _points(curve, "up", "knee")) for label, curve in found]
    if not any(points for _, points in curves):
        return []
    marks: list[tuple[float, str, str]] = []
    for label, curve in found:
        if curve["knee"] is not None and curve["knee"]["rate"]:
            rate = curve["knee"]["rate"]
            marks.append((rate, f"knee {label}".strip(), f"knee {label} at {show_count(rate)}/s"))
        if curve["closed"] is not None:
            most = curve["closed"]["throughput_ops_s"]
            marks.append((most, f"closed {label}".strip(), f"closed load {label} reaches {show_count(most)}/s"))
    charts = [rate_chart(curves, marks)]
    back = [(f"{label} back".strip(), _points(curve, "down")) for label, curve in found]
    if len(found) == 1 and back[0][1]:
        up = (f"{found[0][0]} up".strip(), _points(found[0][1], "up"))
        charts.append(rate_chart([up, *back], name="hysteresis"))
    return charts


def _points(curve: dict[str, Any], *directions: str) -> list[RatePoint]:
    return [
        RatePoint(point["rate"], point["latency_us"]["response"])
        for point in curve["points"]
        if point["direction"] in directions and "response" in point["latency_us"]
    ]


def _table(curve: dict[str, Any]) -> Table:
    rows = []
    for point in curve["points"]:
        response = point["latency_us"].get("response", {})
        rows.append([
            f"{show_count(point['rate'])}/s",
            WORDS[point["direction"]] or "up",
            f"{show_count(point['throughput_ops_s'])}/s",
            *(show_us(response[name]) if response else "" for name in TIMES),
            f"{point['errors']:,}",
            point["bound_by"],
        ])  # fmt: skip
    return Table(HEADS, rows)

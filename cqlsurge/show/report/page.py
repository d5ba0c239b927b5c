"""The report: one HTML page of one or several runs that needs no network, no script and no other file.

Its script only adds values under the pointer; all it shows stands in tables too.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cqlsurge import __version__
from cqlsurge.errors import UsageError
from cqlsurge.results.command import command_of
from cqlsurge.results.document import Document
from cqlsurge.results.files import marked
from cqlsurge.results.verdict import lines as verdict_lines
from cqlsurge.show.lines import cluster_line, engine_line
from cqlsurge.show.report import charts, tables
from cqlsurge.show.report.dots import Dots
from cqlsurge.show.report.run import Run
from cqlsurge.show.report.svg import Chart
from cqlsurge.show.report.tables import Table
from cqlsurge.units import show_s

#: what tells our pages from others; stands near their start
MARK = '<meta name="generator" content="cqlsurge report">'
PAGE = marked("report", MARK)
RUNS_LIMIT = 8
EVENTS_LISTED = 200


def render(documents: Sequence[Document], names: Sequence[str], comparisons: Sequence[Comparison] = ()) -> str:
    """The page. `names` are what the runs go by; `comparisons`: of the first run with each other one. UsageError."""
    if len(documents) > RUNS_LIMIT:
        raise UsageError(f"{len(documents)} runs on one page cannot be told apart: give {RUNS_LIMIT} at most")
    letters = string.ascii_uppercase if len(documents) > 1 else [""]
    runs = [Run(document, name, letter) for document, name, letter in zip(documents, names, letters, strict=False)]
    return (
        environment()
        .get_template("report.html")
        .render(
            mark=Markup(MARK),
            style=Markup(asset("report.css")),
            script=Markup(asset("report.js")),
            title=f"cqlsurge: {runs[0].name}" + (f" and {len(runs) - 1} more" if len(runs) > 1 else ""),
            several=len(runs) > 1,
            runs=[_run(run) for run in runs],
            overview=tables.overview(runs) if len(runs) > 1 else None,
            comparisons=comparisons,
            charts=_charts(runs),
            events=[(number, words) for number, _, words in charts.events_of(runs)[:EVENTS_LISTED]],
            version=__version__,
        )
    )


Comparison = tuple[str, Table, Sequence[str]]  # what is compared, the table, notes


@cache
def environment() -> Environment:
    """The templates of pages."""
    environment = Environment(
        loader=PackageLoader("cqlsurge.show.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = _svg
    return environment


def _svg(chart: Chart | Dots) -> Markup:
    return Markup(chart.svg())


def asset(name: str) -> str:
    """The text of a file beside the templates."""
    return files("cqlsurge.show.report").joinpath("templates", name).read_text(encoding="utf-8")


def _charts(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Each chart with the words under it; empty where nothing was measured."""
    timed = [run for run in runs if run.rows]
    found: list[dict[str, Any]] = []
    if timed:
        seconds = max(run.seconds_a_row for run in timed)
        each = "" if seconds < 1.5 else f" Each point stands for up to {show_s(seconds)}; latencies are its worst."
        found.append({"chart": charts.throughput_chart(timed), "words": f"Operations that ended well.{each}"})
        words = f"Of all processes together, from merged histograms, never averaged percentiles.{each}"
        found.append({"chart": charts.latency_chart(timed), "words": words})
    if any(run.merged for run in runs):
        words = (
            "Service counts from sending to the answer, response from when the operation was due: where the two part, "
            "operations waited at the client. Lines end at the slowest operation, or at 99.999 %."
        )
        found.append({"chart": charts.percentile_chart([run for run in runs if run.merged]), "words": words})
    for run in timed:
        chart = charts.heat_chart(run, f"heat{run.letter}")
        if chart is not None:
            found.append({"chart": chart, "words": chart.description})
    return found


def _run(run: Run) -> dict[str, Any]:
    document = run.document
    bound_by, *reasons = verdict_lines(document["verdict"])
    return {
        "label": run.label,
        "letter": run.letter,
        "name": run.name,
        "state": document["state"],
        "started_at": document["started_at"],
        "length": show_s(document["duration_s"]),
        "cluster": cluster_line(document["cluster"]),
        "engine": engine_line(document["engine"], document["runtime"]),
        "load": load_line(document),
        "figures": tables.headline_figures(run),
        "bound_by": bound_by,
        "reasons": reasons,
        "latencies": tables.latencies(run),
        "counts": tables.counts(run),
        "statements": tables.statements(run),
        "errors": tables.errors(run),
        "nodes": tables.nodes(run),
        "shards": tables.shards(run),
        "processes": tables.processes(run),
        "hosts": tables.hosts(run),
        "over_time": tables.over_time(run),
        "settings": tables.settings(run),
        "environment": tables.environment(run),
        "command": command_of(document["settings"]),
    }


def load_line(document: Document) -> str:
    """What was asked of the database, in a sentence."""
    settings = document["settings"]
    workload = document.get("workload")
    verbs = {"write": "writes", "read": "reads", "mixed": f"{settings['read_ratio']:.0%} reads, the rest writes"}
    processes = document["client"]["processes"]
    how = f"{settings['rate']} operations per second asked for" if settings["rate"] else (
        f"{settings['concurrency'] or 1} in flight in each of {processes} load processes"
    )  # fmt: skip
    if workload is not None:
        mix = ", ".join(f"{name} {weight:g}" for name, weight in workload["mix"].items())
        return f"workload {workload['name']}, phase {document['phase']} ({mix}) at {settings['consistency']}, {how}"
    return (
        f"{verbs.get(settings['mode'], settings['mode'])} of {settings['blob_size']:,} bytes at "
        f"{settings['consistency']}, {how}"
    )

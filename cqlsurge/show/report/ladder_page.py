"""The page of a ladder: the table, two charts, and for each rung why it is faster and the lines that do it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from cqlsurge.results.document import Document
from cqlsurge.results.ladder_document import measured
from cqlsurge.results.techniques import RUNGS
from cqlsurge.show.ladder_lines import (
    bound_line,
    cores_text,
    factor_text,
    legend,
    state_line,
    top_line,
    work_line,
)
from cqlsurge.show.lines import cluster_line
from cqlsurge.show.report.dots import Dot, Dots
from cqlsurge.show.report.markdown import MARK as MARKDOWN_MARK
from cqlsurge.show.report.markdown import table_text
from cqlsurge.show.report.page import MARK, asset, environment
from cqlsurge.show.report.tables import Table, facts
from cqlsurge.units import show_count, show_us, three_digits

HEADS = ("rung", "ops/s", "x rung below", "CPU us/op", "x less CPU", "p50", "p99", "cores", "bound by")


def render(document: Document) -> str:
    """The page."""
    return (
        environment()
        .get_template("ladder.html")
        .render(
            mark=Markup(MARK),
            style=Markup(asset("report.css")),
            document=document,
            cluster=cluster_line(document["cluster"]) if document["cluster"] else "",
            work=work_line(document),
            state=state_line(document),
            table=table(document),
            notes=notes(document),
            charts=charts(document),
            codes={name: rung.code for name, rung in RUNGS.items()},
            environment=Table(["what", "value"], facts(document, ("cluster", "host")), words=1),
        )
    )


def markdown(document: Document) -> str:
    """The table and what belongs to it, for a pull request."""
    cluster = cluster_line(document["cluster"]) if document["cluster"] else ""
    lines = [line for line in (cluster, work_line(document), state_line(document)) if line]
    told = "\n".join(f"- {note}" for note in notes(document))
    parts = [MARKDOWN_MARK, "\n".join(lines), table_text(table(document)), told]
    return "\n\n".join(parts) + "\n"


def notes(document: Document) -> list[str]:
    """What is said under the table."""
    return [note for note in (*legend(document), top_line(document), bound_line(document)) if note]


def table(document: Document) -> Table:
    """All rungs, from the bottom up."""
    return Table(HEADS, [_row(rung) for rung in document["rungs"]], words=len(HEADS) - 1)


def _row(rung: dict[str, Any]) -> list[str]:
    if rung["state"] != "measured":
        return [rung["name"], *[""] * (len(HEADS) - 2), "cannot run here" if rung["absent"] else "not measured"]
    over = rung["over"]
    return [
        rung["name"],
        show_count(rung["ops_s"]["value"]),
        factor_text(over["ops"]) if over else "",
        three_digits(rung["cpu_us_per_op"]["value"]),
        factor_text(over["cpu"]) if over else "",
        show_us(rung["p50_us"]),
        show_us(rung["p99_us"]),
        cores_text(rung["cores"]),
        rung["bound_by"],
    ]


def charts(document: Document) -> list[Dots]:
    """Throughput and client CPU of each rung; none where nothing was measured."""
    rungs = measured(document)
    if not rungs:
        return []
    ops = [_dot(rung, "ops_s", show_count) for rung in rungs]
    cpu = [_dot(rung, "cpu_us_per_op", show_us) for rung in rungs]
    return [
        Dots("ops", "Operations per second", _words(ops), "operations per second, logarithmic", ops, show_count, 1),
        Dots("cpu", "Client CPU per operation", _words(cpu), "client CPU per operation, logarithmic", cpu, show_us, 2),
    ]


def _dot(rung: dict[str, Any], name: str, show: Any) -> Dot:
    figure = rung[name]
    interval = "" if figure["low"] is None else f" ({show(figure['low'])} to {show(figure['high'])})"
    return Dot(rung["name"], figure["value"], figure["low"], figure["high"], show(figure["value"]) + interval)


def _words(dots: list[Dot]) -> str:
    return " ".join(f"{dot.name}: {dot.text}." for dot in dots)

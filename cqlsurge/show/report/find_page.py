"""The page of a search for a limit: the answer, response times by rate, each step."""

from __future__ import annotations

from markupsafe import Markup

from cqlsurge.results.document import Document
from cqlsurge.results.find import answer_lines
from cqlsurge.show.lines import cluster_line, engine_line
from cqlsurge.show.report.page import MARK, asset, environment
from cqlsurge.show.report.rates import RatePoint, rate_chart
from cqlsurge.show.report.tables import Table, facts
from cqlsurge.units import show_count, show_s, show_us

HEADS = ("step", "rate", "began", "took", "came to", "p50", "p99", "p99.9", "over the goal", "errors", "bound by")


def render(document: Document) -> str:
    """The page."""
    answer = document["answer"]
    points = [
        RatePoint(record["rate"], record["latency_us"]["response"])
        for record in document["steps"]
        if record["purpose"] != "climb" and "response" in record["latency_us"]
    ]
    marks = [(answer["rate"], "answer", f"answer: {show_count(answer['rate'])}/s")] if answer["rate"] else []
    interval = [(answer["low"], answer["high"])] if answer["high"] else []
    return (
        environment()
        .get_template("limits.html")
        .render(
            mark=Markup(MARK),
            style=Markup(asset("report.css")),
            script=Markup(asset("report.js")),
            kicker="cqlsurge find",
            title=f"The highest rate that holds {document['slo']}",
            cluster=cluster_line(document["cluster"]),
            engine=engine_line(document["engine"], document["runtime"]),
            lines=answer_lines(document),
            charts=[rate_chart([("", points)], marks, interval)] if points else [],
            chart_words="The band is the interval that holds the limit with 95 % confidence."
            if interval and points
            else "",
            tables=[("Steps", table(document))],
            document=document,
            environment=Table(["what", "value"], facts(document, ("cluster", "host")), words=1),
        )
    )


def table(document: Document) -> Table:
    """All steps in their order."""
    rows = []
    for record in document["steps"]:
        response = record["latency_us"].get("response")
        times = [show_us(response[name]) for name in ("p50", "p99", "p99_9")] if response else ["", "", ""]
        rows.append([
            record["purpose"],
            f"{show_count(record['rate'])}/s",
            show_s(record["began_s"]),
            show_s(record["took_s"]),
            record["state"],
            *times,
            ", ".join(f"{share:.2%}" for share in record["over"].values()),
            f"{record['errors']:,}",
            record["bound_by"],
        ])  # fmt: skip
    return Table(HEADS, rows)

"""The summary of runs in Markdown, for pull requests and notes."""

from __future__ import annotations

from collections.abc import Sequence

from cqlsurge.results.command import command_of
from cqlsurge.results.document import Document
from cqlsurge.results.files import marked
from cqlsurge.results.verdict import lines as verdict_lines
from cqlsurge.show.lines import cluster_line, engine_line
from cqlsurge.show.report.page import load_line
from cqlsurge.show.report.run import Run
from cqlsurge.show.report.tables import Table, headline_figures, hosts, latencies, overview, statements
from cqlsurge.units import show_s

MARK = "<!-- cqlsurge report -->"
MARKDOWN = marked("report in Markdown", MARK)


def markdown(documents: Sequence[Document], names: Sequence[str]) -> str:
    """Figures, latencies, verdict and command of each run; before them a table of all where there are several."""
    runs = [Run(document, name) for document, name in zip(documents, names, strict=True)]
    parts = [MARK]
    if len(runs) > 1:
        parts.append(table_text(overview(runs)))
    parts += [_run(run, heading=len(runs) > 1) for run in runs]
    return "\n\n".join(parts) + "\n"


def _run(run: Run, *, heading: bool) -> str:
    document = run.document
    state = f" ({document['state']})" if document["state"] != "done" else ""
    figures = ", ".join(f"{name} **{value}**" for name, value, _ in headline_figures(run))
    bound_by, *reasons = verdict_lines(document["verdict"])
    lines = [f"### {_safe(run.name)}{state}", ""] if heading or state else []
    lines += [
        figures,
        "",
        f"Bound by **{bound_by}**: {_safe('; '.join(reasons))}",
        "",
        table_text(latencies(run)),
        "",
        *([table_text(of_statements), ""] if (of_statements := statements(run)) is not None else []),
        *([table_text(of_hosts), ""] if (of_hosts := hosts(run)) is not None else []),
        f"{_safe(cluster_line(document['cluster']))}. {load_line(document)}. "
        f"{_safe(engine_line(document['engine'], document['runtime']))}. {show_s(document['duration_s'])}.",
        "",
        "```",
        command_of(document["settings"]),
        "```",
    ]
    return "\n".join(lines)


def table_text(table: Table) -> str:
    """A table in Markdown, its first column to the left."""
    lines = [table.heads, [":--", *["--:"] * (len(table.heads) - 1)], *table.rows]
    return "\n".join(f"| {' | '.join(map(_safe, line))} |" for line in lines)


def _safe(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")

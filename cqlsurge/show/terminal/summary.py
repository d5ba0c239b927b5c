"""What a run came to: the summary printed at its end, or from any saved document."""

from __future__ import annotations

from textwrap import wrap
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cqlsurge.results.document import broken_laws
from cqlsurge.results.expectations import lines as expectation_lines
from cqlsurge.results.statements import lines as statement_lines
from cqlsurge.results.until import line as precision_line
from cqlsurge.results.verdict import lines as verdict_lines
from cqlsurge.show.lines import cluster_line, engine_line, headline, load_of, stragglers_line
from cqlsurge.units import show_count, show_s, show_us

WIDTH = 100
#: so much room that every table shows how wide it would like to be
WIDEST = 1000
INDENT = " " * 12
HOSTS_SHOWN = 8
FIGURES = ("mean", "p50", "p90", "p99", "p99_9", "p99_99", "max")
HEADS = [name.replace("p99_", "p99.") for name in FIGURES]
STATE_WORDS = {
    "partial": "PARTIAL: a part of the load was lost; the figures are of what was measured",
    "interrupted": "INTERRUPTED: the figures are of what was measured until then",
    "running": "still running",
    "failed": "FAILED",
}


def print_summary(document: dict[str, Any], stream: TextIO) -> None:
    """Prints the summary of a result document."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, width=WIDTH, color_system=None)
    console.print()
    for line in head_lines(document):
        console.print(Text(line, overflow="fold"))
    if document["latency_us"]:
        table = latency_table(document)
        if Measurement.get(console, console.options.update(width=WIDEST), table).maximum <= console.width:
            console.print(table)
        else:
            console.print("\n".join(["", *latency_lines(document, console.width), ""]))
    for line in tail_lines(document, min(WIDTH, console.width)):
        console.print(Text(line, overflow="fold"))


def head_lines(document: dict[str, Any]) -> list[str]:
    """What ran against what, and how much of it."""
    lines = [cluster_line(document["cluster"]), engine_line(document["engine"], document["runtime"])]
    if document["state"] in STATE_WORDS:
        lines.append(STATE_WORDS[document["state"]])
    counts = document["operations"]
    lines.append("")
    lines.append(
        f"throughput  {show_count(document['throughput_ops_s'])} ops/s   "
        f"({counts['ok']:,} operations ok in {show_s(document['duration_s'])})"
    )
    client = document["client"]
    lines.append(
        f"client      {client['cpu_us_per_op']:.2f} us CPU per operation, {client['processes']} processes, "
        f"at most {client['max_rss_mb']:.0f} MB each"
    )
    hosts = document.get("hosts", [])
    lines += [f"{'hosts' if one is hosts[0] else '':11} {host_line(one)}" for one in hosts[:HOSTS_SHOWN]]
    if hosts:
        more = f"{len(hosts) - HOSTS_SHOWN} more hosts; " if len(hosts) > HOSTS_SHOWN else ""
        lines.append(f"{'':11} {more}all processes began within {client['start_skew_ms']:.1f} ms")
    return lines


def host_line(host: dict[str, Any]) -> str:
    """What one host of several did."""
    if host["lost"]:
        return f"{host['host']}: LOST ({host['lost']}) after {host['operations']['ok']:,} operations ok"
    steal = host["use"].get("steal_share")
    stolen = f", {steal:.0%} steal" if steal else ""
    return (
        f"{host['host']}: {show_count(host['throughput_ops_s'])} ops/s, {len(host['workers'])} processes at "
        f"{host['busy_share']:.0%} CPU{stolen}, clock within {host['clock_error_ms']:.2f} ms"
    )


def latency_rows(document: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Percentiles by kind of operation; with a rate, of response, service and wait. (name, FIGURES in words)."""
    shown = ("service",) if headline(document["settings"]) == "service" else ("response", "service", "wait")
    kinds = [kind for kind in document["latency_us"] if kind != "all"]
    return [
        (f"{kind} {name}", [show_us(document["latency_us"][kind][name][figure]) for figure in FIGURES])
        for kind in (kinds if len(kinds) < 2 else [*kinds, "all"])
        for name in shown
    ]


def latency_lines(document: dict[str, Any], width: int) -> list[str]:
    """The same where there is no room for columns: nothing is left out, however narrow."""
    lines = []
    for name, figures in latency_rows(document):
        # A figure and its unit stay together.
        words = [f"{head} {figure}".replace(" ", "\xa0") for head, figure in zip(HEADS, figures, strict=True)]
        wrapped = wrap(" ".join(words), width, initial_indent="  ", subsequent_indent="  ")
        lines += [name, *(line.replace("\xa0", " ") for line in wrapped)]
    return lines


def latency_table(document: dict[str, Any]) -> Table:
    """latency_rows as a table."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("latency", no_wrap=True)
    for head in HEADS:
        table.add_column(head, justify="right", no_wrap=True)
    for name, figures in latency_rows(document):
        table.add_row(name, *figures)
    return table


def phase_line(phase: dict[str, Any]) -> str:
    """What came of a phase before the last."""
    ok, rate = f"{phase['operations']['ok']:,} operations ok", f"{show_count(phase['throughput_ops_s'])} ops/s"
    return f"{'phase ' + phase['phase']:11} {ok} in {show_s(phase['duration_s'])}, {rate}"


def tail_lines(document: dict[str, Any], width: int = WIDTH) -> list[str]:
    """Errors, what is odd, and the verdict."""
    counts = document["operations"]
    lines = []
    reads = sum(figures["service"]["count"] for kind, figures in document["latency_us"].items() if kind == "read")
    if reads and counts["rows"] < counts["ok"] and load_of(document) == "read":
        lines.append(
            f"rows        {counts['rows']:,} of {counts['ok']:,} reads found one: was it written with this seed?"
        )
    for at, text in enumerate(statement_lines(document)):
        lines.append(f"{'' if at else 'rows':11} {text}")
    lines += [phase_line(phase) for phase in document.get("phases", [])]
    lines += [f"{'' if at else 'expected':11} {text}" for at, text in enumerate(expectation_lines(document))]
    if document["errors"]:
        classes = ", ".join(f"{name} {count:,}" for name, count in document["errors"].items())
        lines.append(f"errors      {counts['failed']:,} failed, {counts['unknown']:,} unknown: {classes}")
        for name, examples in document["error_examples"].items():
            lines += [f"            {name} at {one['t_s']} s, {one['node']}: {one['text']}" for one in examples[:1]]
    if counts["retries"]:
        lines.append(f"retries     {counts['retries']:,}")
    paced = document["settings"].get("rate") is not None
    for name in ("in_flight", "backlog", "skipped", "abandoned", "late"):
        if counts[name] and (paced or name != "late"):
            lines.append(f"{name.replace('_', ' '):11} {counts[name]:,}")
    if line := stragglers_line(document.get("stragglers", {})):
        lines.append(f"stragglers  {line}")
    if precision := document.get("precision"):
        lines.append(f"precision   {precision_line(precision)}")
    first, *more = verdict_lines(document["verdict"])
    lines.append(f"bound by    {first}")
    for text in more:
        lines += wrap(text, width, initial_indent=INDENT, subsequent_indent=INDENT + "  ")
    lines += [f"warning: {law}" for law in broken_laws(document)]
    return lines

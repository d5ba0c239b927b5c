"""The runs of a folder as a table of key figures that fits 80 columns."""

from __future__ import annotations

from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cqlsurge.results.document import Document
from cqlsurge.show.lines import headline
from cqlsurge.units import show_count, show_us

WIDTH = 80
COLUMNS = ("run", "ops/s", "p50", "p99", "us/op", "errors", "bound by")


def print_runs(runs: list[tuple[str, Document]], stream: TextIO) -> None:
    """Prints a line for each (name, document). Latencies are the headline's: response with a rate, else service."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, width=WIDTH, color_system=None)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in COLUMNS:
        left = name in {"run", "bound by"}
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for name, document in runs:
        table.add_row(*row(name, document))
    console.print(table)


def row(name: str, document: Document) -> tuple[str, ...]:
    """The figures of one run as text."""
    figures = document["latency_us"].get("all", {}).get(headline(document["settings"]))
    counts = document["operations"]
    state = document["state"]
    return (
        name,
        show_count(document["throughput_ops_s"]),
        show_us(figures["p50"]) if figures else "",
        show_us(figures["p99"]) if figures else "",
        f"{document['client']['cpu_us_per_op']:.2f}",
        show_count(counts["failed"] + counts["unknown"]),
        document["verdict"]["bound_by"] if state == "done" else state,
    )


def key_figures(document: Document) -> str:
    """A run in one line."""
    figures = document["latency_us"].get("all", {}).get(headline(document["settings"]))
    latency = f", p50 {show_us(figures['p50'])}, p99 {show_us(figures['p99'])}" if figures else ""
    counts = document["operations"]
    errors = counts["failed"] + counts["unknown"]
    return f"{show_count(document['throughput_ops_s'])} ops/s{latency}" + (f", {errors} errors" if errors else "")

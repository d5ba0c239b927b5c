"""The ladder as people read it on a terminal: a table that fits 80 columns, and why each rung is faster."""

from __future__ import annotations

from textwrap import wrap
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cqlsurge.results.document import Document
from cqlsurge.results.techniques import Rung
from cqlsurge.show.ladder_lines import (
    CODE,
    bound_line,
    cores_text,
    factor_text,
    latencies_text,
    legend,
    state_line,
    top_line,
    work_line,
)
from cqlsurge.show.lines import cluster_line
from cqlsurge.units import show_count, three_digits

WIDTH = 80
HEADS = ("rung", "ops/s", "x rung below", "us/op", "x less CPU", "p50/p99 ms", "cores")
NAME_WIDTH = 16


def print_ladder(document: Document, stream: TextIO) -> None:
    """Prints a ladder's document."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, width=WIDTH, color_system=None)
    cluster = cluster_line(document["cluster"]) if document["cluster"] else ""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)
    for name in HEADS:
        table.add_column(name, justify="left" if name == "rung" else "right", no_wrap=True)
    for rung in document["rungs"]:
        table.add_row(*cells(rung))
    console.print()
    print_lines(console, [cluster, work_line(document), state_line(document)])
    console.print()
    console.print(table)
    console.print()
    print_lines(console, [*legend(document), top_line(document), bound_line(document)])
    console.print()
    for rung in document["rungs"]:
        print_lines(console, rung_lines(rung), rung["name"].ljust(NAME_WIDTH))
    console.print()
    print_lines(console, [CODE])


def print_lines(console: Console, texts: list[str], name: str = "") -> None:
    """The texts that say something, wrapped; with a name before the first and space before the others."""
    for text in filter(None, texts):
        indent = " " * len(name)
        for line in wrap(text, min(WIDTH, console.width), initial_indent=name or indent, subsequent_indent=indent):
            console.print(Text(line))
        name = indent


def cells(rung: dict[str, Any]) -> list[str]:
    """A row of the table; empty but for the name where nothing was measured."""
    if rung["state"] != "measured":
        return [rung["name"], *["-"] * (len(HEADS) - 1)]
    over = rung["over"]
    ops, cpu = (factor_text(over["ops"]), factor_text(over["cpu"])) if over else ("", "")
    return [
        rung["name"],
        show_count(rung["ops_s"]["value"]),
        ops,
        three_digits(rung["cpu_us_per_op"]["value"]),
        cpu,
        latencies_text(rung),
        cores_text(rung["cores"]),
    ]


def rung_lines(rung: dict[str, Any]) -> list[str]:
    """Why a rung is faster and where to read on; or why it was not measured, and which runs do not count."""
    if rung["absent"]:
        told = [f"cannot run here: {rung['absent']}"]
    elif rung["state"] != "measured":
        told = ["not measured"]
    else:
        told = [rung["why"], rung["where"]]
    return told + [f"does not count: {text}" for text in rung["left_out"]]


def explain(rung: Rung) -> str:
    """A rung with its lines of code."""
    return f"{rung.name}: {rung.title}\n{rung.why}\n{rung.where}\n\n{rung.code}"

"""Curves of response time against rate as people read them on a terminal."""

from __future__ import annotations

from typing import Any, TextIO

from rich.text import Text

from cqlsurge.results.curve import curve_lines
from cqlsurge.results.document import Document
from cqlsurge.show.lines import cluster_line
from cqlsurge.show.terminal.rates import RateRow, console_of, picture
from cqlsurge.units import show_count, show_us

WORDS = {"up": "", "down": "way back", "knee": "beside the knee"}
#: a rate that was reached less well than this was not reached
REACHED = 0.97


def print_curves(document: Document, stream: TextIO) -> None:
    """Prints a document of curves."""
    console = console_of(stream)
    for curve in document["curves"]:
        console.print()
        console.print(Text(cluster_line(curve["cluster"]) + (f": {curve['name']}" if curve["name"] else "")))
        points = sorted(curve["points"], key=lambda point: (float(point["rate"]), point["direction"] != "up"))
        rows = [
            RateRow(point["rate"], response["p50"], response["p99"], words_of(point))
            for point in points
            if (response := point["latency_us"].get("response"))
        ]
        console.print(picture(rows))
        console.print()
        for line in curve_lines(curve):
            console.print(Text(line))
    if document["ended"]:
        console.print(Text(f"Ended early: {document['ended']}."))


def words_of(point: dict[str, Any]) -> str:
    """What there is to say of a point."""
    words = [WORDS[point["direction"]]]
    if point["throughput_ops_s"] < REACHED * point["rate"]:
        words.append(f"only {show_count(point['throughput_ops_s'])}/s ({point['bound_by']})")
    if point["errors"]:
        words.append(f"{point['errors']:,} errors")
    return ", ".join(word for word in words if word)


def point_line(name: str, point: dict[str, Any]) -> str:
    """A point on one line."""
    response = point["latency_us"].get("response", {"p50": 0.0, "p99": 0.0})
    said = words_of(point)
    return (
        f"{name}{' ' if name else ''}{show_count(point['rate']):>7}/s  p50 {show_us(response['p50'])}  "
        f"p99 {show_us(response['p99'])}{'  ' + said if said else ''}"
    )

"""A search for a limit as people read it on a terminal: the answer, and what was seen at each rate."""

from __future__ import annotations

from typing import TextIO

from rich.text import Text

from cqlsurge.results.document import Document
from cqlsurge.results.find import answer_lines
from cqlsurge.show.lines import cluster_line
from cqlsurge.show.terminal.rates import RateRow, console_of, picture


def print_find(document: Document, stream: TextIO) -> None:
    """Prints the document of a search."""
    console = console_of(stream)
    console.print()
    console.print(Text(cluster_line(document["cluster"])))
    rows = [
        RateRow(
            record["rate"],
            record["latency_us"].get("response", {}).get("p50", 0.0),
            record["latency_us"].get("response", {}).get("p99", 0.0),
            f"{record['state']}{', long' if record['purpose'] == 'hold' else ''}",
        )
        for record in sorted(document["steps"], key=lambda record: float(record["rate"]))
        if record["purpose"] != "climb"
    ]
    if rows:
        console.print(picture(rows))
    console.print()
    for line in answer_lines(document):
        console.print(Text(line))

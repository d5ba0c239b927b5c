"""Response times by rate as a picture of lines, a rate each: what `find` and `curve` print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cqlsurge.units import show_count, show_us

BAR = 26


@dataclass(frozen=True)
class RateRow:
    """A rate with its response times; `words`: what is said of it. A mean of 0: nothing ended."""

    rate: float
    p50_us: float
    p99_us: float
    words: str = ""


def picture(rows: Sequence[RateRow], title: str = "") -> Table:
    """The rows with bars from p50 to p99 on one logarithmic scale."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), title=title or None, title_justify="left")
    for name in ("rate", "p50", "p99"):
        table.add_column(name, justify="right", no_wrap=True)
    measured = [row for row in rows if row.p99_us > 0]
    low = min((row.p50_us for row in measured), default=1.0)
    high = max((row.p99_us for row in measured), default=10.0)
    table.add_column(f"{show_us(low)} to {show_us(high)}, log", no_wrap=True)
    table.add_column("", no_wrap=False)
    for row in rows:
        times = (show_us(row.p50_us), show_us(row.p99_us)) if row.p99_us > 0 else ("-", "-")
        table.add_row(show_count(row.rate), *times, bar(row, low, high), row.words)
    return table


def bar(row: RateRow, low_us: float, high_us: float) -> Text:
    """Dots up to p50, a line from there to p99."""
    if row.p99_us <= 0:
        return Text("")
    span = math.log(max(high_us / low_us, 1.01))
    begin = round((BAR - 1) * math.log(max(row.p50_us, low_us) / low_us) / span)
    end = round((BAR - 1) * math.log(max(row.p99_us, low_us) / low_us) / span)
    return Text("." * begin + "=" * max(1, end - begin + 1))


def console_of(stream: object) -> Console:
    """A console that fits what it writes to."""
    console = Console(file=stream, highlight=False)  # type: ignore[arg-type]
    return console if console.is_terminal else Console(file=stream, highlight=False, width=100, color_system=None)  # type: ignore[arg-type]

"""One run as a report sees it: its document, the letter and name it goes by, its curves. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cqlsurge.load.latency.hdr import decode
from cqlsurge.load.latency.histogram import add, percentiles
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.load.pacing.notation import parse
from cqlsurge.results.document import Document
from cqlsurge.results.timeline import cells_text, heat_cells
from cqlsurge.show.lines import headline

#: columns that a chart over time has at most
COLUMNS = 300
#: percentile curves end at 99.999, five nines
NINES = 5
STEPS = 24


@dataclass(frozen=True)
class Run:
    """A run of a report. Letters go from A; a single run has none."""

    document: Document
    name: str
    letter: str = ""

    @property
    def label(self) -> str:
        """Letter and name."""
        return f"{self.letter} {self.name}".strip()

    def tag(self, text: str) -> str:
        """A line's name: the text, with the letter in front where there are several runs."""
        return f"{self.letter} {text}".strip()

    @property
    def headline(self) -> str:
        """Which latency is told first."""
        return headline(self.document["settings"])

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The timeline in at most COLUMNS rows; `start_s` is where each begins."""
        rows = self.document["timeline"]
        size = max(1, math.ceil(len(rows) / COLUMNS))
        return [_joined(rows[at : at + size]) for at in range(0, len(rows), size)]

    @property
    def seconds_a_row(self) -> float:
        """How much time most rows of `rows` hold."""
        return float(max((row["span_s"] for row in self.rows), default=1.0))

    @cached_property
    def asked(self) -> list[tuple[float, float]]:
        """(time in seconds, operations per second asked for); empty without a rate, or where keys have changed it."""
        rate = self.document["settings"].get("rate")
        if rate is None or any("rate_factor" in event for event in self.document["events"]):
            return []
        try:
            shape = parse(rate)
        except (ValueError, OSError):  # a file of rates that is not here
            return []
        points = []
        for row in self.rows:
            begin_ns, end_ns = (max(0, int(row[name] * 1e9)) for name in ("start_s", "t_s"))
            count = shape.count_before(end_ns) - shape.count_before(begin_ns)
            points.append((row["t_s"], count * 1e9 / max(1, end_ns - begin_ns)))
        return points

    @cached_property
    def merged(self) -> dict[str, list[int]]:
        """The histograms of wait, service and response over all kinds."""
        found: dict[str, list[int]] = {}
        for by_latency in self.document["histograms"].values():
            for name, text in by_latency.items():
                add(found.setdefault(name, new_counts()), decode(text))
        return found

    def curve(self, latency: str) -> list[tuple[float, float]]:
        """(nines, latency in us) up to 99.999 or as far as the operations reach: 1 nine is 90 %, 2 are 99 %."""
        counts = self.merged.get(latency)
        total = sum(counts) if counts else 0
        if not counts or not total:
            return []
        last = min(float(NINES), math.log10(total))
        nines = [at / STEPS for at in range(math.floor(last * STEPS) + 1)]
        values = percentiles(counts, [100 * (1 - 10**-nine) for nine in nines])
        return [(nine, value / 1000) for nine, value in zip(nines, values, strict=True)]


def _joined(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Some neighbouring rows as one: counts added, the worst of their percentiles, heat put together."""
    span_s = sum(row["span_s"] for row in rows)
    heat: dict[int, int] = {}
    for row in rows:
        for cell, count in heat_cells(row["heat"]).items():
            heat[cell] = heat.get(cell, 0) + count
    return {
        "t_s": rows[-1]["t_s"],
        "start_s": rows[-1]["t_s"] - span_s,
        "span_s": span_s,
        "ok": sum(row["ok"] for row in rows),
        "errors": sum(row["errors"] for row in rows),
        "p50_us": max(row["p50_us"] for row in rows),
        "p99_us": max(row["p99_us"] for row in rows),
        "p99_9_us": max(row["p99_9_us"] for row in rows),
        "warmup": all(row["warmup"] for row in rows),
        "heat": cells_text(heat),
    }

"""One side of a comparison: one or several runs, their figures together, apart, and with each run left out.

Percentiles come from merged histograms, placed inside their cell by rank, so that a cell's width does not show as a
step. The figures of each run, and those with one run left out, are what the variation is estimated from.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from cqlsurge.errors import ResultError
from cqlsurge.load.latency.hdr import cells
from cqlsurge.load.latency.histogram import PERCENTILES
from cqlsurge.load.latency.layout import index_of, lowest_at, median_at, width_at
from cqlsurge.results.document import Document

ALL = "all"
MEASURED = "measure"  # the phase that a run is made for
#: seconds at each end of a run that are left out of its series: they are incomplete
EDGE_ROWS = 1

Cells = dict[int, int]


@dataclass(frozen=True)
class ComparedRun:
    """The figures of one run that a comparison needs. Histograms are {kind: {cell: count}}, kinds and `all`."""

    ok: int
    finished: int
    errors: int
    ended: int  # of the whole run, as the errors are
    duration_s: float
    cpu_s: float
    started_at: str
    histograms: dict[str, Cells]
    rows: list[dict[str, Any]]


def read_run(document: Document, latency: str) -> ComparedRun:
    """The figures of a document. Raises ResultError where nothing was measured."""
    duration_s = float(document["duration_s"])
    ok = round(document["throughput_ops_s"] * duration_s)
    client, counts = document["client"], document["operations"]
    if duration_s <= 0 or not ok:
        raise ResultError(f"the run of {document['started_at']} measured nothing: leave it out")
    if document.get("phase", MEASURED) != MEASURED:
        raise ResultError(f"the run of {document['started_at']} ended while it wrote its population: leave it out")
    errors = int(counts["failed"] + counts["unknown"])
    finished = max(
        ok, sum(figures[latency]["count"] for kind, figures in document["latency_us"].items() if kind != ALL)
    )
    kinds = {kind: dict(cells(by_latency[latency])) for kind, by_latency in document["histograms"].items()}
    merged: Cells = {}
    for counted in kinds.values():
        for index, count in counted.items():
            merged[index] = merged.get(index, 0) + count
    return ComparedRun(
        ok=ok,
        finished=finished,
        errors=errors,
        ended=int(counts["ok"]) + errors,
        duration_s=duration_s,
        cpu_s=client["cpu_us_per_op"] * finished / 1e6,
        started_at=str(document["started_at"]),
        histograms={**kinds, ALL: merged},
        rows=[row for row in document.get("timeline", []) if not row.get("warmup")][EDGE_ROWS:-EDGE_ROWS],
    )


@dataclass(frozen=True)
class Figure:
    """A figure of a side: of all its runs, of each run alone, and of all but one (empty where there is one only)."""

    whole: float
    each: list[float]
    without: list[float]

    def logarithms(self) -> Figure:
        """The same in logarithms, whose differences are ratios."""
        each, without = [math.log(one) for one in self.each], [math.log(one) for one in self.without]
        return Figure(math.log(self.whole), each, without)


class RunSet:
    """The runs of one side."""

    def __init__(self, documents: Sequence[Document], latency: str) -> None:
        self.runs = [read_run(document, latency) for document in documents]
        self._tails: dict[str, dict[str, Figure]] = {}

    @cached_property
    def kinds(self) -> set[str]:
        """Kinds of operations that every run has."""
        return set.intersection(*(set(run.histograms) for run in self.runs)) - {ALL}

    def throughput(self) -> Figure:
        """Operations ok per second."""
        return self._ratios([(run.ok, run.duration_s) for run in self.runs])

    def cpu_us(self) -> Figure:
        """Client CPU in microseconds an operation."""
        return self._ratios([(run.cpu_s * 1e6, run.finished) for run in self.runs])

    def error_share(self) -> Figure:
        """Failed and unknown operations as a share of those that ended."""
        return self._ratios([(run.errors, run.ended) for run in self.runs])

    def tail(self, kind: str, name: str) -> Figure:
        """The mean, or a percentile, in microseconds."""
        if kind not in self._tails:
            self._tails[kind] = self._all_tails(kind)
        return self._tails[kind][name]

    def count(self, kind: str) -> float:
        """Operations of a kind in a run, on average."""
        return sum(sum(run.histograms[kind].values()) for run in self.runs) / len(self.runs)

    def _ratios(self, pairs: list[tuple[float, float]]) -> Figure:
        """Sums over sums."""
        above, below = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        without = [(above - a) / (below - b) for a, b in pairs] if len(pairs) > 1 else []
        return Figure(above / below, [a / b for a, b in pairs], without)

    def _all_tails(self, kind: str) -> dict[str, Figure]:
        cells = sorted(set().union(*(run.histograms[kind] for run in self.runs)))
        each = [[run.histograms[kind].get(index, 0) for index in cells] for run in self.runs]
        total = [sum(counts) for counts in zip(*each, strict=True)]
        without = [[a - b for a, b in zip(total, one, strict=True)] for one in each] if len(each) > 1 else []
        rows = [_figures_us(cells, counts) for counts in (total, *each, *without)]
        past = 1 + len(each)
        return {
            name: Figure(rows[0][name], [row[name] for row in rows[1:past]], [row[name] for row in rows[past:]])
            for name in rows[0]
        }


def _figures_us(cells: Sequence[int], counts: Sequence[int]) -> dict[str, float]:
    """Mean and percentiles in microseconds of the counts at these cells."""
    seen = list(accumulate(counts))
    total = sum(median_at(index) * count for index, count in zip(cells, counts, strict=True))
    return {
        "mean": total / seen[-1] / 1000,
        **{name: _percentile_us(cells, seen, percentile) for name, percentile in PERCENTILES},
    }


def _percentile_us(cells: Sequence[int], seen: Sequence[int], percentile: float) -> float:
    """A percentile in microseconds, placed inside its cell as if its latencies lay evenly there."""
    rank = percentile / 100 * seen[-1]
    at = min(bisect_left(seen, rank), len(cells) - 1)
    before = seen[at - 1] if at else 0
    index = cells[at]
    inside = (rank - before) / (seen[at] - before)
    return (lowest_at(index) + width_at(index) * inside) / 1000


def resolution(value_us: float) -> float:
    """The width of the histogram's cell at a latency, as a share of it."""
    value_ns = max(1, round(value_us * 1000))
    return width_at(index_of(value_ns)) / value_ns


def series(run: ComparedRun, name: str) -> list[float]:
    """A figure of a run second by second, for its variation within the run; empty where it cannot be had.

    Logarithms, but for `errors`, which are shares. Mean and p90 have no series of their own.
    """
    if name == "throughput":
        spans = ((row["ok"], row.get("span_s", 1.0)) for row in run.rows)
        return [math.log(max(ok, 0.5) / span_s) for ok, span_s in spans if span_s > 0]
    if name == "errors":
        return [row["errors"] / max(1, row["ok"] + row["errors"]) for row in run.rows]
    key = f"{name}_us"
    return [math.log(row[key]) for row in run.rows if row.get(key, 0) > 0]

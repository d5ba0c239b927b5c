"""The timeline of a run: a row a second, thinned out where a run is long, so that it stays bounded.

At LIMIT rows, two neighbours become one from then on: counts are added and histograms merged, so a row's percentiles
are always those of all its operations. A row carries its latencies coarsely too (`heat`), for
the heat map of reports.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from functools import cache
from math import log2
from typing import Any

from cqlsurge.load.latency.hdr import cells, decode, encode
from cqlsurge.load.latency.histogram import percentiles
from cqlsurge.load.latency.layout import COUNTS_LENGTH, LOWEST_DISCERNIBLE_NS, lowest_at
from cqlsurge.results.seconds import Second

LIMIT = 3600
#: seconds kept one by one for live displays
RECENT = 600
#: pairs of rows that become one with each new row, where the timeline is thinned out
PAIRS_A_ROW = 4
#: cells of the heat row are a quarter of an octave high: cell i begins at 64 ns * 2 ** (i / 4)
HEAT_STEPS = 4

PERCENTILES_OF_ROWS = (("p50_us", 50.0), ("p99_us", 99.0), ("p99_9_us", 99.9))

Row = dict[str, Any]


class Timeline:
    """`rows` is the timeline of the result; `recent` the last seconds, never thinned."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.rows: list[Row] = []
        self.recent: deque[Row] = deque(maxlen=RECENT)
        self._limit = limit
        self._step = 1  # seconds a row may hold
        self._held = 0  # seconds the last row holds
        self._texts: list[str] = []  # of each row: its histogram, as text, which takes little room
        _heat_begins()  # takes 6 ms the first time: not while there is load
        self._pairs = self._pair = 0  # how many pairs of rows are still to become one, and where the next is

    @property
    def last_s(self) -> int:
        """When the last row ends; 0 before there is one."""
        return int(self.rows[-1]["t_s"]) if self.rows else 0

    def add(self, second: Second) -> None:
        """Takes the next second."""
        text = encode(second.counts)
        row = _row(second)
        self.recent.append(row)
        if self.rows and self._held < self._step:
            self._held += 1
            self.rows[-1], self._texts[-1] = _merged(self.rows[-1], self._texts[-1], row, text)
        else:
            if len(self.rows) >= self._limit:
                self._step *= 2
                self._pairs, self._pair = self._limit // 2, 0
            self._thin()
            self.rows.append(row)
            self._texts.append(text)
            self._held = 1

    def _thin(self) -> None:
        """Makes one row of two, for the next few pairs: all at once would hold up the session for seconds."""
        for _ in range(min(self._pairs, PAIRS_A_ROW)):
            at, rows, texts = self._pair, self.rows, self._texts
            rows[at], texts[at] = _merged(rows[at], texts[at], rows[at + 1], texts[at + 1])
            del rows[at + 1], texts[at + 1]
            self._pairs -= 1
            self._pair += 1


def _row(second: Second) -> Row:
    figures = {
        "t_s": second.t_s,
        "span_s": round(second.span_s, 3),
        "ok": second.ok,
        "errors": second.errors,
        "in_flight": second.in_flight,
        "backlog": second.backlog,
        "warmup": second.warmup,
    }
    return figures | _latencies(second.counts)


def _latencies(counts: Sequence[int]) -> Row:
    values = percentiles(counts, [wanted for _, wanted in PERCENTILES_OF_ROWS])
    figures: Row = {name: ns / 1000 for (name, _), ns in zip(PERCENTILES_OF_ROWS, values, strict=True)}
    return {**figures, "heat": heat_text(counts)}


def _merged(first: Row, first_text: str, then: Row, then_text: str) -> tuple[Row, str]:
    counts = decode(first_text)
    for index, count in cells(then_text):
        counts[index] += count
    sums = {
        **then,
        "span_s": round(first["span_s"] + then["span_s"], 3),
        "ok": first["ok"] + then["ok"],
        "errors": first["errors"] + then["errors"],
        "warmup": first["warmup"] or then["warmup"],
    }
    return sums | _latencies(counts), encode(counts)


@cache
def _heat_begins() -> list[int]:
    """The index of a histogram at which each heat cell begins; the last one is where the last cell ends."""
    units = (lowest_at(index) // LOWEST_DISCERNIBLE_NS for index in range(COUNTS_LENGTH))
    cell_of = [int(HEAT_STEPS * log2(unit) + 1e-9) if unit else 0 for unit in units]
    return [bisect_left(cell_of, cell) for cell in range(cell_of[-1] + 2)]


def heat_text(counts: Sequence[int]) -> str:
    """A histogram coarsely: the first cell that is not empty, then the count of it and of all up to the last."""
    begins = _heat_begins()
    sums = ((cell, sum(counts[begins[cell] : begins[cell + 1]])) for cell in range(len(begins) - 1))
    return cells_text({cell: count for cell, count in sums if count})


def cells_text(cells: dict[int, int]) -> str:
    """{cell: count} as `heat` has it."""
    if not cells:
        return ""
    first, last = min(cells), max(cells)
    return " ".join(str(number) for number in (first, *(cells.get(cell, 0) for cell in range(first, last + 1))))


def heat_cells(text: str) -> dict[int, int]:
    """{cell: count} of a row's `heat`."""
    first, *counts = map(int, text.split()) if text else (0,)
    return {first + at: count for at, count in enumerate(counts) if count}


def heat_from_us(cell: float) -> float:
    """The latency at which a heat cell begins, in microseconds."""
    return float(LOWEST_DISCERNIBLE_NS / 1000 * 2 ** (cell / HEAT_STEPS))


def thinned(rows: Sequence[Row], limit: int) -> list[Row]:
    """Rows that know no histogram but their `heat`, neighbours merged until there are no more than `limit`.

    A merged row's percentiles are then known to a quarter of an octave, rounded up.
    """
    found = list(rows)
    while len(found) > limit:
        pairs = zip(found[::2], found[1::2], strict=False)
        found = [_merged_by_heat(first, then) for first, then in pairs] + found[len(found) - len(found) % 2 :]
    return found


def _merged_by_heat(first: Row, then: Row) -> Row:
    cells = heat_cells(first["heat"])
    for cell, count in heat_cells(then["heat"]).items():
        cells[cell] = cells.get(cell, 0) + count
    sums = {
        **then,
        "span_s": round(first["span_s"] + then["span_s"], 3),
        "ok": first["ok"] + then["ok"],
        "errors": first["errors"] + then["errors"],
        "warmup": first["warmup"] or then["warmup"],
        "heat": cells_text(cells),
    }
    for name, wanted in PERCENTILES_OF_ROWS:
        sums[name] = min(_of_cells(cells, wanted), max(first[name], then[name]))
    return sums


def _of_cells(cells: dict[int, int], percentile: float) -> float:
    rank, seen = percentile / 100 * sum(cells.values()), 0
    for cell in sorted(cells):
        seen += cells[cell]
        if seen >= rank:
            return round(heat_from_us(cell + 1), 3)
    return 0.0

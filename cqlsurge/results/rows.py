"""What the rows of a timeline show: times without an answer, and where along a rate the answers fell behind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: seconds without an answer that are worth a word; rows of the timeline are a second long
SILENCE_S = 0.9
#: answers are behind where operations due so long ago are open, and so many times the median of the best second
BEHIND_S = 0.1
BEHIND_TIMES = 3
#: they begin to be where that is more than this
USUAL_S = 0.01
USUAL_TIMES = 2
#: open operations that say nothing, whatever the rate
FEW_OPEN = 2

Row = Mapping[str, Any]


@dataclass(frozen=True)
class GaveWay:
    """From `t_s` on, at `rate_ops_s`, answers fell behind; in the end they were `behind_s` late, at `last_ops_s`."""

    t_s: float
    rate_ops_s: float
    behind_s: float
    last_ops_s: float


def silences(rows: Iterable[Row]) -> list[tuple[float, float]]:
    """(begin, end) in seconds of each time in which something was in flight or due, and nothing ended."""
    found: list[tuple[float, float]] = []
    waiting, heard = 0, False
    for row in rows:
        begin_s, end_s = row["t_s"] - row["span_s"], float(row["t_s"])
        heard = heard or bool(row["ok"] + row["errors"])
        still = heard and waiting and open_at(row) and not row["ok"] + row["errors"]
        if still and found and begin_s - found[-1][1] < SILENCE_S / 2:
            found[-1] = (found[-1][0], end_s)
        elif still:
            found.append((begin_s, end_s))
        waiting = open_at(row)
    return [(begin_s, end_s) for begin_s, end_s in found if end_s - begin_s > SILENCE_S]


def open_at(row: Row) -> int:
    """Operations that were in flight or due at a row's end."""
    return int(row["in_flight"] + row["backlog"])


def gave_way(rows: Sequence[Row]) -> GaveWay | None:
    """Where answers fell behind for good; None where they kept up in the end. A rate of operations was asked for."""
    medians_us = [row["p50_us"] for row in rows if row["ok"] and not row["warmup"]]
    usual_s = min(medians_us, default=0.0) / 1e6
    begin: tuple[float, float] | None = None  # of the rows that were not as usual: when, and the rate then
    found: GaveWay | None = None
    before = 0
    for row in rows:
        span_s, still_open = max(row["span_s"], 1e-3), open_at(row)
        rate_ops_s = max(0, row["ok"] + row["errors"] + still_open - before) / span_s
        before = still_open
        if still_open <= max(FEW_OPEN, rate_ops_s * (USUAL_S + USUAL_TIMES * usual_s)):
            begin = found = None
            continue
        begin = begin or (max(0.0, row["t_s"] - row["span_s"]), rate_ops_s)
        behind_s = still_open / rate_ops_s if rate_ops_s else span_s
        late = found is not None or behind_s > BEHIND_S + BEHIND_TIMES * usual_s
        found = GaveWay(*begin, behind_s, rate_ops_s) if late else None
    return found

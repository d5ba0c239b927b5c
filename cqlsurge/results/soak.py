"""Whether a long run has drifted: its end compared with its beginning, from the rows of its timeline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cqlsurge.results.document import Document
from cqlsurge.results.statistics import Difference, series_spread
from cqlsurge.units import show_count, show_s, show_us

#: the beginning and the end that are compared: this share of the time, an hour at most
PART = 0.25
PART_S = 3600.0
LEVEL = 0.05
#: a smaller change is no drift, however sure it is
SMALLEST = 0.05
FIGURES = (("rate", "ok"), ("p50", "p50_us"), ("p99", "p99_us"))


def drift_of(document: Document) -> list[dict[str, Any]]:
    """For rate, p50 and p99: the typical value at the beginning and the end, their ratio with its 95 % interval.

    `drifts`: None where there are too few rows to tell. Rows of a warm-up do not count.
    """
    rows = [row for row in document["timeline"] if not row["warmup"] and row["ok"]]
    if not rows:
        return []
    begin_s, end_s = rows[0]["t_s"], rows[-1]["t_s"]
    part_s = min(PART_S, PART * (end_s - begin_s))
    first = [row for row in rows if row["t_s"] <= begin_s + part_s]
    last = [row for row in rows if row["t_s"] >= end_s - part_s]
    return [_compared(name, key, first, last, part_s) for name, key in FIGURES]


def _compared(
    name: str, key: str, first: Sequence[dict[str, Any]], last: Sequence[dict[str, Any]], part_s: float
) -> dict[str, Any]:
    told: dict[str, Any] = {"figure": name, "part_s": round(part_s, 3), "first": None, "last": None, "drifts": None}
    before, after = (
        series_spread(_level([math.log(value) for row in rows if (value := _value(row, key)) > 0]))
        for rows in (first, last)
    )
    if before is None or after is None:
        return told
    error = math.sqrt(before.variance + after.variance)
    difference = Difference(after.estimate - before.estimate, error, min(before.df, after.df))
    low, high = difference.interval(LEVEL) if error else (difference.estimate, difference.estimate)
    told.update(
        first=round(math.exp(before.estimate), 3),
        last=round(math.exp(after.estimate), 3),
        ratio=round(math.exp(difference.estimate), 4),
        low=round(math.exp(low), 4),
        high=round(math.exp(high), 4),
        drifts=(low > 0) == (high > 0) and abs(difference.estimate) > SMALLEST,
    )
    return told


def _level(values: list[float]) -> list[float]:
    """The values without the straight line through them, their mean kept: a slope within a part is drift, not noise."""
    if len(values) < 3:
        return values
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    squares = sum((at - middle) ** 2 for at in range(len(values)))
    slope = sum((at - middle) * (value - mean) for at, value in enumerate(values)) / squares
    return [value - slope * (at - middle) for at, value in enumerate(values)]


def _value(row: dict[str, Any], key: str) -> float:
    return row["ok"] / max(row["span_s"], 1e-3) if key == "ok" else float(row[key])


def drift_lines(document: Document) -> list[str]:
    """The comparison in words, a line a figure; what was cut off, and alarms."""
    lines = []
    for one in drift_of(document):
        if one["drifts"] is None:
            lines.append(f"{one['figure']}: too short a run to tell whether it drifts")
            continue
        show = show_count if one["figure"] == "rate" else show_us
        word = "drifts" if one["drifts"] else "steady"
        ratio = f"{one['ratio'] - 1:+.1%}, {one['low'] - 1:+.1%} to {one['high'] - 1:+.1%}"
        first, last, part = show(one["first"]), show(one["last"]), show_s(one["part_s"])
        lines.append(f"{one['figure']}: {word}, {first} in the first {part}, {last} in the last ({ratio})")
    lines += [
        f"cut off at {show_s(resume['after_s'])}, taken up again after {show_s(resume['gap_s'])}; "
        f"{resume['again']:,} operations may have been done twice"
        for resume in document.get("resumes", [])
    ]
    alarms = sum("alarm" in event and event["event"].startswith("alarm:") for event in document["events"])
    if alarms:
        lines.append(f"{alarms} alarm{'s' if alarms > 1 else ''}")
    return lines

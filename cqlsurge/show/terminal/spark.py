"""Figures over time and shares, as a few characters. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_.-:=+*#"


def spark(values: Sequence[float], *, plain: bool = False) -> str:
    """A character a value, from 0 to the highest of them."""
    blocks = PLAIN_BLOCKS if plain else BLOCKS
    highest = max(values, default=0.0)
    if highest <= 0:
        return blocks[0] * len(values)
    return "".join(blocks[min(len(blocks) - 1, int(value / highest * len(blocks)))] for value in values)


def gauge(share: float, width: int, *, plain: bool = False) -> str:
    """A bar of `width` characters, filled to a share of 1."""
    full, rest = ("#", "-") if plain else ("━", "╌")
    filled = round(min(max(share, 0.0), 1.0) * width)
    return full * filled + rest * (width - filled)


def columns(rows: Sequence[dict[str, Any]], width: int, *names: str) -> tuple[int, list[list[float]]]:
    """Rows of a timeline in at most `width` columns: (seconds a column, the worst value of each name in each column).

    `ops_s` is the mean instead. Columns begin at whole multiples of their length, so that they do not flicker.
    """
    if not rows or width < 1:
        return 1, [[] for _ in names]
    seconds = max(1, math.ceil((rows[-1]["t_s"] - rows[0]["t_s"] + 1) / width))
    # One more than needed may be begun at each end.
    seconds += seconds > 1 and rows[-1]["t_s"] // seconds - rows[0]["t_s"] // seconds >= width
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["t_s"] // seconds, []).append(row)
    kept = [groups[at] for at in sorted(groups)][-width:]
    return seconds, [[_value(group, name) for group in kept] for name in names]


def _value(group: Iterable[dict[str, Any]], name: str) -> float:
    if name == "ops_s":
        rows = list(group)
        return float(sum(row["ok"] for row in rows) / max(0.001, sum(row["span_s"] for row in rows)))
    return float(max(row[name] for row in group))


def spread(values: Sequence[float], show: Callable[[float], str]) -> str:
    """`12 to 15`, or one value where all are shown alike."""
    low, high = show(min(values, default=0.0)), show(max(values, default=0.0))
    return low if low == high else f"{low} to {high}"

"""How long answers lay in the load processes' sockets, from the counts that these report as gauges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cqlsurge.load.engines.wire.receive_stamps import GAUGE


def receive_delay(gauges: Mapping[str, float]) -> dict[str, Any] | None:
    """{samples, p50, p90, p99, max}: microseconds that so many of the samples did not exceed; None without samples."""
    counts = {int(name[len(GAUGE) :]): round(count) for name, count in gauges.items() if name.startswith(GAUGE)}
    cells = sorted(cell for cell, count in counts.items() if count > 0)
    samples = sum(counts[cell] for cell in cells)
    if not samples:
        return None
    return {
        "samples": samples,
        **{name: _at(counts, cells, share * samples) for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))},
        "max": cells[-1],
    }


def _at(counts: Mapping[int, int], cells: list[int], rank: float) -> int:
    below = 0
    for cell in cells:
        below += counts[cell]
        if below >= rank:
            return cell
    return cells[-1]

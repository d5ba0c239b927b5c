"""The chart of response times against rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cqlsurge.show.report.scales import linear, logarithmic
from cqlsurge.show.report.svg import BOTTOM, LEFT, RIGHT, TOP, Chart, Series
from cqlsurge.units import show_count, show_us

PERCENTILES = (("p50", "p50"), ("p99", "p99"), ("p99_9", "p99.9"))


@dataclass(frozen=True)
class RatePoint:
    """A rate and its response times by name, in microseconds."""

    rate: float
    response_us: Mapping[str, float]


def rate_chart(
    curves: Sequence[tuple[str, Sequence[RatePoint]]],
    marks: Sequence[tuple[float, str, str]] = (),
    bands: Sequence[tuple[float, float]] = (),
    name: str = "rates",
) -> Chart:
    """Percentiles by rate, one curve's three or several curves' p50 and p99. Raises ValueError for no point at all."""
    wanted = PERCENTILES if len(curves) == 1 else PERCENTILES[:2]
    series = []
    for at, (label, points) in enumerate(curves, 1):
        for which, (key, text) in enumerate(wanted):
            values = [(point.rate, point.response_us[key]) for point in points if point.response_us.get(key, 0) > 0]
            color = which + 1 if len(curves) == 1 else at
            series.append(Series(f"{label} {text}".strip(), sorted(values), color, which))
    rates = [rate for one in series for rate, _ in one.points]
    times = [time for one in series for _, time in one.points]
    x = linear(0, max(rates), LEFT, RIGHT, show_count, "operations per second asked for")
    y = logarithmic(min(times), max(times), BOTTOM, TOP, show_us, "response time, logarithmic")
    words = " ".join(f"{one.label}: {_end(one.points[0])}, {_end(one.points[-1])}." for one in series if one.points)
    underlay = "".join(
        f'<rect class="shade" x="{x.at(low)}" y="{TOP}" width="{max(1.0, x.at(high) - x.at(low)):.1f}" '
        f'height="{BOTTOM - TOP}"/>'
        for low, high in bands
    )
    return Chart(name, "Response time by rate", words, x, y, series, marks, underlay=underlay)


def _end(point: tuple[float, float]) -> str:
    return f"{show_us(point[1])} at {show_count(point[0])}/s"

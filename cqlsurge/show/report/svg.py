"""Line charts as inline SVG, with a title and a description for those who do not see them.

Colours are classes (c1, c2, ...) that the page's style sheet fills in, for light, dark and paper. A chart carries its
points as JSON for the page's script, which shows values under the pointer and by the arrow keys.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from cqlsurge.show.report.scales import Axis

WIDTH, HEIGHT = 760, 280
LEFT, RIGHT, TOP, BOTTOM = 70, 730, 20, 236
DASHES = ("", "7 3", "2 3", "10 3 2 3")


@dataclass(frozen=True)
class Series:
    """One line: its points in the values of the axes. Colours count from 1, dashes from 0.

    The line is broken where neighbouring points are further apart than `gap`.
    """

    label: str
    points: Sequence[tuple[float, float]]
    color: int = 1
    dash: int = 0
    gap: float = math.inf

    def stretches(self) -> list[list[tuple[float, float]]]:
        """The points, cut at the gaps."""
        found: list[list[tuple[float, float]]] = []
        for point in self.points:
            if not found or point[0] - found[-1][-1][0] > self.gap:
                found.append([])
            found[-1].append(point)
        return found


@dataclass(frozen=True)
class Chart:
    """A chart. `marks`: (x, label, words) of events; `shares`: (x, x, share) of stretches drawn as red bars."""

    name: str
    title: str
    description: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    marks: Sequence[tuple[float, str, str]] = ()
    shares: Sequence[tuple[float, float, float]] = ()
    shades: Sequence[tuple[float, float]] = ()
    underlay: str = ""
    show_x: Callable[[float], str] | None = field(default=None)

    def svg(self) -> str:
        """The chart, its legend and its points."""
        parts = [
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" tabindex="0" '
            f'aria-labelledby="{self.name}-t {self.name}-d" data-chart="{self.name}">',
            f'<title id="{self.name}-t">{escape(self.title)}</title>',
            f'<desc id="{self.name}-d">{escape(self.description)}</desc>',
            *(self._shade(start, end) for start, end in self.shades),
            self.underlay,
            *self._grid(),
            *(self._share(*share) for share in self.shares),
            *(self._mark(*mark, step=at % 4) for at, mark in enumerate(self.marks)),
            *(self._line(series) for series in self.series),
            f'<line class="cursor" x1="0" x2="0" y1="{TOP}" y2="{BOTTOM}" visibility="hidden"/>',
            "</svg>",
        ]
        return "".join(parts) + self._legend() + self._data()

    def _grid(self) -> list[str]:
        parts = []
        for tick in self.y.ticks:
            y = self.y.at(tick)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(self.y.show(tick))}</text>')
        for tick in self.x.ticks:
            x = self.x.at(tick)
            parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{BOTTOM}" y2="{BOTTOM + 4}"/>')
            parts.append(f'<text x="{x}" y="{BOTTOM + 18}" text-anchor="middle">{escape(self.x.show(tick))}</text>')
        middle = (LEFT + RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(self.x.label)}</text>')
        parts.append(f'<text x="{LEFT}" y="{TOP - 8}">{escape(self.y.label)}</text>')
        return parts

    def _line(self, series: Series) -> str:
        dash = f' stroke-dasharray="{DASHES[series.dash % len(DASHES)]}"' if series.dash else ""
        parts = []
        for stretch in series.stretches():
            points = [(self.x.at(x), self.y.at(y)) for x, y in stretch]
            if len(points) == 1:
                parts.append(f'<circle class="c{series.color}" cx="{points[0][0]:g}" cy="{points[0][1]:g}" r="2.5"/>')
            else:
                text = " ".join(f"{x:g},{y:g}" for x, y in points)
                parts.append(f'<polyline class="line c{series.color}"{dash} points="{text}"/>')
        return "".join(parts)

    def _mark(self, x: float, label: str, words: str, *, step: int) -> str:
        at = self.x.at(x)  # labels go down in steps, since marks may stand close together
        return (
            f'<g class="event"><title>{escape(words)}</title><line x1="{at}" x2="{at}" y1="{TOP}" y2="{BOTTOM}"/>'
            f'<text x="{at + 2}" y="{TOP + 10 + 12 * step}">{escape(label)}</text></g>'
        )

    def _share(self, start: float, end: float, share: float) -> str:
        height = max(3.0, share * (BOTTOM - TOP))
        left, right = self.x.at(start), self.x.at(end)
        width = max(1.5, right - left)
        return f'<rect class="error" x="{left}" y="{BOTTOM - height:.1f}" width="{width:.1f}" height="{height:.1f}"/>'

    def _shade(self, start: float, end: float) -> str:
        left, right = self.x.at(start), self.x.at(end)
        return (
            f'<rect class="shade" x="{left}" y="{TOP}" width="{right - left:.1f}" height="{BOTTOM - TOP}"/>'
            f'<text class="faint" x="{left + 4}" y="{BOTTOM - 6}">warm-up</text>'
        )

    def _legend(self) -> str:
        keys = [
            f'<li><svg viewBox="0 0 28 8" aria-hidden="true"><line class="line c{one.color}" x1="0" x2="28" y1="4" '
            f'y2="4" stroke-dasharray="{DASHES[one.dash % len(DASHES)]}"/></svg>{escape(one.label)}</li>'
            for one in self.series
        ]
        if self.shares:
            keys.append(
                '<li><svg viewBox="0 0 28 8" aria-hidden="true"><rect class="error" width="28" height="8"/></svg>'
                "operations that failed: full height is all</li>"
            )
        return f'<ul class="legend">{"".join(keys)}</ul>' if keys else ""

    def _data(self) -> str:
        show_x = self.show_x or self.x.show
        data: list[dict[str, Any]] = [
            {
                "label": one.label,
                "color": one.color,
                "x": [self.x.at(x) for x, _ in one.points],
                "t": [show_x(x) for x, _ in one.points],
                "v": [self.y.show(y) for _, y in one.points],
            }
            for one in self.series
        ]
        if not data:
            return ""
        text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
        return f'<script type="application/json" id="{self.name}-data">{text}</script>'

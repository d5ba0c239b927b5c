"""Figures of several things on one logarithmic axis, a row each, with the intervals they lie in: inline SVG.

Dots rather than bars: on a logarithmic axis the length of a bar says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from cqlsurge.show.report.scales import logarithmic

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 120, 580, 8, 26


@dataclass(frozen=True)
class Dot:
    """A row: its name, the value, the interval's ends (None: there is none) and the text at the right."""

    name: str
    value: float
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True)
class Dots:
    """A chart, described for those who do not see it."""

    name: str
    title: str
    description: str
    label: str
    rows: Sequence[Dot]
    show: Callable[[float], str]
    color: int = 1

    def svg(self) -> str:
        """The chart."""
        bottom = TOP + ROW * len(self.rows)
        values = [one for row in self.rows for one in (row.value, row.low, row.high) if one is not None]
        axis = logarithmic(min(values), max(values), LEFT, RIGHT, self.show, self.label)
        parts = [
            f'<svg class="chart" viewBox="0 0 {WIDTH} {bottom + 42}" role="img" '
            f'aria-labelledby="{self.name}-t {self.name}-d">',
            f'<title id="{self.name}-t">{escape(self.title)}</title>',
            f'<desc id="{self.name}-d">{escape(self.description)}</desc>',
        ]
        for tick in axis.ticks:
            x = axis.at(tick)
            parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}"/>')
            parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{escape(axis.show(tick))}</text>')
        parts.append(
            f'<text x="{(LEFT + RIGHT) / 2:g}" y="{bottom + 34}" text-anchor="middle">{escape(axis.label)}</text>'
        )
        for at, row in enumerate(self.rows):
            parts += self._row(row, TOP + ROW * at + ROW / 2, axis.at)
        return "".join([*parts, "</svg>"])

    def _row(self, row: Dot, y: float, at: Callable[[float], float]) -> list[str]:
        parts = [f'<text x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end">{escape(row.name)}</text>']
        if row.low is not None and row.high is not None:
            low, high = at(row.low), at(row.high)
            parts.append(f'<line class="line c{self.color}" x1="{low}" x2="{high}" y1="{y:g}" y2="{y:g}"/>')
            parts += [
                f'<line class="line c{self.color}" x1="{x}" x2="{x}" y1="{y - 5:g}" y2="{y + 5:g}"/>'
                for x in (low, high)
            ]
        parts.append(f'<circle class="c{self.color}" cx="{at(row.value)}" cy="{y:g}" r="4"/>')
        parts.append(f'<text x="{RIGHT + 12}" y="{y + 4:g}">{escape(row.text)}</text>')
        return parts

"""A comparison as people read it: a table for terminals, the same in Markdown, and the words around it."""

from __future__ import annotations

from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cqlsurge.results.compare import Comparison, Finding
from cqlsurge.units import show_count, show_us

WIDTH = 80
HEADS = ("", "base", "candidate", "change", "interval", "")
STYLES = {"faster": "green", "less": "green", "slower": "red", "more": "red", "too noisy to tell": "yellow"}
METHOD = "The interval excludes 0 exactly where a difference is told. Of 20 comparisons of equals at most 1 tells any."
FARTHEST = 10.0


def print_comparison(comparison: Comparison, stream: TextIO) -> None:
    """Prints a comparison as a table that fits 80 columns."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, width=WIDTH, color_system=None)
    console.print()
    console.print(Text(head(comparison)))
    for line in difference_lines(comparison):
        console.print(Text(line, overflow="fold"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in HEADS:
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for finding in comparison.findings:
        table.add_row(*cells(finding)[:-1], Text(cells(finding)[-1], style=STYLES.get(finding.word, "")))
    console.print(table)
    for line in note_lines(comparison):
        console.print(Text(line, overflow="fold"))
    console.print(Text(METHOD, overflow="fold"))


def markdown(comparison: Comparison) -> str:
    """The comparison as Markdown, for a pull request."""
    lines = [f"**{head(comparison)}**", ""]
    lines += [f"- {line}" for line in difference_lines(comparison)]
    lines += ["", "| metric | base | candidate | change | interval | in words |", "|:--|--:|--:|--:|--:|:--|"]
    for finding in comparison.findings:
        name, *middle, word = cells(finding)
        strong = f"**{word}**" if word in {"faster", "slower", "more", "less"} else word
        lines.append(f"| {name} | {' | '.join(middle)} | {strong} |")
    lines += ["", *(f"- {line}" for line in note_lines(comparison)), "", METHOD]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def head(comparison: Comparison) -> str:
    """What is compared."""
    counts = comparison.base_runs, comparison.candidate_runs
    runs = [f"{count} run" + ("s" if count != 1 else "") for count in counts]
    return f"base {runs[0]}, candidate {runs[1]}; latencies are {comparison.latency} times"


def difference_lines(comparison: Comparison) -> list[str]:
    """What the sides differ in by their settings and surroundings."""
    return [
        f"differs: {one['name']}: {_values(one['base'])} -> {_values(one['candidate'])}"
        for one in comparison.differences
    ]


def _values(values: list[Any]) -> str:
    return " and ".join("unset" if value is None else str(value) for value in values)


def note_lines(comparison: Comparison) -> list[str]:
    """Notes about single metrics, then warnings about the whole."""
    by_note: dict[str, list[str]] = {}
    for finding in comparison.findings:
        if finding.note:
            by_note.setdefault(finding.note, []).append(finding.metric)
    notes = [f"{', '.join(metrics)}: {note}" for note, metrics in by_note.items()]
    return notes + [f"warning: {text}" for text in comparison.warnings]


def cells(finding: Finding) -> tuple[str, str, str, str, str, str]:
    """Metric, both values, change, interval and word, as text."""
    if finding.low is None or finding.high is None:
        interval = ""
    else:
        interval = f"{_change(finding.low, finding)} .. {_change(finding.high, finding)}"
    return (
        finding.metric,
        _value(finding.base, finding.unit),
        _value(finding.candidate, finding.unit),
        _change(finding.change, finding),
        interval,
        finding.word,
    )


def _value(value: float, unit: str) -> str:
    if unit == "ops/s":
        return show_count(value)
    if unit == "us":
        return show_us(value)
    return f"{value:.3f} us" if unit == "us/op" else f"{value * 100:.3g}%"


def _change(change: float, finding: Finding) -> str:
    if finding.unit == "share":
        return f"{change * 100:+.3f}" if change else "0"
    if change > FARTHEST:
        return f">{FARTHEST * 100:+.0f}%"
    return f"{change * 100:+.0f}%" if change >= 1 else f"{change * 100:+.1f}%"

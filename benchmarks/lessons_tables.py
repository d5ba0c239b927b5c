"""The tables of docs/best-practices.md, from docs/lessons.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median

from lessons_cases import GROUPS

DOCS = Path(__file__).resolve().parent.parent / "docs"
DATA = DOCS / "lessons.json"
PAGE = DOCS / "best-practices.md"
SERVERS = {"cassandra": "the embedded Cassandra", "null": "the null server, 3 nodes x 2 shards"}
TABLE = re.compile(r"<!-- table: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def spread(values, digits):
    """Median and range."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def change(values, base):
    """The change within each round, in per cent: median and range, or that it is not resolved."""
    changes = [100 * (value / other - 1) for value, other in zip(values, base, strict=True)]
    text = f"{median(changes):+.0f}% ({min(changes):+.0f} to {max(changes):+.0f})"
    return f"not resolved: {text}" if min(changes) <= 0 <= max(changes) else f"**{text}**"


def table(name, kept):
    """A group's table, with where it comes from."""
    group, samples = GROUPS[name], kept["samples"]
    rounds = len(next(iter(samples.values())))
    unit = group.unit
    lines = [
        f"| {name} | CPU us per {unit} | change of CPU | {unit}s a second |",
        "| --- | --- | --- | --- |",
    ]
    base = [cpu_us for cpu_us, _ in samples[group.base]]
    for label, figures in samples.items():
        cpu_us, rates = [cpu for cpu, _ in figures], [rate for _, rate in figures]
        against = "-" if label == group.base else change(cpu_us, base)
        lines.append(f"| {label} | {spread(cpu_us, 1)} | {against} | {spread(rates, 0)} |")
    where = f"{SERVERS[group.server]}; {kept['machine']}; {kept['software']}; {kept['date']}"
    lines.append(
        f"\n`uv run python benchmarks/lessons.py {name}`: medians (ranges) of {rounds} rounds, "
        f'changes against "{group.base}", on {where}.'
    )
    return "\n".join(lines)


def page(text, data):
    """The page with its tables as they follow from the data."""

    def fill(found):
        name = found[1]
        return f"<!-- table: {name} -->\n{table(name, data[name])}\n<!-- end -->" if name in data else found[0]

    return TABLE.sub(fill, text)


def write_tables():
    """Writes the page anew."""
    if PAGE.exists():
        PAGE.write_text(page(PAGE.read_text(), json.loads(DATA.read_text())))

"""The tables of docs/best-practices.md and docs/driver-profile.md, from docs/lessons.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median

from lessons_cases import GROUPS

DOCS = Path(__file__).resolve().parent.parent / "docs"
DATA = DOCS / "lessons.json"
PAGES = (DOCS / "best-practices.md", DOCS / "driver-profile.md")
SERVERS = {"cassandra": "the embedded Cassandra", "null": "the null server, 3 nodes x 2 shards"}
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
EFFECT = re.compile(r"(<!-- effect: (\w+) \| ([^|\n]+) \| ([^|\n]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def spread(values, digits):
    """Median and range."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def change(values, base):
    """The change within each round, in per cent: median and range, or that it is not resolved."""
    changes = [100 * (value / other - 1) for value, other in zip(values, base, strict=True)]
    text = f"{median(changes):+.0f}% ({min(changes):+.0f} to {max(changes):+.0f})".replace("-0", "0")
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


def effect(kept, before, after):
    """What one case gives over another of its group, as a line."""
    old, new = (kept["samples"][label] for label in (before, after))
    cpu_us, rates = ([[figures[place] for figures in case] for case in (old, new)] for place in (0, 1))
    return (
        f"- From `{before}` to `{after}`: CPU {median(cpu_us[0]):,.1f} to {median(cpu_us[1]):,.1f} us, "
        f"{change(cpu_us[1], cpu_us[0])}; {median(rates[0]):,.0f} to {median(rates[1]):,.0f} a second, "
        f"{change(rates[1], rates[0])}."
    )


def page(text, data):
    """The page with its tables and effects as they follow from the data; what was not measured stays as it is."""

    def fill_table(found):
        start, name, end = found.groups()
        return f"{start}{table(name, data[name])}\n{end}" if name in data else found[0]

    def fill_effect(found):
        start, name, before, after, end = found.groups()
        known = data.get(name, {}).get("samples", {})
        return f"{start}{effect(data[name], before, after)}\n{end}" if {before, after} <= set(known) else found[0]

    return EFFECT.sub(fill_effect, TABLE.sub(fill_table, text))


def write_tables():
    """Writes the pages anew."""
    data = json.loads(DATA.read_text())
    for path in PAGES:
        path.write_text(page(path.read_text(), data))

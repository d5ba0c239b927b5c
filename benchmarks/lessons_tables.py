"""The tables of docs/best-practices.md and docs/driver-profile.md, from docs/lessons.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median

from lessons_cases import AGAIN, GROUPS

DOCS = Path(__file__).resolve().parent.parent / "docs"
DATA = DOCS / "lessons.json"
PAGES = (DOCS / "best-practices.md", DOCS / "driver-profile.md")
FEW = 3  # rounds: with fewer nothing is said of certainty
SERVERS = {"cassandra": "the embedded Cassandra", "null": "the null server, 3 nodes x 2 shards"}
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
EFFECT = re.compile(r"(<!-- effect: (\w+) \| ([^|\n]+) \| ([^|\n]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def spread(values, digits):
    """Median and range."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def changes(samples, place, before, after):
    """The change within each round, in per cent. `place` 0 is CPU, 1 is the rate."""
    pairs = zip(samples[before], samples[after], strict=True)
    return [100 * (new[place] / old[place] - 1) for old, new in pairs]


def noise(group, samples, place):
    """The largest change that the machine made up, where the group ran its base under another name too."""
    again = changes(samples, place, group.base, AGAIN) if AGAIN in samples else []
    return max(map(abs, again), default=0.0)


def change(name, samples, place, before, after):
    """Its median and range; bold where all of enough rounds agree on the sign and it is larger than the noise."""
    found = changes(samples, place, before, after)
    middle = median(found)
    text = f"{middle:+.0f}% ({min(found):+.0f} to {max(found):+.0f})".replace("-0", "0")
    if len(found) < FEW:
        return text
    seen = min(found) * max(found) > 0 and abs(middle) > noise(GROUPS[name], samples, place)
    return f"**{text}**" if seen else f"not resolved: {text}"


def table(name, kept):
    """A group's table, with where it comes from."""
    group, samples = GROUPS[name], kept["samples"]
    rounds = len(next(iter(samples.values())))
    unit = group.unit
    lines = [
        f"| {name} | CPU us per {unit} | change of CPU | {unit}s a second |",
        "| --- | --- | --- | --- |",
    ]
    for label, figures in samples.items():
        cpu_us, rates = [cpu for cpu, _ in figures], [rate for _, rate in figures]
        against = "-" if label == group.base else change(name, samples, 0, group.base, label)
        lines.append(f"| {label} | {spread(cpu_us, 1)} | {against} | {spread(rates, 0)} |")
    times = "1 round" if rounds == 1 else f"{rounds} rounds"
    where = f"{SERVERS[group.server]}; {kept['machine']}; {kept['software']}; {kept['date']}"
    lines.append(
        f"\n`uv run python benchmarks/lessons.py {name}`: medians (ranges) of {times}, "
        f'changes against "{group.base}", on {where}.'
    )
    return "\n".join(lines)


def effect(name, samples, before, after):
    """What one case gives over another of its group, as a line."""
    cpu_us, rates = (
        [median(figures[place] for figures in samples[case]) for case in (before, after)] for place in (0, 1)
    )
    return (
        f"- From `{before}` to `{after}`: CPU {cpu_us[0]:,.1f} to {cpu_us[1]:,.1f} us an operation, "
        f"{change(name, samples, 0, before, after)}; {rates[0]:,.0f} to {rates[1]:,.0f} operations a second, "
        f"{change(name, samples, 1, before, after)}."
    )


def page(text, data):
    """The page with its tables and effects as they follow from the data; what was not measured stays as it is."""

    def fill_table(found):
        start, name, end = found.groups()
        return f"{start}{table(name, data[name])}\n{end}" if name in data else found[0]

    def fill_effect(found):
        start, name, before, after, end = found.groups()
        known = data.get(name, {}).get("samples", {})
        return f"{start}{effect(name, known, before, after)}\n{end}" if {before, after} <= set(known) else found[0]

    return EFFECT.sub(fill_effect, TABLE.sub(fill_table, text))


def write_tables():
    """Writes the pages anew."""
    data = json.loads(DATA.read_text())
    for path in PAGES:
        path.write_text(page(path.read_text(), data))

"""The charts of a report: throughput and latency over time, the percentile curve, the heat map."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from cqlsurge.results.timeline import heat_from_us
from cqlsurge.show.report.heat import heat_png, heat_range
from cqlsurge.show.report.run import NINES, Run
from cqlsurge.show.report.scales import Axis, linear, logarithmic
from cqlsurge.show.report.svg import BOTTOM, LEFT, RIGHT, TOP, Chart, Series
from cqlsurge.units import show_count, show_s, show_us

#: events that get a mark of their own; the list under the charts has more
MARKS = 30
PERCENTILES = (("p50_us", "p50"), ("p99_us", "p99"), ("p99_9_us", "p99.9"))


def throughput_chart(runs: Sequence[Run]) -> Chart:
    """Operations that ended well per second, with errors and events."""
    series = [
        Series(
            run.tag("throughput"), [(row["t_s"], row["ok"] / max(row["span_s"], 1e-3)) for row in run.rows], at, at - 1
        )
        for at, run in enumerate(runs, 1)
    ]
    if len(runs) == 1 and runs[0].asked:
        series.append(Series("throughput asked for", runs[0].asked, 2, 2))
    y = linear(0, _highest(series), BOTTOM, TOP, show_count, "operations per second")
    return _over_time("throughput", "Throughput over time", runs, y, series)


def latency_chart(runs: Sequence[Run]) -> Chart:
    """p50, p99 and p99.9 of each second; of several runs p50 and p99 alone."""
    wanted = PERCENTILES if len(runs) == 1 else PERCENTILES[:2]
    series = []
    for at, run in enumerate(runs, 1):
        for which, (name, text) in enumerate(wanted):
            points = [(row["t_s"], row[name]) for row in run.rows if row[name] > 0]
            color, gap = (which + 1 if len(runs) == 1 else at), 1.9 * run.seconds_a_row
            series.append(Series(run.tag(text), points, color, which, gap))
    y = _latency_axis(series)
    latencies = " and ".join(dict.fromkeys(run.headline for run in runs))
    return _over_time("latency", f"Latency over time ({latencies})", runs, y, series)


def percentile_chart(runs: Sequence[Run]) -> Chart:
    """Latency at each percentile up to 99.999: service, and response too."""
    series = [
        Series(run.tag(name), run.curve(name), at if len(runs) > 1 else which + 1, which)
        for at, run in enumerate(runs, 1)
        for which, name in enumerate(("service", "response"))
    ]
    ticks = [0.0, math.log10(2), *map(float, range(1, NINES + 1))]
    x = Axis(0, NINES, LEFT, RIGHT, ticks, show_nines, "percentile of the operations")
    title = "Latency by percentile, service and response"
    return Chart("percentiles", title, _words(series), x, _latency_axis(series), series)


def heat_chart(run: Run, name: str) -> Chart | None:
    """How many operations took how long, second by second; None where the document has no heat."""
    cells = heat_range(run.rows)
    if cells is None:
        return None
    low, high = cells
    y = Axis(
        heat_from_us(low), heat_from_us(high), BOTTOM, TOP, _ticks(heat_from_us(low), heat_from_us(high)), show_us, "",
        log=True,
    )  # fmt: skip
    x = _time_axis([run])
    start, end = x.at(run.rows[0]["start_s"]), x.at(run.rows[-1]["t_s"])
    image = (
        f'<image class="heat" x="{start}" y="{TOP}" width="{end - start:.1f}" height="{BOTTOM - TOP}" '
        f'preserveAspectRatio="none" href="{heat_png(run.rows, low, high)}"/>'
    )
    words = (
        f"Each column is {_span(run)}, each field a range of {run.headline} latency, a quarter of an octave high: the "
        f"stronger its colour, the larger the share of that time's operations in it. From {show_us(heat_from_us(low))} "
        f"to {show_us(heat_from_us(high))}."
    )
    title = f"Heat map of {run.headline} latency {run.label if run.letter else ''}".strip()
    return Chart(name, title, words, x, y, [], _marks([run]), underlay=image)


def _over_time(name: str, title: str, runs: Sequence[Run], y: Axis, series: list[Series]) -> Chart:
    shares = [
        (row["start_s"], row["t_s"], row["errors"] / (row["ok"] + row["errors"]))
        for run in runs
        for row in run.rows
        if row["errors"]
    ]
    warm_s = [row["t_s"] for run in runs for row in run.rows if row["warmup"]]
    shades = [(0.0, float(max(warm_s)))] if warm_s else []
    words = f"{_words(series)} {sum(row['errors'] for run in runs for row in run.rows):,} operations failed."
    return Chart(name, title, words, _time_axis(runs), y, series, _marks(runs), shares, shades, show_x=show_s)


def _time_axis(runs: Sequence[Run]) -> Axis:
    last_s = max((row["t_s"] for run in runs for row in run.rows), default=1)
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
    step = next((step for step in steps if last_s / step <= 10), 7 * 86400)
    ticks = [float(at) for at in range(0, int(last_s) + 1, step)]
    show: Callable[[float], str] = show_s if step >= 60 else "{:.0f} s".format
    return Axis(0, float(last_s), LEFT, RIGHT, ticks, show, "time since the start")


def _latency_axis(series: Sequence[Series]) -> Axis:
    values = [value for one in series for _, value in one.points if value > 0] or [1.0]
    return logarithmic(min(values), max(values), BOTTOM, TOP, show_us, "latency, logarithmic")


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten between the ends, with 2 and 5 times them where those are few."""
    powers = range(-3, 10)
    few = math.log10(high / low) < 3
    marks = [factor * 10.0**power for power in powers for factor in ((1, 2, 5) if few else (1,))]
    return [mark for mark in marks if low <= mark <= high]


def _marks(runs: Sequence[Run]) -> list[tuple[float, str, str]]:
    return [(event["t_s"], number, words) for number, event, words in events_of(runs)[:MARKS]]


def events_of(runs: Sequence[Run]) -> list[tuple[str, dict[str, float], str]]:
    """(number on the charts, event, words) of all runs."""
    found = []
    for run in runs:
        for at, event in enumerate(run.document["events"], 1):
            address = f" {event['address']}" if event.get("address") else ""
            found.append((f"{run.letter}{at}", event, f"{event['t_s']:.1f} s: {event['event']}{address}"))
    return found


def show_nines(nines: float) -> str:
    """A percentile from its number of nines: 1 is 90 %, 3 are 99.9 %."""
    if nines == int(nines):
        return ("0", "90", "99", "99.9", "99.99", "99.999")[int(nines)] + " %"
    return f"{100 * (1 - 10**-nines):.{max(0, math.ceil(nines) - 1)}f} %"


def _highest(series: Sequence[Series]) -> float:
    return max((y for one in series for _, y in one.points), default=1.0)


def _words(series: Sequence[Series]) -> str:
    """What the lines show, for those who do not see them."""
    said = []
    for one in series:
        values = [y for _, y in one.points]
        if values:
            show = show_count if "throughput" in one.label else show_us
            said.append(f"{one.label}: from {show(min(values))} to {show(max(values))}.")
    return " ".join(said)


def _span(run: Run) -> str:
    seconds = run.seconds_a_row
    return "a second" if seconds < 1.5 else f"about {show_s(seconds)}"

"""The live screen: what a run has come to, as lines that fit the terminal. Pure.

It fits 80 x 24, takes more rows where there are more processes and nodes to show, and leaves a wide terminal empty
rather than stretch over it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from cqlsurge.results.listener import Progress, WorkerProgress
from cqlsurge.results.verdict import lines as verdict_lines
from cqlsurge.show.terminal.spark import columns, gauge, spark, spread
from cqlsurge.units import show_count, show_s, show_us

#: no line is longer, however wide the terminal
WIDEST = 140
LABEL = 11
VALUE = 14
#: lines that are there whatever there is to show, with a verdict of two lines
FIXED_LINES = 20
EARLY_S = 3.0


@dataclass
class Scene:
    """All that the screen shows. `keys`: whether the terminal gives us single keys."""

    head: Sequence[str] = ()
    progress: Progress | None = None
    verdict: dict[str, Any] = field(default_factory=dict)
    keys: bool = False
    plain: bool = False


def draw(scene: Scene, width: int, height: int) -> list[Text]:
    """The lines, at most `height` of them and none longer than `width`."""
    width = min(width, WIDEST)
    progress = scene.progress
    lines = [Text(text, style="dim") for text in scene.head]
    if progress is None:
        return _fitted(lines, width, height)
    lines += [Text(), _done(progress, width, scene.plain), Text(), *_figures(progress, width, scene.plain)]
    lines += [_labelled("now", _now(progress)), _labelled("client", _client(progress)), Text()]
    lines += _balance(progress, width, max(1, height - FIXED_LINES), scene.plain)
    lines += _verdict(scene, width)
    if scene.keys:
        lines += [_keys(progress)]
    return _fitted(lines, width, height)


def _fitted(lines: list[Text], width: int, height: int) -> list[Text]:
    for line in lines:
        line.truncate(width, overflow="ellipsis")
        line.no_wrap = True
    return lines[:height]


def share_done(progress: Progress) -> float | None:
    """How much of the phase is done, 0 to 1, by count or by time, whichever is further; None where neither is known."""
    shares = []
    if progress.total:
        shares.append(progress.done / progress.total)
    if progress.duration_s:
        shares.append(progress.elapsed_s / (progress.duration_s + progress.warmup_s))
    return min(1.0, max(shares)) if shares else None


def left_s(progress: Progress) -> float | None:
    """How long the phase may take still; None where nobody knows."""
    share = share_done(progress)
    return progress.elapsed_s * (1 - share) / share if share else None


def _done(progress: Progress, width: int, plain: bool) -> Text:
    share, left = share_done(progress), left_s(progress)
    of_total = f" of {show_count(progress.total)}" if progress.total else ""
    parts = [f"{show_count(progress.done)}{of_total} operations", show_s(progress.elapsed_s)]
    if left is not None:
        parts.append(f"{show_s(left)} left")
    text = _labelled(progress.phase, "")
    if share is not None:
        text.append(gauge(share, min(40, max(10, width - LABEL - 57)), plain=plain), "cyan")
        text.append(f" {share:4.0%}  ")
    text.append(", ".join(parts))
    if progress.elapsed_s < progress.warmup_s:
        text.append("  warming up", "yellow")
    return text


def _figures(progress: Progress, width: int, plain: bool) -> list[Text]:
    room = max(10, width - LABEL - VALUE - 16)
    rows = list(progress.recent)
    names = ("ops_s", "p50_us", "p99_us", "p99_9_us", "errors")
    seconds, (rates, p50, p99, p99_9, errors) = columns(rows, room, *names)
    lines = [
        _line("throughput", f"{show_count(progress.rate_ops_s)} ops/s", rates, show_count, "green", plain),
        _line("p50", show_us(progress.p50_us), p50, show_us, "", plain),
        _line("p99", show_us(progress.p99_us), p99, show_us, "", plain),
        _line("p99.9", show_us(progress.p99_9_us), p99_9, show_us, "", plain),
    ]
    style = "red" if progress.errors else ""
    lines.append(_line("errors", f"{progress.errors:,}", errors if progress.errors else [], show_count, style, plain))
    shown = f"the last {show_s(seconds * len(rates))}" + (f", {seconds} s each" if seconds > 1 else "")
    note = f"{progress.headline} times of the last second; {shown}; max of those shown"
    lines.append(_labelled("", note, "dim"))
    if progress.error_classes:
        classes = ", ".join(f"{name} {count:,}" for name, count in progress.error_classes.items())
        lines.append(_labelled("", classes, "red"))
    return lines


def _line(
    label: str, value: str, values: Sequence[float], show: Callable[[float], str], style: str, plain: bool
) -> Text:
    text = _labelled(label, "")
    text.append(f"{value:<{VALUE}}", f"bold {style}".strip())
    text.append(spark(values, plain=plain), style or "cyan")
    if values:
        text.append(f"  max {show(max(values))}", "dim")
    return text


def _now(progress: Progress) -> str:
    parts = [f"{progress.in_flight:,} in flight"]
    if progress.rate_factor is not None:
        parts.append(f"{progress.backlog:,} due and waiting")
        parts.append("PAUSED" if not progress.rate_factor else f"rate at {progress.rate_factor:.0%} of what was asked")
    return ", ".join(parts)


def _client(progress: Progress) -> str:
    alive = [worker for worker in progress.workers if not worker.lost]
    text = f"CPU {sum(worker.busy for worker in alive):.2f} of {len(alive)} cores, spinning left out"
    lost = len(progress.workers) - len(alive)
    return f"{text}, {lost} LOST" if lost else text


def _balance(progress: Progress, width: int, rows: int, plain: bool) -> list[Text]:
    """Processes, or hosts where there are several, on the left, nodes on the right."""
    half = max(34, width // 2 - 1)
    group = _group(progress)
    most = max((one.rate_ops_s for _, one in group), default=0.0) or 1.0
    left = [
        (f"{name} lost" if progress.hosts else "lost", 0.0, "", "") if one.lost else
        (name, one.rate_ops_s / most, show_count(one.rate_ops_s), f"{one.busy:4.0%} CPU")
        for name, one in group
    ]  # fmt: skip
    if len(left) > rows:
        rates = spread([one.rate_ops_s for _, one in group], show_count)
        busy = spread([one.busy for _, one in group], "{:.0%}".format)
        left = [("all", 1.0, rates, f"{busy} CPU")]
    total = sum(progress.node_rates_ops_s.values()) or 1.0
    highest = max(progress.node_rates_ops_s.values(), default=0.0) or 1.0
    right = [
        (name, rate / highest, show_count(rate), f"{rate / total:4.0%}")
        for name, rate in progress.node_rates_ops_s.items()
    ]
    if len(right) > rows:
        rates = spread(list(progress.node_rates_ops_s.values()), show_count)
        right = [(f"all {len(right)}", 1.0, rates, "")]
    lines = [Text(f"{'hosts' if progress.hosts else 'processes':<{half}} nodes", style="dim")]
    for at in range(max(len(left), len(right))):
        one = _bar(*left[at], half - 2, 15 if progress.hosts else 4, plain) if at < len(left) else ""
        other = _bar(*right[at], half - 2, 15, plain) if at < len(right) else ""
        lines.append(Text(f"{one:<{half}} {other}"))
    return lines


def _group(progress: Progress) -> list[tuple[str, WorkerProgress]]:
    """(name, what it did) of each process, or of each host: the sum of rates, the mean share of a core."""
    if not progress.hosts:
        return [(str(at), one) for at, one in enumerate(progress.workers)]
    found = []
    for name, indexes in progress.hosts:
        alive = [progress.workers[index] for index in indexes if not progress.workers[index].lost]
        busy = sum(one.busy for one in alive) / max(1, len(alive))
        found.append((name, WorkerProgress(sum(one.rate_ops_s for one in alive), busy, not alive)))
    return found


def _bar(name: str, share: float, rate: str, note: str, width: int, label: int, plain: bool) -> str:
    figures = f" {rate:>8} {note}"
    return f"{name:<{label}} {gauge(share, max(4, min(30, width - label - 20)), plain=plain)}{figures}"


def _verdict(scene: Scene, width: int) -> list[Text]:
    if not scene.verdict or scene.progress is None or scene.progress.elapsed_s < EARLY_S:
        return [Text()]
    first, *reasons = verdict_lines(scene.verdict)
    lines = [Text(), _labelled("bound by", f"{first}, so far", "bold")]
    return lines + [_labelled("", reason, "dim") for reason in reasons[:1]]


def _keys(progress: Progress) -> Text:
    words = ["q stop and report"]
    if progress.rate_factor is not None:
        words += ["+ - rate by 10%", "p go on" if not progress.rate_factor else "p pause"]
    return _labelled("", "   ".join(words), "dim")


def _labelled(label: str, text: str, style: str = "") -> Text:
    line = Text(f"{label:<{LABEL}}", style="")
    line.append(text, style)
    return line

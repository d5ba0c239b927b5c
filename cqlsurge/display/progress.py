"""How a run goes, while it goes: a live line on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import time
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cqlsurge.results.listener import Listener, Progress
from cqlsurge.results.words import cluster_line, engine_line
from cqlsurge.units import show_count, show_s, show_us

PLAIN_EVERY_S = 5.0
BAR_WIDTH = 24


def make_display(stream: TextIO, *, quiet: bool) -> Display:
    """The display that fits the stream."""
    if quiet:
        return Display(stream)
    console = Console(file=stream, highlight=False)
    return LiveDisplay(stream, console) if console.is_terminal else PlainDisplay(stream)


class Display(Listener):
    """The quiet one: warnings alone. Use as a context manager around the run."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *exc: object) -> None:
        """Leaves the terminal as it was."""

    def line(self, text: str) -> None:
        """One line of text."""
        self.stream.write(text + "\n")
        self.stream.flush()

    def warn(self, text: str) -> None:
        """Shown even when quiet."""
        self.line(f"warning: {text}")


class PlainDisplay(Display):
    """For pipes and logs: a line for each stage, and one every few seconds of load."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._next_s = 0.0

    def stage(self, text: str) -> None:
        """A line."""
        self.line(f"{text} ...")

    def note(self, text: str) -> None:
        """A line."""
        self.line(f"note: {text}")

    def connected(self, cluster: dict[str, Any], engine: dict[str, Any], runtime: dict[str, Any]) -> None:
        """Two lines: what, and with what."""
        self.line(cluster_line(cluster))
        self.line(engine_line(engine, runtime))

    def progress(self, progress: Progress) -> None:
        """A line every few seconds."""
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + PLAIN_EVERY_S
            self.line(progress_text(progress))


class LiveDisplay(PlainDisplay):
    """For terminals: stages scroll by, the last line lives."""

    def __init__(self, stream: TextIO, console: Console) -> None:
        super().__init__(stream)
        self._console = console
        self._live = Live("", console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> Display:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Removes the live line."""
        self._live.update("")
        self._live.stop()

    def line(self, text: str) -> None:
        """A line above the live one."""
        self._console.print(Text(text, overflow="fold"))

    def stage(self, text: str) -> None:
        """The live line, until something else is."""
        self._live.update(Text(f"{text} ...", overflow="ellipsis", no_wrap=True))

    def progress(self, progress: Progress) -> None:
        """The live line."""
        self._live.update(Text(progress_text(progress, bar=True), overflow="ellipsis", no_wrap=True))


def progress_text(progress: Progress, *, bar: bool = False) -> str:
    """Done of total, rate, time left, percentiles and errors, on one line; with a bar in front on request."""
    share = share_done(progress)
    parts = []
    if bar and share is not None:
        filled = round(share * BAR_WIDTH)
        parts.append("━" * filled + "╌" * (BAR_WIDTH - filled))
    of_total = f" of {show_count(progress.total)}" if progress.total else ""
    parts.append(f"{progress.phase} {show_count(progress.done)}{of_total}")
    parts.append(f"{show_count(progress.rate_ops_s)} ops/s")
    if share:
        parts.append(f"ETA {show_s(progress.elapsed_s * (1 - share) / share)}")
    parts.append(f"p50 {show_us(progress.p50_us)}  p99 {show_us(progress.p99_us)}")
    if progress.errors:
        parts.append(f"{show_count(progress.errors)} errors")
    return "  ".join(parts)


def share_done(progress: Progress) -> float | None:
    """How much of the phase is done, 0 to 1, by count or by time, whichever is further; None where neither is known."""
    shares = []
    if progress.total:
        shares.append(progress.done / progress.total)
    if progress.duration_s:
        shares.append(progress.elapsed_s / progress.duration_s)
    return min(1.0, max(shares)) if shares else None

"""How a run goes, while it goes: a live screen on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from cqlsurge.results.listener import FASTER, PAUSE, SLOWER, STOP, Listener, Progress
from cqlsurge.show.lines import cluster_line, engine_line
from cqlsurge.show.terminal.keys import Keys
from cqlsurge.show.terminal.screen import Scene, draw, left_s
from cqlsurge.units import show_count, show_s, show_us

PLAIN_EVERY_S = 5.0
REDRAW_S = 0.5
WISHES = {"q": STOP, "+": FASTER, "=": FASTER, "-": SLOWER, "p": PAUSE}


def make_display(stream: TextIO, *, quiet: bool) -> Display:
    """The display that fits the stream."""
    if quiet:
        return Display(stream)
    console = Console(file=stream, highlight=False)
    if not console.is_terminal or os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        return PlainDisplay(stream)
    return LiveDisplay(stream, console, Keys(sys.stdin.fileno()) if sys.stdin.isatty() else None)


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
    """For terminals: stages, notes and warnings scroll by, the screen lives below them.

    Drawn when there is something new, at most twice a second, on the session's own thread.
    """

    def __init__(self, stream: TextIO, console: Console, keys: Keys | None) -> None:
        super().__init__(stream)
        self._console, self._keys = console, keys
        self._scene = Scene(plain="utf" not in console.encoding.lower())
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._drawn_s = 0.0
        self._stale = False
        self._size = console.size

    def __enter__(self) -> Display:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Removes the screen, and gives the terminal back."""
        if self._keys is not None:
            self._keys.stop()
        self._live.update("", refresh=True)
        self._live.stop()

    def line(self, text: str) -> None:
        """A line above the live ones."""
        self._console.print(Text(text, overflow="fold"))

    def stage(self, text: str) -> None:
        """The live line, until something else is."""
        self._live.update(Text(f"{text} ...", overflow="ellipsis", no_wrap=True), refresh=True)

    def connected(self, cluster: dict[str, Any], engine: dict[str, Any], runtime: dict[str, Any]) -> None:
        """The head of the screen."""
        self._scene.head = (cluster_line(cluster), engine_line(engine, runtime))

    def progress(self, progress: Progress) -> None:
        """The screen."""
        if self._keys is not None:
            self._keys.start()
            self._scene.keys = True
        self._scene.progress = progress
        self._stale = True
        self._draw()

    def verdict(self, verdict: dict[str, Any]) -> None:
        """Shown with the next drawing."""
        self._scene.verdict = verdict

    def wishes(self) -> list[str]:
        """The keys pressed since the last call, as wishes."""
        if self._stale:
            self._draw()
        pressed = self._keys.read() if self._keys is not None and self._scene.keys else ""
        return [WISHES[key] for key in pressed if key in WISHES]

    def _draw(self) -> None:
        now_s = time.monotonic()
        if now_s - self._drawn_s < REDRAW_S:
            return
        self._drawn_s, self._stale = now_s, False
        size = self._console.size
        resumed = self._keys is not None and self._keys.resumed
        if size != self._size or resumed:
            # What was drawn has been folded anew by the terminal, or the shell has written over it.
            self._size = size
            self._console.clear()
            if self._keys is not None:
                self._keys.resumed = False
        lines = draw(self._scene, size.width, size.height - 1)
        self._live.update(Group(*lines), refresh=True)


def progress_text(progress: Progress) -> str:
    """Done of total, rate, time left, percentiles and errors, on one line."""
    of_total = f" of {show_count(progress.total)}" if progress.total else ""
    parts = [f"{progress.phase} {show_count(progress.done)}{of_total}", f"{show_count(progress.rate_ops_s)} ops/s"]
    left = left_s(progress)
    if left is not None:
        parts.append(f"ETA {show_s(left)}")
    parts.append(f"p50 {show_us(progress.p50_us)}  p99 {show_us(progress.p99_us)}  p99.9 {show_us(progress.p99_9_us)}")
    if progress.errors:
        parts.append(f"{show_count(progress.errors)} errors")
    return "  ".join(parts)

"""Whom a session tells what happens. The base does nothing; displays and tests override what they care for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Progress:
    """How far a phase has come. Times in seconds, latencies in microseconds, of the last second."""

    phase: str
    elapsed_s: float
    done: int
    total: int | None
    duration_s: float | None
    rate_ops_s: float = 0.0
    errors: int = 0
    p50_us: float = 0.0
    p99_us: float = 0.0
    p99_9_us: float = 0.0
    alive: int = 0
    timeline: list[dict[str, Any]] = field(default_factory=list)


class Listener:
    """Calls come from the session's own thread and must return at once."""

    def stage(self, text: str) -> None:
        """Something that takes a while begins."""

    def note(self, text: str) -> None:
        """Something the reader should know; the run goes on."""

    def warn(self, text: str) -> None:
        """Something is not as it should be; the run goes on."""

    def connected(self, cluster: dict[str, Any], engine: dict[str, Any], runtime: dict[str, Any]) -> None:
        """What the run goes against, and with what."""

    def progress(self, progress: Progress) -> None:
        """Some time of a phase has passed."""

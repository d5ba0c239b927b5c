"""Whom a session tells what happens. The base does nothing; displays and tests override what they care for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

FASTER = "faster"
SLOWER = "slower"
PAUSE = "pause"
STOP = "stop"


@dataclass
class WorkerProgress:
    """What a load process did in the last second. `busy`: the share of a core that it used."""

    rate_ops_s: float
    busy: float
    lost: bool = False


@dataclass
class Progress:
    """How far a phase has come. Times in seconds, latencies in microseconds; rates and latencies of the last second."""

    phase: str
    elapsed_s: float
    done: int
    total: int | None
    duration_s: float | None
    warmup_s: float = 0.0
    rate_ops_s: float = 0.0
    errors: int = 0
    error_classes: dict[str, int] = field(default_factory=dict)
    p50_us: float = 0.0
    p99_us: float = 0.0
    p99_9_us: float = 0.0
    headline: str = "service"  # which latency these are
    in_flight: int = 0
    backlog: int = 0
    rate_factor: float | None = None  # what the asked rate is multiplied by (0: paused); None without a rate
    workers: list[WorkerProgress] = field(default_factory=list)
    hosts: list[tuple[str, list[int]]] = field(default_factory=list)  # name and workers, where there are several
    node_rates_ops_s: dict[str, float] = field(default_factory=dict)
    recent: Sequence[dict[str, Any]] = ()  # rows of the timeline, one a second


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

    def verdict(self, verdict: dict[str, Any]) -> None:
        """What bounds the run, as far as it has come."""

    @property
    def follows_verdict(self) -> bool:
        """Whether `verdict` does something here: finding it takes milliseconds, each second."""
        return type(self).verdict is not Listener.verdict

    def wishes(self) -> list[str]:
        """What the person at the screen has asked for since the last call: FASTER, SLOWER, PAUSE (or go on), STOP."""
        return []

"""Seconds of a phase over all load processes: each is closed when no process can add to it any more.

A process that issues nothing more adds to no second; what it still hears belongs to the stragglers (`Seconds.after`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cqlsurge.load.latency.layout import new_counts

Histograms = dict[str, dict[str, list[int]]]
#: {kind: {latency: {index: count}}}: histograms of one host of many, of which most counts are zero
Sparse = dict[str, dict[str, Counter[int]]]


@dataclass
class Second:
    """One second over all processes.

    t_s: seconds from the phase's start to its end; begin_ns, end_ns: what it really spans; in_flight, backlog: at its
    end; counts: its histogram of the headline latency (service, or response); kinds: all latencies of all kinds, where
    somebody listens to seconds; reported: what each process that has told of it had in flight and in its backlog.
    """

    t_s: int
    begin_ns: int = 0
    end_ns: int = 0
    ok: int = 0
    errors: int = 0
    in_flight: int = 0
    backlog: int = 0
    warmup: bool = False
    counts: list[int] = field(default_factory=new_counts)
    kinds: Histograms = field(default_factory=dict)
    reported: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def span_s(self) -> float:
        """How long it really took."""
        return (self.end_ns - self.begin_ns) / 1e9


class Seconds:
    """The seconds that are open; a closed one is given to `on_close`. `after`: what came when issuing was over."""

    def __init__(self, start_ns: int, on_close: Callable[[Second], None]) -> None:
        self._start_ns = self._closed_ns = start_ns
        self._closed_s = 0
        self._on_close = on_close
        self._open: dict[int, Second] = {}
        self.after = Second(0, start_ns, start_ns)

    def at(self, t_ns: int) -> Second:
        """The second that a report of this time belongs to. A late report joins the next open one."""
        t_s = max(1, round((t_ns - self._start_ns) / 1e9), self._closed_s + 1)
        second = self._open.setdefault(t_s, Second(t_s))
        second.end_ns = max(second.end_ns, t_ns)
        return second

    def close_told(self, issuing: Iterable[int]) -> None:
        """Closes the seconds that none of the processes that still issue can add to."""
        waiting = set(issuing)
        for t_s in sorted(self._open):
            newer: set[int] = set().union(*(second.reported for time_s, second in self._open.items() if time_s > t_s))
            if not waiting <= newer | set(self._open[t_s].reported):
                break
            if waiting and not waiting <= newer and t_s == max(self._open):
                break  # all have reported, but a process may add its last words to this second
            self._close(t_s)

    def close_all(self) -> None:
        """No more will come."""
        for t_s in sorted(self._open):
            self._close(t_s)
        self.after.begin_ns = min(self._closed_ns, self.after.end_ns)

    def _close(self, t_s: int) -> None:
        second = self._open.pop(t_s)
        second.begin_ns = self._closed_ns
        self._closed_ns = second.end_ns = max(second.end_ns, self._closed_ns)
        self._closed_s = t_s
        self._on_close(second)

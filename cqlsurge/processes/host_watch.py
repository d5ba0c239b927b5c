"""How hard a machine and the load processes on it are pressed, added up over what was sampled."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from cqlsurge.host.pressure import HostSampler, ProcessSampler

HOST_EVERY_S = 1.0


class HostWatch:
    """The machine and the load processes, added up over what was sampled."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._host, self._processes = HostSampler(), ProcessSampler(pids)
        self._at_s = time.monotonic()
        self._seconds = 0.0
        self._sums: dict[str, float] = {}
        self._waited_s: dict[int, float] = {}
        self._load: float | None = None

    def take(self) -> None:
        """Adds what happened since the last call."""
        self._at_s = time.monotonic()
        host, processes = self._host.take(), self._processes.take()
        self._seconds += host.interval_s
        self._load = host.load_1m
        for name in ("steal_share", "busy_share", "psi_some_share"):
            if (share := getattr(host, name)) is not None:
                self._sums[name] = self._sums.get(name, 0.0) + share * host.interval_s
        if host.throttled_s is not None:
            self._sums["throttled_s"] = self._sums.get("throttled_s", 0.0) + host.throttled_s
        for pid, use in processes.items():
            if use is not None and use.waited_s is not None:
                self._waited_s[pid] = self._waited_s.get(pid, 0.0) + use.waited_s

    def take_if_due(self) -> None:
        """Takes a sample a second."""
        if time.monotonic() - self._at_s >= HOST_EVERY_S:
            self.take()

    @property
    def facts(self) -> dict[str, Any]:
        """steal_share, busy_share, psi_some_share, throttled_s, load_1m, waited_share (of the load processes, mean)."""
        if not self._seconds:
            return {}
        facts = {
            name: round(value if name == "throttled_s" else value / self._seconds, 4)
            for name, value in self._sums.items()
        }
        if self._waited_s:
            facts["waited_share"] = round(sum(self._waited_s.values()) / len(self._waited_s) / self._seconds, 4)
        if self._load is not None:
            facts["load_1m"] = self._load
        return facts

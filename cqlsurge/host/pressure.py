"""How hard the machine is pressed, over an interval: two samplers whose `take` tells what happened since the last one.

Sources: proc(5) for /proc/stat, /proc/PID/stat and /proc/loadavg; the kernel's Documentation/accounting/psi and
scheduler/sched-stats (schedstat), admin-guide/cgroup-v2 (cpu.stat).
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .cores import cpu_groups
from .files import ROOT, read, read_numbers, read_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class CpuTimes(NamedTuple):
    """CPU time in ticks since the machine started: stolen by other guests, in use, and altogether."""

    steal: int
    busy: int
    total: int


@dataclass(frozen=True)
class HostUse:
    """The machine over an interval; shares are of 1, None where the system does not show the figure.

    steal_share: CPU time that other guests of the same hardware took; busy_by_core: in use, by core number;
    psi_some_share: the share of time in which something that could run had to wait for a core; throttled_s: how long
    our cgroup's quota held us back; load_1m: the load average.
    """

    interval_s: float
    steal_share: float | None
    busy_share: float | None
    busy_by_core: dict[int, float]
    psi_some_share: float | None
    throttled_s: float | None
    load_1m: float | None


@dataclass(frozen=True)
class ProcessUse:
    """A process over an interval: CPU seconds and their share of one core, time its threads spent waiting for
    a core, memory."""

    cpu_s: float
    cpu_share: float
    waited_s: float | None
    rss_mb: float


class ProcessTimes(NamedTuple):
    """A process since its start. `started` tells it from a later one with the same number."""

    started: int
    cpu_s: float
    waited_s: float | None
    rss_mb: float


class HostSampler:
    """The machine's pressure since the sampler was made or last taken."""

    def __init__(self, root: Path = ROOT, clock: Callable[[], float] = time.monotonic) -> None:
        self._root, self._clock = root, clock
        self._before = self._read()

    def _read(self) -> tuple[float, dict[str, CpuTimes], float | None, float | None]:
        return (
            self._clock(),
            read_cpu_times(self._root) or {},
            read_psi_some_s(self._root),
            read_throttled_s(self._root),
        )

    def take(self) -> HostUse:
        """What happened since the last call."""
        before, self._before = self._before, self._read()
        (then, old, old_psi, old_throttled), (now, new, psi, throttled) = before, self._before
        spent = {name: _since(old[name], times) for name, times in new.items() if name in old}
        spent = {name: times for name, times in spent.items() if times.total > 0}
        whole = spent.get("all")
        interval_s = max(now - then, 1e-9)
        waited_s = _difference(psi, old_psi)
        return HostUse(
            interval_s=interval_s,
            steal_share=whole.steal / whole.total if whole else None,
            busy_share=whole.busy / whole.total if whole else None,
            busy_by_core={int(name): times.busy / times.total for name, times in spent.items() if name != "all"},
            psi_some_share=None if waited_s is None else min(1.0, waited_s / interval_s),
            throttled_s=_difference(throttled, old_throttled),
            load_1m=read_load(self._root),
        )


class ProcessSampler:
    """What processes use, by their numbers, since the sampler was made or last taken."""

    def __init__(self, pids: Iterable[int], root: Path = ROOT, clock: Callable[[], float] = time.monotonic) -> None:
        self._root, self._clock, self._pids = root, clock, tuple(pids)
        self._then = clock()
        self._before = {pid: read_process(pid, root) for pid in self._pids}

    def take(self) -> dict[int, ProcessUse | None]:
        """By process number; None for one that has ended, or where the system does not show it."""
        now = self._clock()
        interval_s, self._then = max(now - self._then, 1e-9), now
        after = {pid: read_process(pid, self._root) for pid in self._pids}
        used = {pid: _used(self._before[pid], after[pid], interval_s) for pid in self._pids}
        self._before = after
        return used


def read_cpu_times(root: Path = ROOT) -> dict[str, CpuTimes] | None:
    """CPU times of "all" cores together and of each by its number, from /proc/stat; None where there is none."""
    found: dict[str, CpuTimes] = {}
    for line in (read(root, "proc/stat") or "").splitlines():
        name, *fields = line.split()
        if not name.startswith("cpu"):
            break
        # user nice system idle iowait irq softirq steal; guest times are part of user and nice
        values = [int(field) for field in fields[:8]] + [0] * (8 - len(fields))
        total, steal = sum(values), values[7]
        found[name[3:] or "all"] = CpuTimes(steal, total - values[3] - values[4] - steal, total)
    return found or None


def read_psi_some_s(root: Path = ROOT) -> float | None:
    """For how long in all something that could run waited for a core, from /proc/pressure/cpu."""
    for line in (read(root, "proc/pressure/cpu") or "").splitlines():
        if line.startswith("some "):
            return int(line.rpartition("total=")[2]) / 1e6
    return None


def read_throttled_s(root: Path = ROOT) -> float | None:
    """For how long in all our cgroup's CPU quota held it back (added up over its cores)."""
    for group in cpu_groups(root):
        stat = read_pairs(root, f"{group.directory}/cpu.stat")
        if "throttled_usec" in stat:
            return int(stat["throttled_usec"]) / 1e6
        if "throttled_time" in stat:
            return int(stat["throttled_time"]) / 1e9
    return None


def read_load(root: Path = ROOT) -> float | None:
    """The load average of the last minute."""
    if text := read(root, "proc/loadavg"):
        return float(text.split()[0])
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def read_process(pid: int, root: Path = ROOT) -> ProcessTimes | None:
    """A process's CPU time, wait and memory; None if it is gone, is a zombie, or the system does not show it."""
    text = read(root, f"proc/{pid}/stat")
    if text is None:
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold spaces and brackets
    if fields[0] in "ZX":
        return None
    user, system, started, pages = (int(fields[number - 3]) for number in (14, 15, 22, 24))
    return ProcessTimes(
        started,
        (user + system) / TICKS_PER_S,
        read_waited_s(pid, root),
        pages * PAGE_BYTES / 2**20,
    )


def read_waited_s(pid: int, root: Path = ROOT) -> float | None:
    """For how long in all the threads of a process that live now could have run and had no core."""
    try:
        tasks = [path.name for path in (root / f"proc/{pid}/task").iterdir()]
    except OSError:
        return None
    waits = [waited[1] for task in tasks if (waited := read_numbers(root, f"proc/{pid}/task/{task}/schedstat"))]
    return sum(waits) / 1e9 if waits else None


def _since(before: CpuTimes, after: CpuTimes) -> CpuTimes:
    return CpuTimes(*(max(0, new - old) for old, new in zip(before, after, strict=True)))


def _difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else max(0.0, after - before)


def _used(before: ProcessTimes | None, after: ProcessTimes | None, interval_s: float) -> ProcessUse | None:
    if before is None or after is None or before.started != after.started:
        return None
    cpu_s = after.cpu_s - before.cpu_s
    return ProcessUse(cpu_s, cpu_s / interval_s, _difference(after.waited_s, before.waited_s), after.rss_mb)

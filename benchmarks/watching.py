"""Memory and CPU time of a program's load processes as it runs, from /proc: shared by the benchmarks that need them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

TICKS_S = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class Sample(NamedTuple):
    """Of one or several processes together, at a time of the monotonic clock; CPU times since their start."""

    at_s: float
    rss_mb: float
    user_s: float
    system_s: float


class Watch(threading.Thread):
    """Samples the load processes ("worker", added up) of a program and other processes by name, until `stop`."""

    def __init__(self, program_pid, every_s=0.1, **others):
        super().__init__(daemon=True)
        self._program, self._every_s = program_pid, every_s
        self._others = {"program": program_pid, **others}
        self._workers = []
        self._over = threading.Event()
        self.samples = {name: [] for name in ("worker", *self._others)}
        self.start()

    def run(self):
        while not self._over.wait(self._every_s):
            if not self._workers or len(self.samples["worker"]) < 20:
                self._workers = load_processes(self._program)
            for name, pids in (("worker", self._workers), *((name, [pid]) for name, pid in self._others.items())):
                sample = added([sample_of(pid) for pid in pids])
                if sample is not None:
                    self.samples[name].append(sample)

    def stop(self):
        """No more samples."""
        self._over.set()
        self.join()

    def growth(self, name, last_s=None):
        """(MB at a tenth of the way, MB at the end) of the last seconds or all: medians of a tenth of the samples."""
        found = [sample.rss_mb for sample in self._last(name, last_s)]
        tenth = max(1, len(found) // 10)
        return median(found[tenth : 2 * tenth] or [0]), median(found[-tenth:] or [0])

    def system_share(self, last_s):
        """The kernel's share of the CPU time that the load processes took in their last seconds."""
        found = self._last("worker", last_s)
        if len(found) < 2:
            return 0.0
        user_s, system_s = (found[-1][at] - found[0][at] for at in (2, 3))
        return system_s / (user_s + system_s) if user_s + system_s else 0.0

    def _last(self, name, last_s):
        found = self.samples[name]
        return [each for each in found if last_s is None or each.at_s >= found[-1].at_s - last_s]


def load_processes(program_pid):
    """The process ids of a program's load processes."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _parent_of(entry) == program_pid and b"bootstrap.py" in _read(entry, "cmdline")
    ]


def sample_of(pid):
    """A process now; None when it has ended."""
    folder = Path("/proc", str(pid))
    fields = _read(folder, "stat").rpartition(b")")[2].split()
    if len(fields) < 22 or fields[0] == b"Z":
        return None
    return Sample(time.monotonic(), int(fields[21]) * PAGE_MB, int(fields[11]) / TICKS_S, int(fields[12]) / TICKS_S)


def added(samples):
    """Several processes as one; None where one has ended."""
    if not samples or None in samples:
        return None
    return Sample(samples[0].at_s, *(sum(column) for column in list(zip(*samples, strict=True))[1:]))


def _parent_of(folder):
    fields = _read(folder, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _read(folder, name):
    try:
        return Path(folder, name).read_bytes()
    except OSError:
        return b""

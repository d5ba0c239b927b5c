"""Pressure over an interval.

How: captured /proc texts before and after, with an injected clock, against sums done by hand; an empty root, where all
is None; and the live machine, on which this process burns some CPU and must see itself do so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from cqlsurge.host.pressure import PAGE_BYTES, TICKS_PER_S, HostSampler, ProcessSampler, read_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[[dict[str, str]], Path]

STAT = (
    "{pid} (java (x) y) {state} 1 {pid} {pid} 0 -1 4194560 9 0 0 0 {user} {system} 0 0 20 0 1 0 {started} 3133440 "
    "{pages} 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n"
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_machine_over_an_interval(tree: Tree) -> None:
    mount = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    root = tree(
        {
            "proc/stat": "cpu  1000 0 500 8000 100 0 0 50 7 7\ncpu0 500 0 250 4000 50 0 0 25 0 0\n"
            "cpu1 500 0 250 4000 50 0 0 25 0 0\nintr 5\ncpufreq 1\n",
            "proc/pressure/cpu": "some avg10=48.13 avg60=36.05 avg300=14.24 total=1000000\nfull avg10=0.00 total=0\n",
            "proc/loadavg": "3.13 1.59 0.83 2/91 22836\n",
            "proc/self/cgroup": "0::/job\n",
            "proc/self/mountinfo": mount,
            "sys/fs/cgroup/job/cpu.stat": "usage_usec 5\nnr_throttled 1\nthrottled_usec 500000\n",
        }
    )
    clock = Clock()
    sampler = HostSampler(root, clock)
    clock.now += 2
    tree(
        {
            "proc/stat": "cpu  1160 0 540 8140 120 0 0 90 7 7\ncpu0 660 0 290 4000 50 0 0 25 0 0\n"
            "cpu1 500 0 250 4140 70 0 0 65 0 0\n",
            "proc/pressure/cpu": "some avg10=48.13 avg60=36.05 avg300=14.24 total=1500000\n",
            "sys/fs/cgroup/job/cpu.stat": "throttled_usec 750000\n",
        }
    )
    used = sampler.take()
    assert used.interval_s == 2
    assert used.steal_share == 0.1
    assert used.busy_share == 0.5
    assert used.busy_by_core == {0: 1.0, 1: 0.0}
    assert used.psi_some_share == 0.25
    assert used.throttled_s == 0.25
    assert used.load_1m == 3.13


def test_a_machine_that_shows_nothing(tmp_path: Path) -> None:
    used = HostSampler(tmp_path).take()
    assert used.steal_share is used.busy_share is used.psi_some_share is used.throttled_s is None
    assert used.busy_by_core == {}
    assert ProcessSampler([os.getpid()], tmp_path).take() == {os.getpid(): None}


def test_a_process_over_an_interval(tree: Tree) -> None:
    def stat(**figures: object) -> str:
        return STAT.format(**{"pid": 7, "state": "R", "user": 300, "system": 100, "started": 9, "pages": 512} | figures)

    root = tree({"proc/7/stat": stat(), "proc/7/task/7/schedstat": "4000000000 1000000000 77\n"})
    clock = Clock()
    sampler = ProcessSampler([7, 8], root, clock)
    clock.now += 4
    tree(
        {
            "proc/7/stat": stat(user=300 + TICKS_PER_S, system=100 + TICKS_PER_S),
            "proc/7/task/7/schedstat": "1 3500000000 90",
        }
    )
    used = sampler.take()
    assert used[8] is None
    assert used[7] is not None
    assert (used[7].cpu_s, used[7].cpu_share, used[7].waited_s) == (2, 0.5, 2.5)
    assert used[7].rss_mb == 512 * PAGE_BYTES / 2**20
    tree({"proc/7/stat": stat(started=10)})
    assert sampler.take()[7] is None  # another process with the same number
    tree({"proc/7/stat": stat(state="Z")})
    assert sampler.take()[7] is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_this_process_sees_itself_work() -> None:
    host, process = HostSampler(), ProcessSampler([os.getpid()])
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    used, mine = host.take(), process.take()[os.getpid()]
    assert mine is not None
    assert 0.2 <= mine.cpu_s <= 5
    assert mine.rss_mb > 5
    assert used.busy_share is not None
    assert 0 < used.busy_share <= 1
    assert used.psi_some_share is None or 0 <= used.psi_some_share <= 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_process_that_ends_is_none() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        sampler = ProcessSampler([child.pid])
        assert sampler.take()[child.pid] is not None
        child.communicate(b"\n")
    assert sampler.take()[child.pid] is None
    assert read_process(child.pid) is None

"""Limits and what the doctor says of them.

How: one good set of limits, from which each test spoils one and expects exactly the finding that names it; captured
/proc texts; the live machine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cqlsurge.host.limits import Limits, findings, read_limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = Limits(
    open_files=20_000,
    open_files_most=None,
    local_ports=(32768, 60999),
    accept_backlog=4096,
    memory_available_mb=8000,
    clock_source="tsc",
    governor="performance",
    cores=4,
    quota_cores=None,
    throttled_s=0.0,
    steal_share=0.001,
)


def test_a_good_machine_needs_no_words() -> None:
    assert findings(GOOD) == []
    unknown = Limits(None, None, None, None, None, None, None, 2, None, None, None)
    assert findings(unknown) == []


@pytest.mark.parametrize(
    ("change", "saw", "do_this"),
    [
        ({"cores": 1}, "one core", "two cores"),
        ({"quota_cores": 1.5}, "quota of 1.5 cores over 4", "CPU limit"),
        ({"throttled_s": 12.34}, "held this group back for 12.3 s", "fewer --processes"),
        ({"steal_share": 0.05}, "5.0% of the CPU time", "dedicated"),
        ({"governor": "performance,powersave"}, "chosen by powersave", "cpupower"),
        ({"clock_source": "hpet"}, "from hpet", "clocksource=tsc"),
        ({"open_files": 1024}, "1024 files", "ulimit -n 4096"),
        ({"open_files": 1024, "open_files_most": 2048}, "1024 files", "as root"),
        ({"local_ports": (50000, 51000)}, "50000 to 51000", "ip_local_port_range"),
        ({"accept_backlog": 128}, "128 connections", "somaxconn"),
        ({"memory_available_mb": 900}, "900 MB", "ADDRESS"),
    ],
)
def test_each_fault_gets_its_words(change: dict[str, Any], saw: str, do_this: str) -> None:
    (finding,) = findings(replace(GOOD, **change))
    assert saw in finding.saw
    assert do_this in finding.do_this
    assert finding.may_mean
    assert not any("\n" in text for text in finding)


def test_limits_are_read_from_proc(tree: Callable[[dict[str, str]], Path]) -> None:
    root = tree(
        {
            "proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
            "proc/sys/net/core/somaxconn": "4096\n",
            "proc/meminfo": "MemTotal:       24684084 kB\nMemAvailable:   24143680 kB\n",
            "proc/stat": "cpu  80 0 0 0 0 0 0 20 0 0\n",
        }
    )
    found = read_limits(root)
    assert (found.local_ports, found.accept_backlog) == ((32768, 60999), 4096)
    assert found.memory_available_mb == 23577
    assert found.steal_share == 0.2
    assert found.clock_source is found.governor is found.quota_cores is found.throttled_s is None


def test_the_live_machine() -> None:
    found = read_limits()
    assert found.open_files is None or found.open_files > 0
    assert found.cores >= 1
    findings(found)

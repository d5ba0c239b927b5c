"""Facts about the machine.

How: captured /proc and /sys texts of an x86 guest and an Arm board; an empty root, where each figure must be None or
come from Python itself; and the live machine, whose facts must fit into JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cqlsurge.host import facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Tree = Callable[[dict[str, str]], Path]

X86 = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 7R13 Processor
flags\t\t: fpu vme de hypervisor lahf_lm

processor\t: 1
model name\t: AMD EPYC 7R13 Processor
"""
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd40\n"


def test_a_virtual_machine(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "core_ids", lambda: [0, 1])
    root = tree(
        {
            "proc/cpuinfo": X86,
            "proc/meminfo": "MemTotal:       24684084 kB\nMemFree:        23766564 kB\n",
            "proc/stat": "cpu  700 0 100 100 0 0 0 100 0 0\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "powersave\n",
            "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
            "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
            "sys/class/dmi/id/product_name": "c6a.large\n",
            ".dockerenv": "",
        }
    )
    found = facts.host_facts(root)
    assert found["cpu"] == "AMD EPYC 7R13 Processor"
    assert found["memory_mb"] == 24105
    assert found["governor"] == "performance,powersave"
    assert found["clock_source"] == "tsc"
    assert found["virtualisation"] == "Amazon EC2 c6a.large"
    assert found["container"] == "docker"
    assert found["steal_share"] == 0.1


def test_other_machines(tree: Tree) -> None:
    root = tree({"proc/cpuinfo": ARM, "proc/version": "Linux version 5.15.90.1-microsoft-standard-WSL2"})
    assert facts.cpu_model(root) == "implementer 0x41 part 0xd40"
    assert facts.virtualisation(root) == "WSL"
    tree({"proc/cpuinfo": X86, "proc/version": "Linux version 6.1"})
    assert facts.virtualisation(root) == "unnamed hypervisor"


def test_a_system_that_shows_nothing(tmp_path: Path) -> None:
    found = facts.host_facts(tmp_path)
    for name in ("governor", "clock_source", "virtualisation", "container", "steal_share", "cgroup_quota_cores"):
        assert found[name] is None
    assert found["cores"] >= 1


def test_the_live_machine() -> None:
    found = json.loads(json.dumps(facts.host_facts()))
    assert found["cores"] == len(found["core_ids"]) or found["cgroup_quota_cores"]
    assert found["memory_mb"] > 100
    assert found["python"].split()[0] in {"CPython", "PyPy"}

"""What this machine is: the `host` of a result."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING, Any

from .cores import cgroup_quota_cores, core_count, core_ids
from .files import ROOT, read, read_line, read_pairs
from .pressure import read_cpu_times

if TYPE_CHECKING:
    from pathlib import Path

CPU = "sys/devices/system/cpu"
CLOCK = "sys/devices/system/clocksource/clocksource0"


def host_facts(root: Path = ROOT) -> dict[str, Any]:
    """The machine by name; what cannot be known is None. `steal_share` is since its start."""
    times = (read_cpu_times(root) or {}).get("all")
    return {
        "hostname": platform.node(),
        "cpu": cpu_model(root),
        "cores": core_count(root),
        "core_ids": core_ids(),
        "cores_present": os.cpu_count(),
        "cgroup_quota_cores": cgroup_quota_cores(root),
        "memory_mb": memory_mb(root),
        "platform": platform.platform(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "governor": governor(root),
        "clock_source": read_line(root, f"{CLOCK}/current_clocksource"),
        "clock_resolution_ns": round(time.get_clock_info("monotonic").resolution * 1e9),
        "virtualisation": virtualisation(root),
        "container": container(root),
        "steal_share": times.steal / times.total if times and times.total else None,
    }


def cpu_model(root: Path = ROOT) -> str | None:
    """The processor's name; on Arm, where Linux has none, the codes of its maker and part."""
    facts = read_pairs(root, "proc/cpuinfo", ":")
    if name := facts.get("model name") or facts.get("Model"):
        return name
    if "CPU part" in facts:
        return f"implementer {facts.get('CPU implementer')} part {facts['CPU part']}"
    return platform.processor() or None


def memory_mb(root: Path = ROOT) -> int | None:
    """The machine's memory in MiB."""
    if total := read_pairs(root, "proc/meminfo", ":").get("MemTotal"):
        return int(total.split()[0]) // 1024
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (ValueError, OSError):
        return None


def governor(root: Path = ROOT) -> str | None:
    """How the cores choose their frequency: one name, or all that are in use, joined by commas."""
    found = {
        name
        for core in core_ids()
        if (name := read_line(root, f"{CPU}/cpu{core}/cpufreq/scaling_governor")) is not None
    }
    return ",".join(sorted(found)) or None


def virtualisation(root: Path = ROOT) -> str | None:
    """Whose virtual machine this is, as far as it shows; None for bare metal or where it cannot be known."""
    if "microsoft" in (read(root, "proc/version") or "").lower():
        return "WSL"
    if "hypervisor" not in read_pairs(root, "proc/cpuinfo", ":").get("flags", "").split():
        return None
    names = [read_line(root, f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")]
    return " ".join(name for name in names if name) or "unnamed hypervisor"


def container(root: Path = ROOT) -> str | None:
    """The kind of container that we are in, as far as it shows."""
    marks = {".dockerenv": "docker", "run/.containerenv": "podman", "var/run/secrets/kubernetes.io": "kubernetes"}
    return next((kind for name, kind in marks.items() if (root / name).exists()), None)

"""The cores that we may use: the affinity mask, bounded by the cgroup's CPU quota.

Quotas: cgroup v2 `cpu.max` ("max 100000" or "150000 100000"), v1 `cpu.cfs_quota_us` (-1: none) over
`cpu.cfs_period_us`; each group between ours and the root of the mount bounds us too. Source: the kernel's
Documentation, admin-guide/cgroup-v2 and scheduler/sched-bwc.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from .files import ROOT, read, read_numbers


class CpuGroup(NamedTuple):
    """A cgroup that rules over our CPU time: its directory below the root, and the one at which its mount begins."""

    version: int
    directory: PurePosixPath
    mount: PurePosixPath

    def lineage(self) -> list[PurePosixPath]:
        """Its directory and those above it up to the mount."""
        return [each for each in (self.directory, *self.directory.parents) if each.is_relative_to(self.mount)]


def core_ids() -> list[int]:
    """The numbers of the cores that this process may run on, rising."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def core_count(root: Path = ROOT) -> int:
    """How many cores' worth of CPU time we may use: at least 1; a quota of two and a half counts as 2."""
    quota = cgroup_quota_cores(root)
    cores = len(core_ids())
    return cores if quota is None else max(1, min(cores, int(quota)))


def cgroup_quota_cores(root: Path = ROOT) -> float | None:
    """The CPU quota of our cgroup in cores; None where there is none."""
    quotas = [
        quota
        for group in cpu_groups(root)
        for directory in group.lineage()
        if (quota := _quota(root, directory, group.version)) is not None
    ]
    return min(quotas, default=None)


def cpu_groups(root: Path = ROOT) -> list[CpuGroup]:
    """Our cgroups with a say over CPU time, of either version; empty where there are none."""
    paths: dict[int, PurePosixPath] = {}
    for line in (read(root, "proc/self/cgroup") or "").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            paths[2] = PurePosixPath(path)
        elif "cpu" in controllers.split(","):
            paths[1] = PurePosixPath(path)
    found = []
    for line in (read(root, "proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        inside, mount = (PurePosixPath(field) for field in before.split()[3:5])
        kind, _, options = after.split(" ", 2)
        version = 2 if kind == "cgroup2" else 1 if kind == "cgroup" and "cpu" in options.split(",") else 0
        if version in paths:
            below = paths[version].relative_to(inside) if paths[version].is_relative_to(inside) else PurePosixPath()
            top = PurePosixPath(*mount.parts[1:])
            found.append(CpuGroup(version, top / below, top))
    return found


def _quota(root: Path, directory: PurePosixPath, version: int) -> float | None:
    if version == 2:
        text = (read(root, f"{directory}/cpu.max") or "max").split()
        return int(text[0]) / int(text[1]) if text[0] != "max" else None
    quota, period = (read_numbers(root, f"{directory}/cpu.cfs_{name}_us") for name in ("quota", "period"))
    return quota[0] / period[0] if quota and period and quota[0] > 0 else None

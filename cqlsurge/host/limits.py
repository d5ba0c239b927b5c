"""The limits of this machine that a load run can meet, and what to do about each; for `cqlsurge doctor`."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .cores import cgroup_quota_cores, core_ids
from .facts import CLOCK, governor
from .files import ROOT, read_line, read_numbers, read_pairs
from .pressure import read_cpu_times, read_throttled_s

if TYPE_CHECKING:
    from pathlib import Path

OPEN_FILES_WANTED = 4096
LOCAL_PORTS_WANTED = 16_000
BACKLOG_WANTED = 1024
MEMORY_WANTED_MB = 2048
STEAL_SHARE = 0.02
QUICK_CLOCKS = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"}
SLOW_GOVERNORS = {"powersave", "conservative", "ondemand", "userspace"}


class Finding(NamedTuple):
    """Something about the machine that may spoil a run: what was seen, what it may mean, what to do."""

    saw: str
    may_mean: str
    do_this: str


@dataclass(frozen=True)
class Limits:
    """The limits as they are; None where the system does not show one.

    open_files and open_files_most: how many a process may have, now and at most (None also for no limit);
    local_ports: first and last port of outgoing connections; steal_share: of all CPU time since the machine started.
    """

    open_files: int | None
    open_files_most: int | None
    local_ports: tuple[int, int] | None
    accept_backlog: int | None
    memory_available_mb: int | None
    clock_source: str | None
    governor: str | None
    cores: int
    quota_cores: float | None
    throttled_s: float | None
    steal_share: float | None


def read_limits(root: Path = ROOT) -> Limits:
    """The limits of this process and machine."""
    soft, hard = (
        None if each == resource.RLIM_INFINITY else each for each in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    ports = read_numbers(root, "proc/sys/net/ipv4/ip_local_port_range")
    backlog = read_numbers(root, "proc/sys/net/core/somaxconn")
    available = read_pairs(root, "proc/meminfo", ":").get("MemAvailable")
    times = (read_cpu_times(root) or {}).get("all")
    return Limits(
        open_files=soft,
        open_files_most=hard,
        local_ports=(ports[0], ports[1]) if ports and len(ports) == 2 else None,
        accept_backlog=backlog[0] if backlog else None,
        memory_available_mb=int(available.split()[0]) // 1024 if available else None,
        clock_source=read_line(root, f"{CLOCK}/current_clocksource"),
        governor=governor(root),
        cores=len(core_ids()),
        quota_cores=cgroup_quota_cores(root),
        throttled_s=read_throttled_s(root),
        steal_share=times.steal / times.total if times and times.total else None,
    )


def findings(limits: Limits) -> list[Finding]:
    """What is worth a word, the gravest first; empty where all is well."""
    return [*_of_cpu(limits), *_of_clock(limits), *_of_sockets(limits), *_of_memory(limits)]


def _of_cpu(limits: Limits) -> list[Finding]:
    found = []
    if limits.cores == 1:
        found.append(
            Finding(
                "one core to run on",
                "the client and anything else here take time from each other; latencies include it",
                "give the client two cores or more, and the database another machine",
            )
        )
    if limits.quota_cores is not None and limits.quota_cores < limits.cores:
        found.append(
            Finding(
                f"a CPU quota of {limits.quota_cores:g} cores over {limits.cores} cores",
                "past the quota the kernel stops all processes for up to 100 ms: stalls that look like the server's",
                "raise the container's CPU limit to its number of cores, or give it whole cores (cpuset)",
            )
        )
    if limits.throttled_s:
        found.append(
            Finding(
                f"the CPU quota has held this group back for {limits.throttled_s:.1f} s so far",
                "the quota is too small for what runs in it",
                "raise the container's CPU limit, or use fewer --processes",
            )
        )
    if limits.steal_share is not None and limits.steal_share > STEAL_SHARE:
        found.append(
            Finding(
                f"{limits.steal_share:.1%} of the CPU time since start went to other guests of the host",
                "stalls of the client that look like the server's",
                "use an instance with dedicated cores, or one that is not out of CPU credits",
            )
        )
    return found


def _of_clock(limits: Limits) -> list[Finding]:
    found = []
    if slow := set((limits.governor or "").split(",")) & SLOW_GOVERNORS:
        found.append(
            Finding(
                f"the cores' frequency is chosen by {', '.join(sorted(slow))}",
                "slow first milliseconds of each burst, figures that vary from run to run",
                "cpupower frequency-set -g performance",
            )
        )
    if limits.clock_source is not None and limits.clock_source not in QUICK_CLOCKS:
        found.append(
            Finding(
                f"the kernel reads its clock from {limits.clock_source}",
                "each look at the clock is a system call of up to a microsecond, and there are several per operation",
                "boot with clocksource=tsc if the processor's is stable",
            )
        )
    return found


def _of_sockets(limits: Limits) -> list[Finding]:
    found = []
    if limits.open_files is not None and limits.open_files < OPEN_FILES_WANTED:
        within = limits.open_files_most is None or limits.open_files_most >= OPEN_FILES_WANTED
        found.append(
            Finding(
                f"a process may open {limits.open_files} files",
                "connections fail where nodes x shards x processes come near it; the embedded database may not start",
                f"ulimit -n {OPEN_FILES_WANTED}" + ("" if within else " as root, or LimitNOFILE= in the service"),
            )
        )
    if limits.local_ports and limits.local_ports[1] - limits.local_ports[0] < LOCAL_PORTS_WANTED:
        low, high = limits.local_ports
        found.append(
            Finding(
                f"outgoing connections have the ports {low} to {high}",
                "a connection for each shard may find no port that leads to it",
                'sysctl -w net.ipv4.ip_local_port_range="32768 60999"',
            )
        )
    if limits.accept_backlog is not None and limits.accept_backlog < BACKLOG_WANTED:
        found.append(
            Finding(
                f"a listening socket holds {limits.accept_backlog} connections not yet accepted",
                "many processes that connect at once to a server on this machine wait a second and more",
                f"sysctl -w net.core.somaxconn={BACKLOG_WANTED * 4}",
            )
        )
    return found


def _of_memory(limits: Limits) -> list[Finding]:
    if limits.memory_available_mb is None or limits.memory_available_mb >= MEMORY_WANTED_MB:
        return []
    return [
        Finding(
            f"{limits.memory_available_mb} MB of memory are free",
            "the embedded database needs some 1500 MB, and each load process some 100",
            "stop other programs, or name the ADDRESS of a database elsewhere",
        )
    ]

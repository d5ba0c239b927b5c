"""Usable cores.

How: /proc and cgroup trees as real systems show them (systemd with v2, Docker with v1, a hybrid, a private namespace)
are laid down under a temporary root; the live machine must agree with its own affinity mask, also a narrowed one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cqlsurge.host.cores import cgroup_quota_cores, core_count, core_ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[[dict[str, str]], Path]

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
V1_MOUNT = "36 30 0:32 {inside} /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
OTHERS = (
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n33 31 0:34 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
)


def test_systemd_slice_with_quota_above_us(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "0::/user.slice/job.scope\n",
            "proc/self/mountinfo": OTHERS + V2_MOUNT,
            "sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/user.slice/job.scope/cpu.max": "max 100000\n",
        }
    )
    assert cgroup_quota_cores(root) == 1.5
    assert core_count(root) == 1
    tree({"sys/fs/cgroup/user.slice/job.scope/cpu.max": "50000 100000\n"})
    assert cgroup_quota_cores(root) == 0.5
    assert core_count(root) == 1
    tree(
        {"sys/fs/cgroup/user.slice/job.scope/cpu.max": "6400000 100000\n", "sys/fs/cgroup/user.slice/cpu.max": "max 1"}
    )
    assert cgroup_quota_cores(root) == 64
    assert core_count(root) == len(core_ids())


def test_private_cgroup_namespace(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/cpu.max": "250000 100000\n",
        }
    )
    assert cgroup_quota_cores(root) == 2.5


@pytest.mark.parametrize("inside", ["/docker/4f1c", "/"])
def test_docker_with_v1(tree: Tree, inside: str) -> None:
    """The container's own group is mounted; or the host's path is shown, which does not exist below the mount."""
    root = tree(
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/docker/4f1c\n4:memory:/docker/4f1c\n1:name=systemd:/docker/4f1c\n",
            "proc/self/mountinfo": OTHERS + V1_MOUNT.format(inside=inside),
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "100000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "50000\n",
        }
    )
    assert cgroup_quota_cores(root) == 2
    tree({"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n"})
    assert cgroup_quota_cores(root) is None


def test_hybrid_where_only_v1_rules_cpu(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "2:cpuacct:/\n1:cpu:/job\n0::/\n",
            "proc/self/mountinfo": "32 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
            "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "300000",
            "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000",
        }
    )
    assert cgroup_quota_cores(root) == 3


def test_a_system_without_any_of_it(tmp_path: Path) -> None:
    assert cgroup_quota_cores(tmp_path) is None
    assert core_count(tmp_path) == len(core_ids()) >= 1


def test_the_live_machine() -> None:
    assert 1 <= core_count() <= len(core_ids()) <= (os.cpu_count() or 1)
    assert core_ids() == sorted(core_ids())


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity masks here")
def test_a_narrowed_mask_is_seen() -> None:
    last = core_ids()[-1]
    code = (
        f"import os; os.sched_setaffinity(0, {{{last}}});"
        "from cqlsurge.host.cores import *; assert core_count() == 1; assert core_ids() == [%d]" % last
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=os.getcwd())

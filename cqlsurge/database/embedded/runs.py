"""The folders that clusters run in: one a run under CACHE/runs, or the one that the user keeps.

Each holds a lock that its owner and the owner's supervisors share; a folder in CACHE/runs whose lock is free is a
leftover of a killed run. The next start ends what still runs in it (by the pids noted there, each checked to be about
that very folder) and removes it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cqlsurge.database.embedded.cache import cache_directory, held_lock, make_directory, require_space, try_lock
from cqlsurge.errors import EmbeddedError, UsageError

MIB_A_NODE = 600  # commit log, memtables flushed during a short run, system tables
PID_FILE = "pids"
RECORD = "cluster.json"


@dataclass
class RunFolder:
    """A locked folder for one cluster."""

    path: Path
    lock_fd: int
    kept: bool

    def record(self) -> dict[str, Any]:
        """What an earlier run noted in a kept folder; empty in a new one."""
        try:
            noted: dict[str, Any] = json.loads((self.path / RECORD).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return noted

    def write_record(self, facts: dict[str, Any]) -> None:
        (self.path / RECORD).write_text(json.dumps(facts), encoding="utf-8")

    def close(self) -> None:
        """Give the folder back; one that is not kept is removed. All nodes have ended by now."""
        if self.lock_fd < 0:
            return
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock_fd)
        self.lock_fd = -1


def open_run(nodes: int, keep: Path | None) -> RunFolder:
    """Remove leftovers, then make and lock a folder. Raises EmbeddedError: no space, or a kept folder in use."""
    remove_leftovers()
    if keep is not None:
        return _open_kept(keep.absolute(), nodes)
    runs = make_directory(cache_directory() / "runs")
    require_space(runs, nodes * MIB_A_NODE, "running Apache Cassandra")
    with held_lock(runs / ".lock"):
        path = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=runs))
        lock_fd = try_lock(path / "lock")
        assert lock_fd is not None
    return RunFolder(path, lock_fd, kept=False)


def _open_kept(path: Path, nodes: int) -> RunFolder:
    if path.exists() and not (path / RECORD).exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"{path} is no folder of a kept cluster and not empty; give a new folder to keep the data in")
    make_directory(path)
    require_space(path, nodes * MIB_A_NODE, "running Apache Cassandra")
    lock_fd = try_lock(path / "lock")
    if lock_fd is None:
        raise EmbeddedError(f"{path} is in use by another cluster; stop that one, or keep this one's data elsewhere")
    end_processes(path)
    return RunFolder(path, lock_fd, kept=True)


def remove_leftovers() -> None:
    """Remove the folders of killed runs, after ending what still runs in them."""
    runs = make_directory(cache_directory() / "runs")
    with held_lock(runs / ".lock"):
        for path in runs.glob("run-*"):
            lock_fd = try_lock(path / "lock")
            if lock_fd is not None:
                end_processes(path)
                path.rename(path.with_name(f"dead-{path.name}"))
                os.close(lock_fd)
    for path in runs.glob("dead-*"):
        shutil.rmtree(path, ignore_errors=True)


def end_processes(path: Path) -> None:
    """Kill the supervisors and JVMs noted in a run folder that are still about it."""
    for pid_file in path.glob(f"node*/{PID_FILE}"):
        end_noted(pid_file)


def end_noted(pid_file: Path) -> None:
    """Kill the processes noted in a node's folder, if their command line names that folder, and forget them."""
    try:
        pids = pid_file.read_text(encoding="ascii").split()
    except FileNotFoundError:
        return
    for pid in map(int, pids):
        if f"{pid_file.parent}/" in command_line(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    pid_file.unlink(missing_ok=True)


def command_line(pid: int) -> str:
    """The arguments of a running process, "" when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listing.stdout

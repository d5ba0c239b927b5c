"""`cqlsurge cassandra` held in a process of its own, and what can be seen of its processes in /proc."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

CLI = "from cqlsurge.cli.main import main; raise SystemExit(main())"


class Held:
    """A cluster held by the command line; its cache is the user's own, so nothing is fetched again."""

    COMMAND = (sys.executable, "-c", CLI, "cassandra")

    def __init__(self, folder: Path, *arguments: str, environment=None, through_starter: bool = False):
        self.ready = folder / "ready"
        self.said = folder / "said"
        command = [*self.COMMAND, "--ready-file", str(self.ready), *arguments]
        if through_starter:  # two commands, so that the shell stays between
            command = ["/bin/sh", "-c", '"$@"; true', "starter", *command]
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=os.environ | (environment or {}),
                process_group=0,
            )  # fmt: skip

    def wait_ready(self) -> str:
        wait_until(lambda: self.ready.exists() or self.process.poll() is not None, 240)
        assert self.ready.exists(), self.said.read_text()
        return self.ready.read_text()

    def node_pids(self) -> list[int]:
        """Supervisor and JVM, [] while there are none."""
        try:
            return [int(pid) for pid in (self.run_folder() / "node1" / "pids").read_text().split()]
        except (OSError, IndexError):
            return []

    def run_folder(self) -> Path:
        """The folder that the supervisor's command line names."""
        for pid in self.holder_pids():
            for child in children(pid):
                words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
                if any(word.endswith("supervisor.py") for word in words):
                    return Path(next(word for word in words if word.endswith("/node1/pids"))).parents[1]
        raise IndexError("no supervisor yet")

    def holder_pids(self) -> list[int]:
        """The process that holds the cluster: ours, or the one that the starter started."""
        below = children(self.process.pid)
        is_shell = b"starter" in Path(f"/proc/{self.process.pid}/cmdline").read_bytes().split(b"\0")
        return below if is_shell else [self.process.pid]

    def end(self) -> None:
        """For a test that failed in the middle."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        with suppress(ProcessLookupError):  # the holder whose starter is dead is still of its group
            os.killpg(self.process.pid, signal.SIGTERM)


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody has waited for yet has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(condition, timeout_s: float = 30.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)

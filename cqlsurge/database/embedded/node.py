"""One Cassandra node: its folder, its supervisor process, and what its log says."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cqlsurge.database.embedded.runs import PID_FILE, end_noted
from cqlsurge.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterable

SUPERVISOR = Path(__file__).with_name("supervisor.py")
LINGER_S = 3.0  # for the JVM to save its data after our death; nothing may be left 5 s after it
LOG_LINES = 3
LINE_LENGTH = 300


@dataclass
class Node:
    """A node of an embedded cluster, counted from 1. `address` is "HOST:CQL_PORT"."""

    number: int
    host: str
    port: int
    folder: Path
    java: Path
    arguments: Path
    lock_fd: int  # the run folder's lock, which the supervisor shares
    kept: bool
    supervisor: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "logs" / "system.log"

    @property
    def output(self) -> Path:
        return self.folder / "logs" / "output.log"

    def launch(self) -> None:
        """Start the supervisor, which starts the JVM; see `returncode` for what became of them."""
        linger_s = LINGER_S if self.kept else 0.0
        with self.output.open("ab") as output:
            self.supervisor = subprocess.Popen(
                [
                    sys.executable, "-I", "-S", str(SUPERVISOR), str(linger_s), str(self.folder / PID_FILE),
                    str(self.output), str(self.java), f"@{self.arguments}",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
                pass_fds=(self.lock_fd,),
            )  # fmt: skip

    @property
    def running(self) -> bool:
        return self.supervisor is not None and self.supervisor.poll() is None

    @property
    def jvm_pid(self) -> int | None:
        """The JVM's process id, None before it has one."""
        try:
            return int((self.folder / PID_FILE).read_text(encoding="ascii").split()[1])
        except (OSError, IndexError):
            return None

    def order(self, word: str) -> None:
        if self.supervisor and self.supervisor.stdin:
            with suppress(BrokenPipeError):
                self.supervisor.stdin.write(word.encode())
                self.supervisor.stdin.flush()

    def wait(self, timeout_s: float) -> None:
        """Wait for the supervisor's end; one that does not end in time is killed, and its JVM with it."""
        if self.supervisor is None:
            return
        try:
            self.supervisor.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            self.supervisor.wait()
        self.forget()

    def forget(self) -> None:
        """Close the pipe of an ended supervisor; end a JVM that outlived it (where the kernel does not)."""
        if self.supervisor and self.supervisor.stdin:
            with suppress(BrokenPipeError):
                self.supervisor.stdin.close()
        end_noted(self.folder / PID_FILE)
        self.supervisor = None

    def death(self) -> str:
        """Why an ended node ended, with the last lines of its log that tell."""
        code = self.supervisor.returncode if self.supervisor else None
        if code is None:
            how = "is not running"
        elif code < 0:
            how = f"died: its supervisor was ended by {signal_name(-code)}"
        elif code > 128:
            how = f"died: ended by {signal_name(code - 128)}"
        else:
            how = f"ended by itself with exit code {code}"
        lines = self.telling_lines()
        return f"Cassandra node {self.number} ({self.address}) {how}" + (f"; its log says: {lines}" if lines else "")

    def telling_lines(self) -> str:
        """The last errors of the log, else the last lines of the JVM's output; on one line."""
        lines = [line for line in tail(self.log) if line.startswith(("ERROR", "FATAL"))]
        if not lines:
            lines = [line for line in tail(self.output) if not line.startswith(("WARNING", "Picked up ", "\tat ", " "))]
        return " | ".join(line[:LINE_LENGTH] for line in lines[-LOG_LINES:])

    def log_size(self) -> int:
        try:
            return self.log.stat().st_size
        except OSError:
            return 0

    def sees(self, hosts: Iterable[str], since: int) -> bool:
        """Whether the log, from that byte on, says that each of the hosts is up; all of them have joined the ring."""
        with suppress(OSError), self.log.open("rb") as file:
            file.seek(since)
            text = file.read().decode(errors="replace")
            return all(re.search(rf"{re.escape(host)}:\d+ is now UP", text) for host in hosts)
        return False


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def tail(path: Path, size: int = 16 * 1024) -> list[str]:
    """The last lines of a file, [] when it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


def wait_until_ended(nodes: Iterable[Node], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    for node in nodes:
        node.wait(max(0.0, deadline - time.monotonic()))


def require_running(nodes: Iterable[Node]) -> None:
    """Raise EmbeddedError for the first node that has ended."""
    for node in nodes:
        if not node.running:
            raise EmbeddedError(node.death())

"""One load process as the parent sees it: started apart, spoken to over pipes, its last words kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from cqlsurge import load
from cqlsurge.errors import WorkerError
from cqlsurge.processes.interpreters import environment

BOOTSTRAP = str(Path(load.__file__).with_name("bootstrap.py"))
READ_SIZE = 1 << 18
LAST_WORDS = 20
#: unsent bytes that may wait for a load process that does not read
OUT_LIMIT = 64 << 20
CLOSE_TIMEOUT_S = 2.0


def encode(message: dict[str, Any]) -> bytes:
    """A message as the line that carries it."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class LoadProcess:
    """A child that runs cqlsurge/load/bootstrap.py on some interpreter, in a session of its own.

    A terminal's Ctrl-C does not reach it, and it ends by itself when its pipe closes. Nothing here waits.
    """

    def __init__(self, python: str, index: int, hidden: Collection[str] = ()) -> None:
        """`hidden`: variables of ours that it is not given."""
        self.index = index
        try:
            self._child = subprocess.Popen(
                [python, "-I", BOOTSTRAP],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={name: value for name, value in environment().items() if name not in hidden},
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerError(f"a load process cannot start on {python}: {error.strerror}") from error
        self.pid = self._child.pid
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        self.in_fd, self.out_fd, self.err_fd = (
            self._child.stdin.fileno(),
            self._child.stdout.fileno(),
            self._child.stderr.fileno(),
        )
        for fd in (self.in_fd, self.out_fd, self.err_fd):
            os.set_blocking(fd, False)
        self._rest = b""
        self._unsent = bytearray()
        self._words: deque[str] = deque(maxlen=LAST_WORDS)
        self.ended = False

    @property
    def label(self) -> str:
        """Which process it is, for people."""
        return f"load process {self.index} (pid {self.pid})"

    def send(self, message: dict[str, Any]) -> None:
        """Queues a message and writes what the pipe takes; a dead process takes nothing and says so by its end."""
        self.send_line(encode(message))

    def send_line(self, line: bytes) -> None:
        """As `send`, for an encoded message. A process that has not read until the queue is full is ended."""
        self._unsent += line
        if len(self._unsent) > OUT_LIMIT:
            self._give_up("it did not read its messages")
        self.flush()

    @property
    def unsent(self) -> bool:
        """Whether messages wait for the pipe to take them."""
        return bool(self._unsent) and not self.ended

    def flush(self) -> None:
        """Writes what the pipe takes now."""
        try:
            while self._unsent:
                del self._unsent[: os.write(self.in_fd, self._unsent)]
        except BlockingIOError:
            pass  # the selector says when there is room
        except OSError:
            self._unsent.clear()

    def read_lines(self) -> list[bytes]:
        """The whole lines that have arrived; sets `ended` when the process has closed its side."""
        data = self._read(self.out_fd)
        if data is None:
            return []
        if not data:
            self.ended = True
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def read_messages(self) -> list[dict[str, Any]]:
        """The whole messages that have arrived; sets `ended` when the process has closed its side."""
        lines = self.read_lines()
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            self._give_up(f"it sent no message but {lines[0][:80]!r}")
            self.ended = True
            return []

    def _give_up(self, why: str) -> None:
        """Ends a process that does not keep to the messages; the rest of the run goes on without it."""
        self._words.append(why)
        self._unsent.clear()
        self.kill()

    def read_words(self) -> bool:
        """Keeps the last lines of what the process says on standard error; false when it has closed it."""
        data = self._read(self.err_fd)
        if data:
            self._words.extend(line for line in data.decode(errors="replace").splitlines() if line.strip())
        return data is None or bool(data)

    @staticmethod
    def _read(fd: int) -> bytes | None:
        """Bytes, b"" at the end, None when there is nothing now."""
        try:
            return os.read(fd, READ_SIZE)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    @property
    def last_words(self) -> str:
        """The last line that the process said on standard error, or nothing."""
        return self._words[-1].strip() if self._words else ""

    def exit_text(self) -> str:
        """How the process ended, for people: killed by SIGKILL, exited with 3."""
        code = self._child.poll()
        if code is None:
            return "closed its pipe"
        if code < 0:
            try:
                return f"killed by {signal.Signals(-code).name}"
            except ValueError:
                return f"killed by signal {-code}"
        return f"exited with {code}"

    def wait(self, timeout_s: float) -> bool:
        """Waits for the end of the process; false if it has not come."""
        try:
            self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Ends the process at once."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()

    def close(self) -> None:
        """Closes the pipes; a process that still runs ends by itself."""
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass  # the pipe broke with its process


def end_all(processes: Sequence[LoadProcess]) -> None:
    """Asks the processes to exit, closes their pipes, and kills what is left after two seconds."""
    for process in processes:
        if not process.ended:
            process.send({"type": "exit"})
    for process in processes:
        process.close()
    deadline = time.monotonic() + CLOSE_TIMEOUT_S
    for process in processes:
        if not process.wait(max(0.0, deadline - time.monotonic())):
            process.kill()

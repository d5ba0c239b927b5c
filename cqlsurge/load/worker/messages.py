"""The messages between the parent and a load process: JSON lines, versioned, the same on a pipe and across hosts.

From the load process:
  hello      version, cqlsurge, host, pid, monotonic_ns, unix_ns, python     first of all
  ready      facts, monotonic_ns                                             after `plan`: connected and prepared
  need       phase                                                           another block of numbers, please
  snapshot   phase, t_ns, began_ns, measuring, issuing, counts and           each second, and at both ends of the
             histograms (Recorder.take); began_ns: when this process         measured window
             really began; issuing: whether more may be issued
  end        as snapshot, and reason, in_flight                              the phase is over
  failed     text, bug                                                       cannot go on; `bug` holds a traceback
From the parent (first `plan`, then any number of phases, then `exit` or the end of the pipe):
  plan       version, engine, seed, worker, workers, host_place, workload, target, options, core
  phase      phase, workload or null, concurrency, pacing, start_ns, warmup_s, duration_s, verify_share, ...
  range      start, count                                                    a block of operation numbers
  range_end                                                                  no more blocks in this phase
  stop       drain_s
  rate       factor                                                          of this process's share, from the start on
  topology   nodes (tokens where they are others), tablets (where they are)
  exit

Times named *_ns are time.monotonic_ns() of the load process's host. `plan` holds secrets: it is never logged.
"""

from __future__ import annotations

import json
import os
import select
import sys
from typing import Any

VERSION = 1
READ_SIZE = 1 << 16

Message = dict[str, Any]


class LineChannel:
    """Messages over two file descriptors; `receive` never waits, `wait` does. Sending waits until the pipe takes it."""

    def __init__(self, in_fd: int, out_fd: int) -> None:
        self._in, self._out = in_fd, out_fd
        self._rest = b""
        self._waiting: list[Message] = []
        self._ended = False

    def send(self, message: Message) -> None:
        """Sends one message. Raises EOFError when the other side is gone."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError as error:
            raise EOFError("the parent is gone") from error

    def receive(self) -> list[Message]:
        """What has arrived since the last call. Raises EOFError when the other side is gone and nothing is left."""
        while not self._ended and select.select([self._in], [], [], 0)[0]:
            self._read()
        if self._ended and not self._waiting:
            raise EOFError("the parent is gone")
        messages, self._waiting = self._waiting, []
        return messages

    def wait(self) -> Message:
        """The next message, however long it takes. Raises EOFError when the other side is gone."""
        while not self._waiting:
            if self._ended:
                raise EOFError("the parent is gone")
            self._read()
        return self._waiting.pop(0)

    def _read(self) -> None:
        data = os.read(self._in, READ_SIZE)
        if not data:
            self._ended = True
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._waiting += [json.loads(line) for line in lines]


def standard_channel() -> LineChannel:
    """The channel of this process over its standard streams; from now on print() goes to standard error."""
    out_fd = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return LineChannel(0, out_fd)

"""All load processes of a run on this host: started, listened to, stopped. One selector, no threads."""

from __future__ import annotations

import selectors
import time
from typing import Any

from cqlsurge.errors import WorkerError
from cqlsurge.fleet.process import LoadProcess

Message = dict[str, Any]
CLOSE_TIMEOUT_S = 2.0


class Crew:
    """`count` load processes on one interpreter. Use as a context manager: leaving it ends them all."""

    def __init__(self, python: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self.processes: list[LoadProcess] = []
        try:
            for index in range(count):
                process = LoadProcess(python, index)
                self.processes.append(process)
                self._selector.register(process.out_fd, selectors.EVENT_READ, (process, "out"))
                self._selector.register(process.err_fd, selectors.EVENT_READ, (process, "err"))
        except WorkerError:
            self.close()
            raise

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def alive(self) -> list[LoadProcess]:
        """The processes that have not closed their side."""
        return [process for process in self.processes if not process.ended]

    def send(self, index: int, message: Message) -> None:
        """Sends a message to one process; a dead one is noticed by `poll`."""
        self.processes[index].send(message)

    def send_all(self, message: Message) -> None:
        """Sends a message to all processes that live."""
        for process in self.alive:
            process.send(message)

    def poll(self, timeout_s: float) -> list[tuple[int, Message | None]]:
        """What the processes said within the time, as (index, message); None says that the process has ended."""
        self._flush()
        heard: list[tuple[int, Message | None]] = []
        for key, _mask in self._selector.select(timeout_s):
            process, which = key.data
            if which == "err":
                if not process.read_words():
                    self._selector.unregister(key.fd)
                continue
            heard += [(process.index, message) for message in process.read_messages()]
            if process.ended:
                self._selector.unregister(key.fd)
                process.wait(0.2)
                process.read_words()
                heard.append((process.index, None))
        return heard

    def _flush(self) -> None:
        for process in self.processes:
            if process.unsent:
                process.flush()

    def close(self) -> None:
        """Asks the processes to exit, closes their pipes, and kills what is left after two seconds."""
        for process in self.alive:
            process.send({"type": "exit"})
        for process in self.processes:
            process.close()
        deadline = time.monotonic() + CLOSE_TIMEOUT_S
        for process in self.processes:
            if not process.wait(max(0.0, deadline - time.monotonic())):
                process.kill()
        self._selector.close()

"""All load processes of a run on this host: started, listened to, stopped. One selector, no threads."""

from __future__ import annotations

import selectors
import time
from typing import Any

from cqlsurge.errors import WorkerError
from cqlsurge.processes.group import Host, Message
from cqlsurge.processes.host_watch import HostWatch
from cqlsurge.processes.process import LoadProcess, end_all

START_DELAY_NS = 50_000_000
#: room for a load process to catch up: with all of its work at a stretch, this process would hold one up for 4 ms
GIVE_WAY_S = 0.0003


class LocalGroup:
    """`count` load processes on one interpreter. Use as a context manager: leaving it ends them all."""

    start_delay_ns = START_DELAY_NS

    def __init__(self, python: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self.processes: list[LoadProcess] = []
        self.hosts: list[Host] = []
        self._watch: HostWatch | None = None
        self._watching = False
        try:
            for index in range(count):
                process = LoadProcess(python, index)
                self.processes.append(process)
                self._selector.register(process.out_fd, selectors.EVENT_READ, (process, "out"))
                self._selector.register(process.err_fd, selectors.EVENT_READ, (process, "err"))
        except WorkerError:
            self.close()
            raise

    def __enter__(self) -> LocalGroup:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def alive(self) -> list[LoadProcess]:
        """See ProcessGroup."""
        return [process for process in self.processes if not process.ended]

    def synchronize(self) -> None:
        """There is but one clock."""

    def begin_watch(self) -> None:
        """See ProcessGroup."""
        self._watch = HostWatch(process.pid for process in self.alive)
        self._watching = True

    def end_watch(self) -> None:
        """See ProcessGroup."""
        if self._watch is not None and self._watching:
            self._watching = False
            self._watch.take()

    def use(self) -> dict[str, Any]:
        """See ProcessGroup."""
        return {} if self._watch is None else self._watch.facts

    def give_way(self) -> None:
        """See ProcessGroup. Asleep, since a process that yields goes on at once where it has used little of late."""
        time.sleep(GIVE_WAY_S)

    def troubles(self) -> list[str]:
        """See ProcessGroup."""
        return []

    def send(self, index: int, message: Message) -> None:
        """See ProcessGroup."""
        self.processes[index].send(message)

    def send_all(self, message: Message) -> None:
        """See ProcessGroup."""
        for process in self.alive:
            process.send(message)

    def poll(self, timeout_s: float) -> list[tuple[int, Message | None]]:
        """See ProcessGroup."""
        self._flush()
        if self._watch is not None and self._watching:
            self._watch.take_if_due()
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
        end_all(self.processes)
        self._selector.close()

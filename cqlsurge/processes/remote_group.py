"""Load processes on many hosts, as one group: what ProcessGroup says, over one connection to an agent on each host.

Connections live on the event loop of Dask's client, in a thread of its own; `poll` takes what they heard from a queue.
Times are mapped here, at the edge: messages are of our own clock on this side and of the host's clock on the other.
"""

from __future__ import annotations

import asyncio
import json
import queue
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from cqlsurge.errors import UsageError, WorkerError
from cqlsurge.processes.clocks import Trip, offset_of
from cqlsurge.processes.group import Host, Message
from cqlsurge.processes.link import PING_S, Link, LinkMessage
from cqlsurge.processes.process import encode

TRIPS = 16
#: more hosts at once would make each other's round trips longer
TRIPS_AT_ONCE = 4
TRIP_TIMEOUT_S = 2.0
USE_TIMEOUT_S = 0.3
START_DELAY_NS = 150_000_000
LEAVE_DRAIN_S = 1.0
CLOSE_TIMEOUT_S = 3.0
#: members of messages that are times
TIMES = {"t_ns", "began_ns", "monotonic_ns"}
#: an engine's environment may have to be made on a host (processes/environments.py)
LOOK_TIMEOUT_S = 900.0


class RemoteProcess:
    """A load process on a host. See Member."""

    def __init__(self, group: RemoteGroup, station: Station, index: int, pid: int) -> None:
        self.index, self.pid, self.station = index, pid, station
        self.ended = False
        self.last_words = ""
        self.how = "closed its pipe"
        self._group = group

    @property
    def label(self) -> str:
        """See Member."""
        return f"load process {self.index} (pid {self.pid} on {self.station.host.name})"

    def exit_text(self) -> str:
        """See Member."""
        return self.how

    def kill(self) -> None:
        """See Member."""
        self._group.tell(self.station, {"is": "kill", "process": self.index - self.station.host.workers.start})


class Station:
    """A host as the group has it: its link, and what came of it."""

    def __init__(self, host: Host, link: Link) -> None:
        self.host, self.link = host, link
        self.trips: list[Trip] = []
        self.answered = asyncio.Event()
        self.leaving = ""
        self.finished: set[int] = set()
        self.over = False


class RemoteGroup:
    """Agents that are connected; `look` and `start` make load processes of them. See ProcessGroup."""

    def __init__(
        self,
        links: Sequence[tuple[str, str, Link]],
        loop: asyncio.AbstractEventLoop,
        scheduler_trouble: Callable[[], str],
    ) -> None:
        """`links`: (name, Dask worker's address, link) of each host, on `loop`, which runs in another thread.

        `scheduler_trouble` tells why the Dask scheduler is lost, or nothing.
        """
        self._loop = loop
        self._heard: queue.SimpleQueue[tuple[Station, LinkMessage]] = queue.SimpleQueue()
        self._unread: list[tuple[int, Message | None]] = []
        self._scheduler_trouble = scheduler_trouble
        self._troubled = self._closed = False
        self._stations = [Station(Host(name, address, {}, {}, []), link) for name, address, link in links]
        self.processes: list[RemoteProcess] = []
        self.start_delay_ns = START_DELAY_NS
        self._tasks = [self._call(work) for station in self._stations for work in self._keep(station)]

    def __enter__(self) -> RemoteGroup:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def hosts(self) -> list[Host]:
        """See ProcessGroup."""
        return [station.host for station in self._stations]

    @property
    def alive(self) -> list[RemoteProcess]:
        """See ProcessGroup."""
        return [process for process in self.processes if not process.ended]

    def look(
        self, frame: LinkMessage, *, divided: bool, note: Callable[[str], None], stage: Callable[[str], None]
    ) -> None:
        """Finds out what each host has. `divided`: all are this machine, each gets its part of the cores.

        Raises UsageError that names the hosts which cannot take part.
        """
        for part, station in enumerate(self._stations):
            slices = {"part": part, "parts": len(self._stations)} if divided else {"part": 0, "parts": 1}
            self.tell(station, {"is": "look", **frame, **slices})
        notes = []
        for station, answer in self._answers("looked", LOOK_TIMEOUT_S, stage):
            host = station.host
            host.facts, host.runtime, host.cores = answer["facts"], answer["runtime"], answer["cores"]
            if answer["note"]:
                notes.append(answer["note"])
        for text in dict.fromkeys(notes):
            note(text)

    def start(self, counts: Sequence[int]) -> None:
        """Starts so many load processes on each host. Raises UsageError, by the host's name."""
        first = 0
        for station, count in zip(self._stations, counts, strict=True):
            station.host.workers = range(first, first + count)
            first += count
            self.tell(station, {"is": "start", "count": count})
        answers = dict(self._answers("started", LOOK_TIMEOUT_S, lambda text: None))
        for station in self._stations:
            for index, pid in zip(station.host.workers, answers[station]["pids"], strict=True):
                self.processes.append(RemoteProcess(self, station, index, pid))

    def _answers(self, kind: str, timeout_s: float, stage: Callable[[str], None]) -> list[tuple[Station, LinkMessage]]:
        """One answer of each host. Raises UsageError with what those say that refuse, or are lost."""
        answers: dict[Station, LinkMessage] = {}
        early = []  # what load processes say while other hosts still start theirs
        deadline_s = time.monotonic() + timeout_s
        while len(answers) < len(self._stations):
            if time.monotonic() > deadline_s:
                silent = [station.host.name for station in self._stations if station not in answers]
                raise WorkerError(f"no answer from {', '.join(silent)} within {timeout_s:.0f} s")
            try:
                station, frame = self._heard.get(timeout=0.5)
            except queue.Empty:
                continue
            if frame["is"] == "stage":
                stage(f"{station.host.name}: {frame['text']}")
            elif frame["is"] in {kind, "refused", "lost"}:
                answers[station] = frame
            else:
                early.append((station, frame))
        for heard in early:
            self._heard.put(heard)
        ordered = [(station, answers[station]) for station in self._stations]
        refused = [f"host {one.host.name}: {frame['text']}" for one, frame in ordered if frame["is"] != kind]
        if refused:
            raise UsageError("; ".join(refused))
        return ordered

    def give_way(self) -> None:
        """See ProcessGroup. The load is elsewhere."""

    def synchronize(self) -> None:
        """Estimates each host's clock from round trips. A host that does not answer keeps its estimate, or is lost."""
        self._call(self._compare_all()).result()
        longest_ns = 0
        for station in self._stations:
            if station.trips:
                host = station.host
                host.clock_offset_ns, host.clock_error_ns = offset_of(station.trips)
                longest_ns = max(longest_ns, *(trip.heard_ns - trip.sent_ns for trip in station.trips))
        self.start_delay_ns = START_DELAY_NS + 3 * longest_ns

    async def _compare_all(self) -> None:
        few = asyncio.Semaphore(TRIPS_AT_ONCE)

        async def compare(station: Station) -> None:
            async with few:
                station.trips = []
                while len(station.trips) < TRIPS and not station.over:
                    station.answered.clear()
                    station.link.send({"is": "ping", "sent_ns": time.monotonic_ns()})
                    await asyncio.wait_for(station.answered.wait(), TRIP_TIMEOUT_S)

        await asyncio.gather(*(compare(station) for station in self._stations), return_exceptions=True)

    def begin_watch(self) -> None:
        """See ProcessGroup."""
        self._tell_all({"is": "watch", "begin": True})

    def end_watch(self) -> None:
        """See ProcessGroup. Waits a moment for what the hosts say last; what processes say meanwhile is for `poll`."""
        self._tell_all({"is": "watch", "begin": False})
        waited = {station for station in self._stations if not station.over}
        deadline_s = time.monotonic() + USE_TIMEOUT_S
        while waited and (left_s := deadline_s - time.monotonic()) > 0:
            try:
                station, frame = self._heard.get(timeout=left_s)
            except queue.Empty:
                break
            self._unread += self._take(station, frame)
            if frame["is"] in {"use", "lost"}:
                waited.discard(station)

    def use(self) -> dict[str, Any]:
        """See ProcessGroup: each host has its own."""
        return {}

    def troubles(self) -> list[str]:
        """See ProcessGroup: the scheduler may be lost."""
        text = "" if self._troubled else self._scheduler_trouble()
        self._troubled |= bool(text)
        return [text] if text else []

    def send(self, index: int, message: Message) -> None:
        """See ProcessGroup."""
        process = self.processes[index]
        self._send(process.station, [process], message)

    def send_all(self, message: Message) -> None:
        """See ProcessGroup."""
        for station in self._stations:
            alive = [self.processes[index] for index in station.host.workers if not self.processes[index].ended]
            self._send(station, alive, message)

    def _send(self, station: Station, processes: Sequence[RemoteProcess], message: Message) -> None:
        if not processes:
            return
        if "start_ns" in message:
            message = {**message, "start_ns": message["start_ns"] + station.host.clock_offset_ns}
        first = station.host.workers.start
        self.tell(
            station, {"is": "tell", "to": [process.index - first for process in processes], "line": encode(message)}
        )

    def _tell_all(self, frame: LinkMessage) -> None:
        for station in self._stations:
            self.tell(station, frame)

    def tell(self, station: Station, frame: LinkMessage) -> None:
        """Sends a frame to a host's agent."""
        if not station.over:
            self._loop.call_soon_threadsafe(station.link.send, frame)

    def poll(self, timeout_s: float) -> list[tuple[int, Message | None]]:
        """See ProcessGroup."""
        heard, self._unread = self._unread, []
        try:
            station, frame = self._heard.get(timeout=0 if heard else timeout_s)
            while True:
                heard += self._take(station, frame)
                station, frame = self._heard.get_nowait()
        except queue.Empty:
            return heard

    def _take(self, station: Station, frame: LinkMessage) -> list[tuple[int, Message | None]]:
        """What a frame means to the group's owner."""
        what, host = frame["is"], station.host
        if what == "lines":
            return self._take_lines(station, self.processes[host.workers[frame["process"]]], frame["lines"])
        if what == "ended":
            process = self.processes[host.workers[frame["process"]]]
            process.ended, process.how = True, frame["how"]
            process.last_words = process.last_words or frame["words"]
            return [(process.index, None)]
        if what == "use":
            host.use = frame["use"]
        if what == "leaving":
            station.leaving = host.lost = frame["text"]
            self.send_to_host(host, {"type": "stop", "drain_s": LEAVE_DRAIN_S})
            return [
                (index, {"type": "leaving", "text": f"host {host.name}: {frame['text']}"}) for index in host.workers
            ]
        if what == "lost":
            host.lost = station.leaving or frame["text"]
            rest = [self.processes[index] for index in host.workers if not self.processes[index].ended]
            for process in rest:
                process.ended, process.how = True, f"host {host.name}: {host.lost}"
            return [(process.index, None) for process in rest]
        return []

    def _take_lines(
        self, station: Station, process: RemoteProcess, lines: Sequence[bytes]
    ) -> list[tuple[int, Message | None]]:
        heard: list[tuple[int, Message | None]] = []
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                process.last_words = f"it sent no message but {line[:80]!r}"
                process.kill()
                break
            for name in TIMES.intersection(message):
                message[name] -= station.host.clock_offset_ns
            heard.append((process.index, message))
            if station.leaving and message["type"] == "end":
                station.finished.add(process.index)
        if station.leaving and all(
            self.processes[index].ended for index in set(station.host.workers) - station.finished
        ):
            self.tell(station, {"is": "close"})  # nothing keeps its Dask worker any more
        return heard

    def send_to_host(self, host: Host, message: Message) -> None:
        """Sends a message to the processes of one host."""
        for index in host.workers:
            self.send(index, message)

    def _keep(self, station: Station) -> list[Coroutine[Any, Any, None]]:
        """What keeps a station's link going."""
        return [self._read(station), station.link.write_all(), self._ping(station)]

    async def _read(self, station: Station) -> None:
        """Hears a host, until its link ends."""
        try:
            while True:
                for frame in await station.link.read():
                    if frame["is"] == "pong":
                        station.trips.append(Trip(frame["sent_ns"], frame["now_ns"], time.monotonic_ns()))
                        station.answered.set()
                    else:
                        self._heard.put((station, frame))
                station.host.message_bytes = station.link.message_bytes
        except TimeoutError:
            text = "it said nothing any more"
        except OSError:
            text = "the connection to its Dask worker broke"
        station.over = True
        station.answered.set()
        self._heard.put((station, {"is": "lost", "text": text}))

    async def _ping(self, station: Station) -> None:
        """Tells the host that we live; its answers tell that it does."""
        while not station.over:
            station.link.send({"is": "ping", "sent_ns": time.monotonic_ns()})
            del station.trips[: -2 * TRIPS]
            await asyncio.sleep(PING_S)

    def _call(self, work: Coroutine[Any, Any, None]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Tells the hosts to end their load, and waits a moment until they have. Once is enough."""
        if self._closed:
            return
        self._closed = True
        self._tell_all({"is": "close"})
        deadline_s = time.monotonic() + CLOSE_TIMEOUT_S
        while not all(station.over for station in self._stations) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        for station in self._stations:
            self._call(station.link.close())

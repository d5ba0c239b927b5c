"""The host's side of a run over several hosts. It lives in a Dask worker, on its event loop.

It starts load processes there, carries their lines, and ends them when the parent's connection ends or falls silent, so
that no load outlives its owner. Nothing of it is a Dask task: there is nothing that Dask could start again elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin

import cqlsurge
from cqlsurge.errors import CqlsurgeError
from cqlsurge.host.cores import core_count, core_ids
from cqlsurge.host.facts import host_facts
from cqlsurge.load.engines.registry import engine_info
from cqlsurge.processes.environments import ensure
from cqlsurge.processes.host_watch import HostWatch
from cqlsurge.processes.interpreters import choose
from cqlsurge.processes.link import SILENT_S, Link, LinkMessage
from cqlsurge.processes.process import LoadProcess, end_all

logger = logging.getLogger(__name__)

OP = "cqlsurge"
TICK_S = 0.1
#: how long a Dask worker that closes waits for its load to end in good order
LEAVE_S = 4.0
#: what Dask sets in its workers for numeric libraries, and load processes do not have elsewhere
DASK_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def identity() -> list[str]:
    """[version, digest of the code that load processes run]: the same on all hosts of a run."""
    folder = Path(cqlsurge.__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*(folder / "load").rglob("*.py"), *(folder / "processes").rglob("*.py")]):
        digest.update(path.read_bytes())
    return [cqlsurge.__version__, digest.hexdigest()[:12]]


async def install(local: bool, dask_worker: Any) -> None:
    """Makes a Dask worker take the parent's connection. `local`: it is a child of the parent, on its terminal."""
    if local and threading.current_thread() is threading.main_thread():
        # A terminal's Ctrl-C would reach it too; it is the parent's business.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if OP not in dask_worker.plugins:
        await dask_worker.plugin_add(AgentPlugin(), name=OP)


async def close_without_client(dask_scheduler: Any) -> None:
    """Closes a scheduler that was made for one run, and its workers with it, when the run's parent is gone."""
    missed = 0
    while missed < 2:
        await asyncio.sleep(SILENT_S)
        clients = [name for name in dask_scheduler.clients if name != "fire-and-forget"]
        missed = 0 if clients else missed + 1
    await dask_scheduler.close(reason="cqlsurge is gone")


class AgentPlugin(WorkerPlugin):  # type: ignore[misc]
    """Takes connections for as long as the Dask worker lives, and lets their load end before it closes."""

    name = OP

    def setup(self, worker: Any) -> None:
        """See WorkerPlugin."""
        self.agents: set[Agent] = set()
        worker.handlers[OP] = self.serve

    async def serve(self, comm: Any) -> None:
        """One run, from the parent's first frame to its last."""
        agent = Agent(Link(comm))
        self.agents.add(agent)
        try:
            await agent.serve()
        finally:
            self.agents.discard(agent)

    async def teardown(self, worker: Any) -> None:
        """See WorkerPlugin."""
        lost = worker.batched_stream is None or worker.batched_stream.closed()
        text = "the Dask scheduler was lost" if lost else "its Dask worker was closed"
        await asyncio.gather(*(agent.leave(text) for agent in list(self.agents)))


class Agent:
    """Load processes on this host for one parent. `serve` ends them all, whatever happens."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._processes: list[LoadProcess] = []
        self._python = ""
        self._watch: HostWatch | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    async def serve(self) -> None:
        """Obeys the parent until it says `close`, is silent for too long, or is gone."""
        loop = asyncio.get_running_loop()
        self._begin(self._link.write_all())
        self._begin(self._tick())
        try:
            while not self._over.is_set():
                for frame in await self._link.read():
                    self._obey(frame)
        except (OSError, TimeoutError):
            pass  # the parent is gone, and the load with it
        finally:
            self._over.set()
            for process in self._processes:
                loop.remove_reader(process.out_fd)
                loop.remove_reader(process.err_fd)
            for task in self._tasks:
                task.cancel()
            await asyncio.to_thread(end_all, self._processes)
            await self._link.close()

    async def leave(self, text: str) -> None:
        """The Dask worker closes: the parent is told, and has some seconds to end the load in good order."""
        self._link.send({"is": "leaving", "text": text})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), LEAVE_S)
        self._over.set()

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OSError):  # a broken connection is noticed by who reads
            logger.error("in the agent of cqlsurge", exc_info=error)

    def _obey(self, frame: LinkMessage) -> None:
        what = frame["is"]
        if what == "tell":
            for index in frame["to"]:
                self._processes[index].send_line(frame["line"])
        elif what == "ping":
            self._link.send({"is": "pong", "sent_ns": frame["sent_ns"], "now_ns": time.monotonic_ns()})
        elif what == "look":
            self._begin(self._answer(self._look, frame))
        elif what == "start":
            self._begin(self._answer(self._start, frame))
        elif what == "kill":
            self._processes[frame["process"]].kill()
        elif what == "watch":
            self._set_watch(frame["begin"])
        elif what == "close":
            self._over.set()

    async def _answer(self, work: Any, frame: LinkMessage) -> None:
        """Does what may take long, or may not be possible here, on a thread."""
        loop = asyncio.get_running_loop()
        try:
            answer = await asyncio.to_thread(work, frame, loop)
        except CqlsurgeError as error:
            answer = {"is": "refused", "text": str(error)}
        except Exception as error:  # a bug, but nobody must wait for an answer that never comes
            logger.exception("in the agent of cqlsurge")
            answer = {"is": "refused", "text": f"{type(error).__name__}: {error}"}
        if answer["is"] == "started":
            for process in self._processes:
                loop.add_reader(process.out_fd, self._hear, process)
                loop.add_reader(process.err_fd, self._hear_words, process)
        self._link.send(answer)

    def _look(self, frame: LinkMessage, loop: asyncio.AbstractEventLoop) -> LinkMessage:
        """What can run here: the best interpreter for the engine, its environment made where it needs one."""

        def stage(text: str) -> None:
            loop.call_soon_threadsafe(self._link.send, {"is": "stage", "text": text})

        missing = [file for file in frame["files"] if not os.access(file, os.R_OK)]
        if missing:
            return {"is": "refused", "text": f"cannot read {', '.join(missing)}: TLS files must lie there too"}
        engine = engine_info(frame["engine"])
        choice = choose(frame["runtime"], engine)
        self._python = str(ensure(engine, choice.interpreter.path, stage))
        cores = core_ids()[: core_count()]
        return {
            "is": "looked",
            "facts": host_facts(),
            "runtime": choice.interpreter.facts,
            "cores": cores[frame["part"] :: frame["parts"]] or [cores[frame["part"] % len(cores)]],
            "note": choice.note,
        }

    def _start(self, frame: LinkMessage, loop: asyncio.AbstractEventLoop) -> LinkMessage:
        for index in range(frame["count"]):
            self._processes.append(LoadProcess(self._python, index, DASK_VARIABLES))
        return {"is": "started", "pids": [process.pid for process in self._processes]}

    def _set_watch(self, begin: bool) -> None:
        if begin:
            self._watch = HostWatch(process.pid for process in self._processes if not process.ended)
        elif self._watch is not None:
            self._watch.take()
            self._link.send({"is": "use", "use": self._watch.facts})
            self._watch = None

    async def _tick(self) -> None:
        """Ten times a second: what pipes would not take before, and each second how the host is."""
        sent_s = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            for process in self._processes:
                if process.unsent:
                    process.flush()
            if self._watch is not None and time.monotonic() - sent_s >= 1.0:
                sent_s = time.monotonic()
                self._watch.take_if_due()
                self._link.send({"is": "use", "use": self._watch.facts})

    def _hear(self, process: LoadProcess) -> None:
        lines = process.read_lines()
        if lines:
            self._link.send({"is": "lines", "process": process.index, "lines": lines})
        if process.ended:
            asyncio.get_running_loop().remove_reader(process.out_fd)
            self._begin(self._report_end(process))

    def _hear_words(self, process: LoadProcess) -> None:
        if not process.read_words():
            asyncio.get_running_loop().remove_reader(process.err_fd)

    async def _report_end(self, process: LoadProcess) -> None:
        await asyncio.to_thread(process.wait, 0.2)
        process.read_words()
        how, words = process.exit_text(), process.last_words
        self._link.send({"is": "ended", "process": process.index, "how": how, "words": words})

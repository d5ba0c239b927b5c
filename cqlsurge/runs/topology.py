"""The database's nodes and tablets while a run goes: changes are passed on to the load processes, and noted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from cqlsurge.database.connect import DATABASE_FAULTS
from cqlsurge.host.threads import Background
from cqlsurge.load.engines.contract import Node, Target
from cqlsurge.results.balance import expected_shares
from cqlsurge.runs.database import Database
from cqlsurge.runs.phase import Observer, PhaseRun

TABLETS_EVERY_S = 10.0
OWN_DRAIN_S = 0.5


class TabletWatch:
    """Reads the tablets every ten seconds, on a thread of its own; `latest` is what it read last."""

    def __init__(self, read: Callable[[], Any], every_s: float = TABLETS_EVERY_S) -> None:
        self.latest: Any = None
        self._read, self._every_s = read, every_s
        self._stop = threading.Event()
        self._thread = Background(self._run, "tablet watch")

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def take_failure(self) -> str:
        """See Background."""
        return self._thread.take_failure()

    def stop(self) -> None:
        """Reads no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self.latest = self._read()
            except DATABASE_FAULTS:
                pass  # the server is busy or away: the engine learns tablets from its answers too


class LiveTopology(Observer):
    """See the module's text. `shares`: which part of the requests each node or shard should get; `events`: of nodes."""

    def __init__(self, database: Database, stack: ExitStack) -> None:
        self._database = database
        self.events: list[dict[str, Any]] = []
        self.shares = expected_shares(database.target)
        self._tablets = TabletWatch(database.read_tablets)
        if database.target.tablets is not None:
            self._tablets.start()
            stack.callback(self._tablets.stop)

    @property
    def target(self) -> Target:
        """The database as the engines know it now."""
        return self._database.target

    @property
    def local_nodes(self) -> list[Node]:
        """The nodes of the data centre that is loaded."""
        return [node for node in self.target.nodes if node.dc == self.target.local_dc]

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        if failure := self._tablets.take_failure():
            phase.listener.warn(failure)
        changes = self._database.watch.changes()
        for what, address in changes:
            self.events.append({"t_s": phase.t_s, "event": f"node {what}", "address": address})
            phase.listener.note(f"node {address} is {what}")
        if changes or self._database.take_tablets(self._tablets.latest):
            phase.group.send_all(self._database.topology_message())
            self.shares = expected_shares(self.target)


class OwnDatabase(Observer):
    """Looks after the database that we brought: without it there is nothing left to load."""

    def __init__(self, database: Database) -> None:
        self._own = database.own

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        if self._own is None or phase.result.lost:
            return
        for text in self._own.poll().values():
            phase.end_early(text, OWN_DRAIN_S)

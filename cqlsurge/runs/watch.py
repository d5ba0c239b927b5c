"""What the parent sees beside the load: how hard this machine is pressed, and what the server says of itself.

Both are sampled while the measured phase goes on. Sources: Cassandra's virtual table system_views.thread_pools (4.0 and
newer); ScyllaDB's metrics port in Prometheus text form, scylla_reactor_utilization (percent, a shard each).
"""

from __future__ import annotations

import re
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from cassandra import OperationTimedOut
from cassandra.cluster import Session
from cassandra.connection import ConnectionException

from cqlsurge.database.connect import DATABASE_FAULTS
from cqlsurge.host.threads import Background
from cqlsurge.processes.group import ProcessGroup
from cqlsurge.runs.database import Database
from cqlsurge.runs.phase import Observer, PhaseRun

SERVER_EVERY_S = 2.0
ASK_TIMEOUT_S = 2.0
METRICS_BYTES_MAX = 64 << 20

POOLS = "SELECT name, active_tasks, pending_tasks, blocked_tasks FROM system_views.thread_pools"
#: the pools that requests go through
REQUEST_POOLS = ("Native-Transport-Requests", "MutationStage", "ReadStage", "RequestResponseStage")
_METRIC = re.compile(r"^scylla_(reactor_utilization|transport_requests_serving)(?:\{[^}]*\})? ([0-9.eE+-]+)", re.M)


class ServerWatch:
    """Asks the server every two seconds, on a thread of its own: an answer may take long when the server is loaded."""

    def __init__(self, asks: list[Callable[[], dict[str, dict[str, float]]]]) -> None:
        self._asks = asks
        self._stop = threading.Event()
        self._thread = Background(self._run, "server watch")
        self._sums: dict[str, dict[str, float]] = {}
        self._counts: dict[str, int] = {}
        self._samples = self._unanswered = 0

    def start(self) -> None:
        """Begins to ask."""
        if self._asks:
            self._thread.start()

    def take_failure(self) -> str:
        """See Background."""
        return self._thread.take_failure()

    def stop(self) -> None:
        """Asks no more."""
        self._stop.set()

    def _run(self) -> None:
        # The first moments of a load say nothing of it.
        while not self._stop.wait(SERVER_EVERY_S if self._samples else SERVER_EVERY_S / 2):
            self._asks = [ask for ask in self._asks if self._ask(ask)]
            if not self._asks:
                return

    def _ask(self, ask: Callable[[], dict[str, dict[str, float]]]) -> bool:
        try:
            said = ask()
        except (OperationTimedOut, ConnectionException):
            self._unanswered += 1
            return True
        except (*DATABASE_FAULTS, ValueError):
            return False  # this server does not tell, or no longer: the verdict does without
        if self._stop.is_set():
            return True
        self._samples += 1
        for group, values in said.items():
            self._counts[group] = self._counts.get(group, 0) + 1
            sums = self._sums.setdefault(group, {})
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + value
        return bool(said)

    @property
    def facts(self) -> dict[str, Any]:
        """samples, unanswered (questions); means: pending and active {pool: tasks}, reactor_utilization (of 1)."""
        if not self._samples + self._unanswered:
            return {}
        facts: dict[str, Any] = {"samples": self._samples, "unanswered": self._unanswered}
        for group, sums in list(self._sums.items()):
            means = {name: round(value / self._counts[group], 3) for name, value in list(sums.items())}
            facts.update(means if group == "metrics" else {group: means})
        return facts


def ask_thread_pools(session: Session) -> Callable[[], dict[str, dict[str, float]]]:
    """Asks for {active, pending: {pool: tasks}}, of the busiest node; empty where the server has no such table."""

    def ask() -> dict[str, dict[str, float]]:
        said: dict[str, dict[str, float]] = {"active": {}, "pending": {}}
        for host in [host for host in session.cluster.metadata.all_hosts() if host.is_up]:
            for row in session.execute(POOLS, timeout=ASK_TIMEOUT_S, host=host):
                if row.name in REQUEST_POOLS:
                    for group, tasks in (("active", row.active_tasks), ("pending", row.pending_tasks)):
                        said[group][row.name] = max(said[group].get(row.name, 0.0), float(tasks))
        return said

    return ask


def ask_metrics(urls: list[str]) -> Callable[[], dict[str, dict[str, float]]]:
    """Asks metrics ports for {metrics: {reactor_utilization, transport_requests_serving}}."""

    def ask() -> dict[str, dict[str, float]]:
        found: dict[str, list[float]] = {}
        for url in urls:
            with urllib.request.urlopen(url, timeout=ASK_TIMEOUT_S) as reply:
                text = reply.read(METRICS_BYTES_MAX).decode(errors="replace")
            for name, value in _METRIC.findall(text):
                found.setdefault(name, []).append(float(value))
        metrics = {}
        if "reactor_utilization" in found:
            metrics["reactor_utilization"] = max(found["reactor_utilization"]) / 100
        if "transport_requests_serving" in found:
            metrics["requests_serving"] = sum(found["transport_requests_serving"])
        return {"metrics": metrics} if metrics else {}

    return ask


class Watch(Observer):
    """Watches each measured phase from the end of its warm-up to the end of issuing. `server` makes who asks it."""

    def __init__(self, group: ProcessGroup, server: Callable[[], ServerWatch], stack: ExitStack) -> None:
        self._group, self._make_server = group, server
        self._server = server()
        self._begin_ns: int | None = None
        self._began = self._over = False
        stack.callback(self._stop)

    def _stop(self) -> None:
        self._server.stop()

    def begin(self, phase: PhaseRun) -> None:
        """See Observer."""
        if phase.plan.measured:
            if self._began:
                self.finish()
                self._server = self._make_server()
                self._began = self._over = False
            self._begin_ns = phase.result.counts.start_ns + int(phase.plan.message.get("warmup_s", 0.0) * 1e9)

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        if failure := self._server.take_failure():
            phase.listener.warn(failure)
        if not self._began and self._begin_ns is not None and time.monotonic_ns() >= self._begin_ns:
            self._began = True
            self._group.begin_watch()
            self._server.start()
        if self._began and not any(process.issuing for process in phase.result.counts.processes):
            self.finish()

    def finish(self) -> None:
        """The load is over: what is only awaited says nothing."""
        if self._began and not self._over:
            self._over = True
            self._server.stop()
            self._group.end_watch()

    @property
    def host(self) -> dict[str, Any]:
        """How hard this machine is pressed; empty where the load comes from others."""
        return self._group.use() if self._began else {}

    @property
    def server(self) -> dict[str, Any]:
        """ServerWatch.facts so far."""
        return self._server.facts


def server_watch(database: Database, metrics: str | None) -> ServerWatch:
    """What can be asked of this server: its virtual tables if it is a Cassandra, its metrics port if one is named."""
    asks = [ask_thread_pools(database.session)] if database.identity.product == "Apache Cassandra" else []
    if metrics:
        asks.append(ask_metrics([url.strip() for url in metrics.split(",")]))
    return ServerWatch(asks)

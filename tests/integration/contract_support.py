"""One load process as the product starts it, and one phase after another in it, for tests of the engines' contract."""

from __future__ import annotations

import select
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.load.engines.contract import Target
from cqlsurge.load.latency.hdr import decode
from cqlsurge.load.latency.histogram import add, count_of
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.load.worker.messages import VERSION
from cqlsurge.processes.process import LoadProcess

WAIT_S = 40.0
SEED = 7


@dataclass
class Ended:
    """A phase that is over: its last message, and the latencies of all its messages together."""

    message: dict[str, Any]
    snapshots: list[dict[str, Any]]
    duration_s: float
    histograms: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for snapshot in [*self.snapshots, self.message]:
            for name, kind in snapshot["kinds"].items():
                for latency in ("wait", "service", "response"):
                    counts = self.histograms.setdefault(name, {}).setdefault(latency, new_counts())
                    add(counts, decode(kind[latency]))

    def total(self, name: str) -> int:
        """ok, failed, unknown or rows of all kinds."""
        return sum(kind[name] for kind in self.message["kinds"].values())

    @property
    def in_flight(self) -> int:
        return self.message["issued"] - self.total("ok") - self.total("failed") - self.total("unknown")

    def check_laws(self) -> None:
        """The conservation law, and that every operation that ended left its latencies behind."""
        message = self.message
        assert self.in_flight >= 0
        backlog = message["due"] - message["issued"] - message["skipped"]
        assert backlog >= 0
        assert sum(message["errors"].values()) == self.total("failed") + self.total("unknown")
        for name, kind in message["kinds"].items():
            ended = kind["ok"] + kind["failed"] + kind["unknown"]
            for latency, counts in self.histograms[name].items():
                assert count_of(counts) == ended, (name, latency)
        for earlier, later in zip(self.snapshots, [*self.snapshots, message][1:], strict=True):
            assert later["issued"] >= earlier["issued"]


class Bench:
    """A load process with its engine open. `parameters` are those of the kv workload."""

    def __init__(self, python: str, engine: str, target: Target, parameters: dict[str, Any], **options: Any) -> None:
        self._process = LoadProcess(python, 0)
        self._arrived: list[dict[str, Any]] = []
        self.parameters = {"seed": SEED, "keyspace": target.keyspace, "table": target.table, **parameters}
        self._process.send(
            {
                "type": "plan", "version": VERSION, "engine": engine, "seed": SEED, "worker": 0, "workers": 1,
                "workload": self._workload(), "target": target.to_json(), "options": options, "core": None,
            }
        )  # fmt: skip
        self.facts: dict[str, Any] = self._wait_for("ready")["facts"]

    def _workload(self, **changes: Any) -> dict[str, Any]:
        return {"name": "kv", "parameters": {**self.parameters, **changes}}

    def start(self, count: int, *, mode: str = "write", workload: dict[str, Any] | None = None, **phase: Any) -> int:
        """Begins a phase of operations 0 to count; gives when, in this machine's monotonic ns."""
        start_ns = time.monotonic_ns()
        message = {"type": "phase", "phase": "measure", "concurrency": 10, "start_ns": start_ns, **phase}
        message["workload"] = self._workload(mode=mode, **(workload or {}))
        self._process.send(message)
        self._process.send({"type": "range", "start": 0, "count": count})
        self._process.send({"type": "range_end"})
        return start_ns

    def run(self, count: int, **phase: Any) -> Ended:
        """A whole phase."""
        return self.finish(self.start(count, **phase))

    def finish(self, start_ns: int, on_snapshot: Callable[[list[dict[str, Any]]], None] = lambda _: None) -> Ended:
        """Waits for the end of the phase; `on_snapshot` is given the snapshots so far whenever one has come."""
        snapshots: list[dict[str, Any]] = []
        while True:
            message = self._wait_for("end", "snapshot")
            if message["type"] == "end":
                ended = Ended(message, snapshots, (message["t_ns"] - start_ns) / 1e9)
                ended.check_laws()
                return ended
            snapshots.append(message)
            on_snapshot(snapshots)

    def send(self, message: dict[str, Any]) -> None:
        self._process.send(message)

    def refusal(self) -> str:
        """The text of the error that the process ends with; a bug's traceback is no refusal."""
        message = self._wait_for("failed")
        assert message["bug"] is None, message["bug"]
        return str(message["text"])

    def _wait_for(self, *types: str) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_S
        while True:
            while self._arrived:
                message = self._arrived.pop(0)
                if message["type"] in types:
                    return message
                assert message["type"] in {"hello", "need", "snapshot"}, message
            assert not self._process.ended, self._words()
            remaining_s = deadline - time.monotonic()
            assert remaining_s > 0, f"no {types} within {WAIT_S} s; {self._words()}"
            select.select([self._process.out_fd], [], [], min(remaining_s, 0.5))
            self._process.flush()
            self._arrived += self._process.read_messages()

    def _words(self) -> str:
        self._process.read_words()
        return f"{self._process.exit_text()}: {self._process.last_words}"

    def close(self) -> None:
        """Ends the process; it must go by itself."""
        self._process.send({"type": "exit"})
        gone = self._process.wait(10.0)
        self._process.kill()
        self._process.close()
        assert gone, "the load process did not end when it was told to"


class Proxy:
    """A TCP relay in front of a node, which a test can make deaf (connections stay, nothing passes)."""

    def __init__(self, host: str, port: int) -> None:
        self._node = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._sockets: list[socket.socket] = []
        self.deaf = self._closed = False
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    def _relay(self) -> None:
        while not self._closed:
            for key, _ in self._selector.select(0.05):
                if key.fileobj is self._listener:
                    self._accept()
                elif not self.deaf:
                    self._pass_on(key.fileobj, key.data)  # type: ignore[arg-type]
            if self.deaf:
                time.sleep(0.05)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._node)
        self._sockets += [client, server]
        self._selector.register(client, selectors.EVENT_READ, server)
        self._selector.register(server, selectors.EVENT_READ, client)

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            data = source.recv(1 << 16)
            sink.sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (source, sink):
                self._selector.unregister(end)
                end.close()

    def close(self) -> None:
        self._closed = True
        self._thread.join(5)
        for each in [self._listener, *self._sockets]:
            each.close()
        self._selector.close()

"""What the parent sees beside the load: samples of host and processes, a server that is asked, one that is silent.

How: real samplers on this very process, a real HTTP server with ScyllaDB's metrics text; threads are awaited.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cassandra import OperationTimedOut
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionShutdown
from cassandra.protocol import ServerError

from cqlsurge.processes.host_watch import HostWatch
from cqlsurge.runs import watch
from cqlsurge.runs.topology import TabletWatch
from cqlsurge.runs.watch import ServerWatch, ask_metrics

METRICS = """# HELP scylla_reactor_utilization CPU utilization
# TYPE scylla_reactor_utilization gauge
scylla_reactor_utilization{shard="0"} 12.500000
scylla_reactor_utilization{shard="1"} 97.000000
scylla_transport_requests_serving{shard="0"} 3
scylla_transport_requests_serving{shard="1"} 4
scylla_reactor_utilization_other 5
"""


@pytest.fixture
def metrics_url() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(METRICS.encode() if self.path == "/metrics" else b"scylla_other 1\n")

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_metrics_port_is_read(metrics_url: str) -> None:
    said = ask_metrics([f"{metrics_url}/metrics", f"{metrics_url}/metrics"])()
    assert said == {"metrics": {"reactor_utilization": 0.97, "requests_serving": 14.0}}
    assert ask_metrics([f"{metrics_url}/other"])() == {}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.01)


def test_answers_are_averaged_and_the_silent_are_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SERVER_EVERY_S", 0.01)
    pending = iter([10.0, 20.0])
    asked: list[int] = []

    def talks() -> dict[str, dict[str, float]]:
        try:
            return {"pending": {"MutationStage": next(pending)}, "metrics": {"reactor_utilization": 0.5}}
        except StopIteration:
            raise OSError("gone") from None

    def slow() -> dict[str, dict[str, float]]:
        raise OperationTimedOut

    def silent() -> dict[str, dict[str, float]]:
        asked.append(1)
        raise OSError("refused")

    server = ServerWatch([talks, silent, slow])
    assert server.facts == {}
    server.start()
    until(lambda: server.facts.get("samples") == 2)
    server.stop()
    facts = server.facts
    assert facts.pop("unanswered") >= 1
    assert facts == {"samples": 2, "pending": {"MutationStage": 15.0}, "reactor_utilization": 0.5}
    assert len(asked) == 1


def test_host_and_processes_are_added_up() -> None:
    sampled = HostWatch([os.getpid()])
    assert sampled.facts == {}
    for _ in range(2):
        sum(range(3_000_000))  # some of the 10 ms ticks in which the kernel counts
        sampled.take()
    facts = sampled.facts
    assert 0 <= facts["busy_share"] <= 1
    assert facts["waited_share"] >= 0
    assert "load_1m" in facts


@pytest.mark.parametrize(
    "fault",
    [
        ConnectionShutdown("closed"),
        NoHostAvailable("none", {}),
        OperationTimedOut(),
        ServerError(0, "busy", None),
        OSError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_tablets_are_read_again_after_any_trouble_of_the_database(fault: Exception) -> None:
    asked = itertools.count()

    def read() -> str:
        if next(asked) < 3:
            raise fault
        return "tablets"

    tablets = TabletWatch(read, every_s=0.001)
    tablets.start()
    deadline_s = time.monotonic() + 30
    while tablets.latest is None and time.monotonic() < deadline_s:
        time.sleep(0.01)
    tablets.stop()
    assert tablets.latest == "tablets"

"""A server that stands still for half a second, and one that is asked for too much: do the figures say so?

How: the simulator holds all its answers once, when the test says so. What the response times must then hold follows by
arithmetic from the rate; service times know of one operation only, since one is in flight at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cqlsurge.load.latency.hdr import decode
from cqlsurge.load.latency.layout import median_at
from cqlsurge.results.document import broken_laws
from cqlsurge.results.listener import Listener, Progress
from cqlsurge.runs.run import run
from cqlsurge.settings import Settings
from tests.integration.wire_support import Simulator, simulator

RATE, STALL_S, LONG_NS = 200, 1.0, 300_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("truth"), "--nodes", "1") as running:
        yield running


class StallOnce(Listener):
    def __init__(self, server: Simulator) -> None:
        self.server, self.done = server, False

    def progress(self, progress: Progress) -> None:
        if progress.elapsed_s > 1.5 and not self.done:
            self.done = True
            self.server.ask("stall", spec=[f"{STALL_S}s"])


def longer_than(document: dict[str, Any], latency: str) -> int:
    counts = decode(document["histograms"]["write"][latency])
    return sum(count for index, count in enumerate(counts) if median_at(index) > LONG_NS)


def test_a_stall_is_in_the_response_times_as_arithmetic_has_it(server: Simulator) -> None:
    settings = Settings(
        address=f"{server.host}:{server.port}", rate=str(RATE), duration=5.0, concurrency=1, processes=1,
        runtime="cpython", blob_size=16,
    )  # fmt: skip
    document = run(settings, StallOnce(server))
    # Whoever was due in the first 0.7 s of the stall waited more than 0.3 s; a slow machine can only add to these.
    expected = RATE * (STALL_S - LONG_NS / 1e9)
    assert 0.9 * expected <= longer_than(document, "response") <= 2 * expected
    assert 1 <= longer_than(document, "service") <= 5
    assert document["latency_us"]["write"]["service"]["max"] >= 0.95e6
    assert document["operations"]["late"] >= expected
    assert broken_laws(document) == []


def test_a_rate_beyond_the_server_is_said_to_be(server: Simulator) -> None:
    settings = Settings(
        address=f"{server.host}:{server.port}", rate="200k", duration=3.0, concurrency=2000, processes=1,
        blob_size=16, max_backlog=5000,
    )  # fmt: skip
    document = run(settings)
    counts = document["operations"]
    assert document["verdict"]["bound_by"] == "server"
    assert counts["skipped"] > 0
    assert counts["due"] == counts["issued"] + counts["skipped"] + counts["backlog"]
    assert broken_laws(document) == []

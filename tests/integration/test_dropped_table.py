"""A table that somebody drops while it is loaded: the run ends and says so, in one line.

How: a run against the simulator, whose client drops the table at the run's first figures.
"""

from __future__ import annotations

from typing import Any

import pytest

from cqlsurge.results.listener import Listener, Progress
from cqlsurge.runs.run import exit_code, run
from cqlsurge.settings import Settings
from tests.simulator.simulated import Simulated, simulated


class Dropper(Listener):
    def __init__(self, server: Simulated) -> None:
        self.server = server
        self.dropped = False
        self.warnings: list[str] = []

    def progress(self, progress: Progress) -> None:
        if progress.done and not self.dropped:
            self.dropped = True
            with self.server.client() as client:
                client.query("DROP TABLE test.kv")

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.mark.parametrize("options", [[], ["--tablets"]], ids=["ring", "tablets"])
def test_the_run_ends_and_says_so(options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with simulated("--port=0", "--nodes=2", *options) as server:
        listener = Dropper(server)
        document: Any = run(
            Settings(address=server.address, duration=60.0, processes=1, concurrency=4, runtime="cpython"), listener
        )
    assert listener.warnings == ["the table test.kv was dropped while the run went on"]
    assert document["state"] == "partial"
    assert exit_code(document) == 1
    assert listener.warnings[0] in [event["event"] for event in document["events"]]
    assert document["operations"]["ok"] > 0
    assert document["duration_s"] < 30
    assert "Traceback" not in capfd.readouterr().err

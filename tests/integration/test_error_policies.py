"""Error policies in whole runs against the simulator, whose fault rules make the errors. Counts, no timing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cqlsurge.runs.run import exit_code, run
from cqlsurge.settings import Settings
from tests.integration.wire_support import Simulator, simulator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("policies"), "--nodes", "1") as running:
        yield running


def document(server: Simulator, fault: str, **settings: Any) -> dict[str, Any]:
    server.ask("faults/clear")
    server.ask("faults", spec=fault)
    common: dict[str, Any] = {
        "operations": 2000,
        "concurrency": 32,
        "processes": 1,
        "runtime": "cpython",
        "blob_size": 32,
    }
    return run(Settings(address=f"{server.host}:{server.port}", **{**common, **settings}))


def test_count_makes_no_further_attempt(server: Simulator) -> None:
    done = document(server, "overloaded:p=0.05", on_error="overloaded=count")
    assert done["operations"]["retries"] == 0
    assert done["errors"]["overloaded"] == done["attempt_errors"]["overloaded"] > 20
    assert exit_code(done) == 1


def test_ignore_leaves_the_budget_alone(server: Simulator) -> None:
    done = document(server, "overloaded:p=0.05", on_error="overloaded=ignore")
    assert done["errors"]["overloaded"] > 20
    assert exit_code(done) == 0


def test_backoff_retries_with_less_in_flight(server: Simulator) -> None:
    done = document(server, "overloaded:p=0.02", on_error="overloaded=backoff")
    assert done["operations"]["ok"] == 2000
    assert done["operations"]["retries"] == done["attempt_errors"]["overloaded"]
    assert done["workers"][0]["gauges"]["backoffs"] >= 1


def test_retry_goes_where_the_rules_would_not(server: Simulator) -> None:
    """The rule gives up at once on a rate limit; 3% are few enough for the cap on retries."""
    ruled = document(server, "rate_limit:p=0.03")
    asked = document(server, "rate_limit:p=0.03", on_error="rate_limited=retry")
    assert ruled["operations"]["retries"] == 0
    assert ruled["errors"]["rate_limited"] > 20
    assert asked["attempt_errors"]["rate_limited"] > 20
    assert asked["operations"]["ok"] == 2000


def test_stop_ends_the_run(server: Simulator) -> None:
    done = document(server, "invalid:p=0.001", on_error="invalid=stop", operations=None, duration=60.0)
    assert done["state"] == "partial"
    assert done["duration_s"] < 30
    assert any("--on-error invalid=stop" in event["event"] for event in done["events"])
    assert exit_code(done) == 1

"""Messages that load processes once sent, and the figures that were made of them then: the same come out today."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.results.counts import PhaseCounts
from cqlsurge.results.document import RunFacts, build
from cqlsurge.results.figures import Numbers, figures_of
from tests.results.recorded import PHASE

#: members that rows of a timeline and a document have got since
SINCE = {"in_flight", "backlog"}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PHASE.read_text())
    return found


@pytest.fixture(scope="module")
def document(recorded: dict[str, Any]) -> dict[str, Any]:
    counts = PhaseCounts(2, recorded["start_ns"])
    for index, message in recorded["messages"]:
        if message["type"] != "need":
            counts.take(index, {"issuing": message["type"] != "end", **message})
    counts.finish()
    numbers = Numbers(0, recorded["total"], Ranges(recorded["figures"]["unacknowledged"]["ranges"]))
    facts = RunFacts("", {}, {}, 1, {}, {}, {}, "")
    made: dict[str, Any] = json.loads(json.dumps(build(facts, figures_of(counts, numbers), {}, state="done")))
    return made


@pytest.mark.parametrize(
    "name",
    ["duration_s", "throughput_ops_s", "operations", "client", "latency_us", "histograms", "errors", "attempt_errors",
     "error_examples", "targets", "workers"],
)  # fmt: skip
def test_figures_are_the_same(recorded: dict[str, Any], document: dict[str, Any], name: str) -> None:
    assert document[name] == recorded["figures"][name]


def test_the_timeline_is_the_same(recorded: dict[str, Any], document: dict[str, Any]) -> None:
    rows = [{name: value for name, value in row.items() if name not in SINCE} for row in document["timeline"]]
    assert rows == recorded["figures"]["timeline"]


def test_a_row_tells_what_was_open_at_its_own_end(recorded: dict[str, Any]) -> None:
    """A second is closed when the next one is heard of, whose figures are not its own."""
    counts, seen = PhaseCounts(1, recorded["start_ns"]), []
    messages = [message for index, message in recorded["messages"] if index == 0 and message["type"] == "snapshot"]
    for second, message in enumerate(messages, 1):
        open_now = 10 * second
        ended = sum(message["kinds"]["write"][name] for name in ("ok", "failed", "unknown"))
        issued = {"issued": ended + open_now, "due": ended + open_now + second, "issuing": True}
        counts.take(0, {**message, **issued, "t_ns": recorded["start_ns"] + second * 10**9})
        seen.append((open_now, second))
    counts.finish()
    assert len(seen) > 1
    assert [(row["in_flight"], row["backlog"]) for row in counts.timeline.rows] == seen

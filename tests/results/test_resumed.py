"""Two parts of a run that was cut off, as one document: counts, histograms, what is in doubt, what rows must exist."""

from __future__ import annotations

from typing import Any

from cqlsurge.load.latency.hdr import decode, encode
from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.document import broken_laws
from cqlsurge.results.resumed import in_doubt, joined
from cqlsurge.results.timeline import thinned


def histogram(count: int, latency_us: int = 500) -> str:
    counts = new_counts()
    counts[index_of(latency_us * 1000)] = count
    return encode(counts)


def part(ok: int, in_flight: int = 0, backlog: int = 0, **more: Any) -> dict[str, Any]:
    issued = ok + in_flight
    return {
        "state": "running",
        "started_at": "2026-01-01T00:00:00.000",
        "duration_s": 10.0,
        "throughput_ops_s": ok / 10.0,
        "operations": {
            "due": issued + backlog, "issued": issued, "ok": ok, "failed": 0, "unknown": 0, "rows": 0, "retries": 0,
            "skipped": 0, "in_flight": in_flight, "backlog": backlog, "late": 1, "abandoned": 0,
        },
        "unacknowledged": {"ranges": [], "overflow": False, "below": 1000},
        "client": {
            "processes": 2, "cpu_s": 1.0, "spin_s": 0.0, "max_rss_mb": 50.0, "bytes_out": 1, "bytes_in": 1,
            "cpu_us_per_op": 10.0,
        },
        "histograms": {"write": {name: histogram(ok) for name in ("wait", "service", "response")}},
        "errors": {},
        "attempt_errors": {},
        "error_examples": {},
        "targets": [{"node": "a", "address": "a", "shard": 0, "issued": issued, "ok": ok, "failed": 0}],
        "events": [],
        "timeline": [row(1, ok)],
        **more,
    }  # fmt: skip


def row(t_s: float, ok: int, us: float = 500.0) -> dict[str, Any]:
    figures = {"p50_us": us, "p99_us": us, "p99_9_us": us}
    return {
        "t_s": t_s, "span_s": 1.0, "ok": ok, "errors": 0, "in_flight": 0, "backlog": 0, "warmup": False,
        "heat": f"51 {ok}", **figures,
    }  # fmt: skip


def test_counts_and_histograms_go_on() -> None:
    cut = part(600, 30, 5, open={"ranges": [[500, 520], [610, 640]], "next": 640, "soon": [640, 700]})
    both = joined(cut, part(400, state="done", open={"ranges": [], "next": 1000, "soon": [1000, 1000]}), gap_s=7.0)
    assert both["state"] == "done"
    assert both["operations"]["ok"] == both["operations"]["issued"] == 1000
    assert broken_laws(both) == []
    assert sum(decode(both["histograms"]["write"]["service"])) == both["latency_us"]["all"]["service"]["count"] == 1000
    assert both["duration_s"] == 20.0
    assert both["throughput_ops_s"] == 50.0
    assert both["targets"][0]["ok"] == 1000
    assert both["client"]["cpu_s"] == 2.0


def test_the_gap_shows() -> None:
    cut = part(600, open={"ranges": [], "next": 600, "soon": [600, 700]})
    both = joined(cut, part(400, open={"ranges": [], "next": 1000, "soon": [1000, 1000]}), gap_s=7.0)
    assert [each["t_s"] for each in both["timeline"]] == [1, 18.0]
    assert both["events"][0]["gap_s"] == 7.0
    assert both["resumes"][0]["in_doubt"] == [[600, 700]]


def test_what_was_under_way_is_in_doubt() -> None:
    cut = part(0, open={"ranges": [[10, 20], [30, 40]], "next": 40, "soon": [40, 60]})
    assert in_doubt(cut) == [(10, 20), (30, 60)]


def test_operations_that_ended_out_of_order_are_told() -> None:
    cut = part(620, open={"ranges": [[600, 640]], "next": 640, "soon": [640, 700]})
    both = joined(cut, part(400, open={"ranges": [], "next": 1000, "soon": [1000, 1000]}), gap_s=1.0)
    assert both["resumes"][0]["repeated"] == 20
    assert both["operations"]["ok"] - both["resumes"][0]["repeated"] == 1000


def test_rows_of_the_second_attempt_count() -> None:
    told = {"ranges": [[5, 8], [500, 640], [640, 1000]], "overflow": False, "below": 1000}
    cut = part(500, open={"ranges": [[500, 640]], "next": 640, "soon": [640, 700]}, unacknowledged=told)
    then = part(500, unacknowledged={"ranges": [[510, 512]], "overflow": False, "below": 1000})
    assert joined(cut, then, 1.0)["unacknowledged"]["ranges"] == [[5, 8], [510, 512]]


def test_old_rows_are_merged_not_dropped() -> None:
    rows = [row(t_s, 10 + t_s) for t_s in range(101)]
    few = thinned(rows, 30)
    assert len(few) <= 30
    assert sum(each["ok"] for each in few) == sum(each["ok"] for each in rows)
    assert few[-1]["t_s"] == 100
    assert all(each["p99_us"] <= 500.0 for each in few)

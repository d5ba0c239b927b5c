"""Documents for the tests of reports, made by the product's own parts from drawn latencies."""

from __future__ import annotations

import random
from typing import Any

from cqlsurge.load.latency.histogram import add
from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.document import RunFacts, build
from cqlsurge.results.evidence import Evidence, service_of
from cqlsurge.results.figures import Figures, merged_kinds
from cqlsurge.results.ladder_document import Climb
from cqlsurge.results.ladder_document import build as build_ladder
from cqlsurge.results.seconds import Second
from cqlsurge.results.techniques import RUNGS
from cqlsurge.results.timeline import Timeline
from cqlsurge.results.verdict import judge
from cqlsurge.settings import Settings

NODES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


def make_document(seconds: int = 20, *, seed: int = 1, shards: int = 2, errors: int = 0, **settings: Any) -> Any:
    """A run of so many seconds over three nodes; `errors` operations of the tenth second time out."""
    draw = random.Random(seed)
    patterns = [[round(draw.lognormvariate(13.5, 0.6)) for _ in range(200)] for _ in range(50)]
    timeline, merged = Timeline(), new_counts()
    for t_s in range(1, seconds + 1):
        counts = new_counts()
        for latency_ns in patterns[t_s % len(patterns)]:
            counts[index_of(latency_ns)] += 5
        add(merged, counts)
        failed = errors if t_s == 10 else 0
        span = {"begin_ns": (t_s - 1) * 10**9, "end_ns": t_s * 10**9}
        timeline.add(Second(t_s, ok=1000, errors=failed, warmup=t_s <= 2, counts=counts, **span))
    asked = Settings.from_json({"mode": "write", "concurrency": 16, "address": NODES[0], **settings})
    ok = 1000 * seconds
    counts = dict.fromkeys(("skipped", "in_flight", "backlog", "abandoned", "late", "retries", "rows"), 0)
    targets = [
        {"node": node, "address": node, "shard": shard, "issued": 100 + shard, "ok": 100 + shard, "failed": 0}
        for node in NODES
        for shard in range(shards)
    ]
    histograms = {"write": {"wait": new_counts(), "service": merged, "response": merged}}
    figures = Figures(
        duration_s=float(seconds),
        measured_ok=ok,
        measured_finished=ok + errors,
        operations={"due": ok + errors, "issued": ok + errors, "ok": ok, "failed": errors, "unknown": 0, **counts},
        client={"processes": 2, "cpu_s": 0.01 * seconds, "spin_s": 0.0, "max_rss_mb": 90.0, "cpu_us_per_op": 10.0},
        histograms=histograms,
        merged=merged_kinds(histograms),
        errors={"client_timeout": errors} if errors else {},
        examples={"client_timeout": [{"t_s": 9.5, "operation": 7, "node": NODES[1], "text": "no <answer> & no end"}]},
        targets=targets,
        timeline=timeline.rows,
        workers=[
            {"worker": at, "ok": ok // 2, "errors": 0, "cpu_s": 1.0, "max_rss_mb": 90.0, "gauges": {}, "lost": None}
            for at in range(2)
        ],
    )
    facts = RunFacts(
        started_at="2026-11-23T13:00:00.000+00:00",
        engine={"name": "wire", "technique": None, "compression": None},
        runtime={"name": "PyPy 3.11", "implementation": "pypy", "version": "3.11.11"},
        seed=1,
        settings=asked.to_json(),
        host={"hostname": "loader<1>", "cores": 2},
        cluster={
            "product": "ScyllaDB", "version": "2026.1", "embedded": False, "nodes": 3, "dcs": ["datacenter1"],
            "shards": 3 * shards, "placement": "tablets", "replication": {"class": "X", "datacenter1": "3"},
        },
        version="0.1.0",
    )  # fmt: skip
    evidence = Evidence(
        concurrency=16, processes=2, duration_s=float(seconds), finished=ok, service=service_of(merged), asked=None
    )
    events = [{"t_s": 9.0, "event": "node down", "address": NODES[1]}]
    return build(facts, figures, judge(evidence), state="done", events=events)


def make_climb(name: str, *rates_ops_s: float, cpu_us: float = 100.0) -> Climb:
    """A rung with a run for each throughput, a minute apart, each of another CPU by 1%."""
    climb = Climb(RUNGS[name])
    for at, rate in enumerate(rates_ops_s):
        run = make_document(3, seed=at + 1, mode="write")
        run.update(throughput_ops_s=rate, started_at=f"2026-11-23T13:0{at}:00.000+00:00")
        run["client"]["cpu_us_per_op"] = cpu_us * 1.01**at
        climb.runs.append(run)
    return climb


def make_ladder(state: str = "done", **more: Any) -> Any:
    """A ladder of three measured rungs, one that cannot run, and one with a run that does not count."""
    wire = make_climb("wire", 40e3, 41e3, 42e3, cpu_us=5.0)
    wire.left_out.append("round 2 of 4: load process 0 (pid 7) is lost: killed by SIGKILL")
    climbs = [
        make_climb("one-at-a-time", 500, 510, 520, cpu_us=250.0),
        make_climb("batch", 5000, 5100, 5200, cpu_us=150.0),
        Climb(RUNGS["window-pypy"], absent="no PyPy <here>"),
        wire,
    ]
    settings = Settings(keys=1000, concurrency=100, duration=3.0).to_json()
    return build_ladder(
        climbs, state=state, started_at="2026-11-23T13:00:00.000+00:00", settings=settings, rounds=3, **more
    )

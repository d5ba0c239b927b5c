"""Drift of a long run: its last part against its first."""

from __future__ import annotations

import random
from typing import Any

from cqlsurge.results.soak import drift_lines, drift_of


def document(seconds: int, p99_at_end: float, seed: int = 1) -> dict[str, Any]:
    draw = random.Random(seed)
    rows = []
    for t_s in range(1, seconds + 1):
        p99 = (1000 + (p99_at_end - 1000) * t_s / seconds) * draw.gauss(1, 0.03)
        rows.append({
            "t_s": t_s, "span_s": 1.0, "ok": int(5000 * draw.gauss(1, 0.01)), "warmup": False,
            "p50_us": 300 * draw.gauss(1, 0.02), "p99_us": p99,
        })  # fmt: skip
    return {"timeline": rows, "events": []}


def test_a_p99_that_grows_is_drift() -> None:
    found = {one["figure"]: one for one in drift_of(document(400, 1500))}
    assert found["p99"]["drifts"]
    assert found["p99"]["low"] > 1.1
    assert not found["rate"]["drifts"]
    assert not found["p50"]["drifts"]


def test_noise_alone_is_none() -> None:
    for seed in range(20):
        assert not any(one["drifts"] for one in drift_of(document(400, 1000, seed)))


def test_a_short_run_does_not_tell() -> None:
    assert all(one["drifts"] is None for one in drift_of(document(10, 1000)))
    assert "too short" in drift_lines(document(10, 1000))[0]

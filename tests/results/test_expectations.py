"""What is expected of figures: how it is written, and how it is judged on figures that were counted by hand."""

from __future__ import annotations

import pytest

from cqlsurge.conditions import parse_condition
from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.expectations import found_of, judged
from cqlsurge.results.figures import Figures


def histogram(*values_ms: float) -> list[int]:
    counts = new_counts()
    for value_ms in values_ms:
        counts[index_of(int(value_ms * 1e6))] += 1
    return counts


@pytest.fixture
def figures() -> Figures:
    read = {"service": histogram(*[1.0] * 98, 8.0, 20.0), "response": histogram(*[2.0] * 100)}
    return Figures(
        phase="run",
        duration_s=2.0,
        measured_ok=190,
        operations={"ok": 190, "failed": 6, "unknown": 4, "rows": 95},
        histograms={"read": read},
        merged=read,
        statements={
            "read": {"ok": 100, "failed": 0, "unknown": 0, "rows": 95, "empty": 5, "hit_rate": 0.95},
            "register": {"ok": 90, "failed": 6, "unknown": 4, "rows": 0, "empty": 0, "hit_rate": None,
                         "applied": 81, "not_applied": 9},
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found", "holds"),
    [
        ("p99 < 10ms", 8000.0, True),
        ("read.p99.9 < 10ms", 20000.0, False),
        ("read.response.p50 <= 2.1ms", 2000.0, True),
        ("all.max > 10ms", 20000.0, True),
        ("read.mean < 2ms", 1260.0, True),
        ("errors < 5%", 0.05, False),
        ("errors <= 10", 10.0, True),
        ("read.errors = 0", 0.0, True),
        ("throughput >= 95", 95.0, True),
        ("read.throughput > 49/s", 50.0, True),
        ("read.hit_rate > 99%", 0.95, False),
        ("register.applied = 90%", 0.9, True),
        ("register.not_applied < 10", 9.0, True),
        ("rows > 90", 95.0, True),
        ("unknown = 2%", 0.02, True),
    ],
)
def test_conditions_are_judged(figures: Figures, text: str, found: float, holds: bool) -> None:
    condition = parse_condition(text)
    assert found_of(condition, figures, "service") == pytest.approx(found, rel=2e-3)
    (told,) = judged([condition], figures, "service")
    assert told["holds"] is holds
    assert told["phase"] == "run"
    assert text in told["text"]


@pytest.mark.parametrize(
    "text", ["write.p99 < 1ms", "read.applied > 1%", "register.hit_rate > 1%", "nobody.errors < 1%"]
)
def test_what_was_not_measured_does_not_hold(figures: Figures, text: str) -> None:
    (told,) = judged([parse_condition(text)], figures, "service")
    assert told["found"] is None
    assert not told["holds"]
    assert "not measured" in told["text"]


@pytest.mark.parametrize(
    "text",
    [
        "p99",
        "p99 < 10",
        "p0 < 1ms",
        "latency < 1ms",
        "read.p99 < ten",
        "errors < 200%",
        "hit_rate > 99",
        "< 1ms",
        "wait.rows > 1",
    ],
)
def test_what_is_no_condition_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_condition(text)

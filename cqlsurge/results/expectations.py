"""What was expected of a run's figures, and whether it came so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cqlsurge.conditions import Condition
from cqlsurge.load.latency.histogram import maximum, mean, percentile
from cqlsurge.results.counts import ENDED
from cqlsurge.results.figures import Figures
from cqlsurge.units import show_count, show_us


def judged(conditions: Iterable[Condition], figures: Figures, headline: str) -> list[dict[str, Any]]:
    """For the document: {phase, condition, found, holds, text} of each; `found` is None where nothing was measured.

    `headline`: the latency that is meant where none is named.
    """
    return [_judged(one, figures, found_of(one, figures, headline)) for one in conditions]


def _judged(condition: Condition, figures: Figures, found: float | None) -> dict[str, Any]:
    holds = found is not None and condition.holds(found)
    seen = "was not measured" if found is None else f"was {_shown(condition, found)}"
    return {
        "phase": figures.phase,
        "condition": condition.text,
        "found": None if found is None else round(found, 6),
        "holds": holds,
        "text": f"{condition.text}: {'held' if holds else 'did not hold'}, it {seen}",
    }


def _shown(condition: Condition, found: float) -> str:
    if condition.of_latency:
        return show_us(found)
    return f"{found:.3%}" if condition.share else show_count(found)


def found_of(condition: Condition, figures: Figures, headline: str) -> float | None:
    """The figure that a condition is about; None where nothing of it was measured."""
    if condition.of_latency:
        return _latency_us(condition, figures, condition.latency or headline)
    if condition.figure == "throughput":
        return _throughput(condition, figures)
    counts = _counts(condition, figures)
    ended = sum(counts[name] for name in ENDED)
    if condition.figure == "hit_rate":
        return None if not counts["reads"] else 1 - counts["empty"] / counts["reads"]
    if condition.figure in {"applied", "not_applied"} and condition.share:
        answered = counts["applied"] + counts["not_applied"]
        return counts[condition.figure] / answered if answered else None
    value = counts["failed"] + counts["unknown"] if condition.figure == "errors" else counts[condition.figure]
    if not ended:
        return None
    return value / ended if condition.share else float(value)


def _latency_us(condition: Condition, figures: Figures, latency: str) -> float | None:
    of_all = figures.merged if not condition.statement else figures.histograms.get(condition.statement, {})
    counts = of_all.get(latency, [])
    if not any(counts):
        return None
    if condition.figure == "mean":
        return mean(counts) / 1e3
    return (maximum(counts) if condition.figure == "max" else percentile(counts, condition.percentile)) / 1e3


def _throughput(condition: Condition, figures: Figures) -> float | None:
    if figures.duration_s <= 0:
        return None
    if not condition.statement:
        return figures.throughput_ops_s
    return float(figures.statements.get(condition.statement, {}).get("ok", 0)) / figures.duration_s


def _counts(condition: Condition, figures: Figures) -> dict[str, int]:
    """Counts of the statement, or of all: those of the document's `statements`, and `reads` that were answered."""
    names = (*ENDED, "rows", "empty", "applied", "not_applied")
    chosen = [one for name, one in figures.statements.items() if condition.statement in {"", name}]
    sums = {name: sum(int(one.get(name) or 0) for one in chosen) for name in names}
    sums["reads"] = sum(int(one["ok"]) for one in chosen if one.get("hit_rate") is not None)
    if not condition.statement:
        sums.update({name: int(figures.operations.get(name, 0)) for name in (*ENDED, "rows")})
    return sums


def lines(document: dict[str, Any]) -> list[str]:
    """What did not hold, in words; and how many did."""
    expected = document.get("expectations", [])
    held = sum(one["holds"] for one in expected)
    found = [f"{held} of {len(expected)} held"] if expected else []
    return found + [one["text"] for one in expected if not one["holds"]]

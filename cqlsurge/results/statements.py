"""What became of each statement of a workload: operations, rows, empty answers, pages; and how that is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cqlsurge.results.counts import ProcessCounts

COUNTS = ("ok", "failed", "unknown", "rows", "empty", "pages", "page_ns", "applied", "not_applied")
STATEMENT_KEYS = ("cql", "table", "expected_hit_rate")


def statements_of(processes: Sequence[ProcessCounts], told: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """{statement: counts and rates} of those that had any operation.

    told: what is known of each before the run (workload.statements of the document). hit_rate: the share of answered
    reads that found a row, None of statements that return none.
    """
    sums: dict[str, dict[str, int]] = {}
    slowest: dict[str, int] = {}
    for process in processes:
        for name, kind in (process.last or {}).get("kinds", {}).items():
            into = sums.setdefault(name, dict.fromkeys(COUNTS, 0))
            for count in COUNTS:
                into[count] += int(kind.get(count, 0))
            slowest[name] = max(slowest.get(name, 0), int(kind.get("page_max_ns", 0)))
    return {
        name: _told(counts, slowest[name], told.get(name, {}))
        for name, counts in sums.items()
        if counts["ok"] + counts["failed"] + counts["unknown"]
    }


def _told(counts: dict[str, int], slowest_ns: int, told: dict[str, Any]) -> dict[str, Any]:
    reads = bool(told.get("reads"))
    found: dict[str, Any] = {name: counts[name] for name in ("ok", "failed", "unknown", "rows", "empty")}
    found["hit_rate"] = round(1 - counts["empty"] / counts["ok"], 6) if reads and counts["ok"] else None
    found["expected_hit_rate"] = told.get("expected_hit_rate")
    if counts["applied"] or counts["not_applied"]:
        found["applied"], found["not_applied"] = counts["applied"], counts["not_applied"]
    if counts["pages"]:
        found["pages"] = counts["pages"]
        found["page_mean_us"] = round(counts["page_ns"] / counts["pages"] / 1000, 3)
        found["page_max_us"] = round(slowest_ns / 1000, 3)
    return found


def lines(document: dict[str, Any]) -> list[str]:
    """A line for each statement that reads: rows, and how many reads found some."""
    found = []
    for name, one in document.get("statements", {}).items():
        if "applied" in one:
            applied, refused = one["applied"], one["not_applied"]
            text = f"{name}: {applied:,} applied, {refused:,} not ({applied / (applied + refused):.2%} applied)"
            found.append(text + (f", {one['unknown']:,} unknown" if one["unknown"] else ""))
        if one["hit_rate"] is None:
            continue
        text = f"{name}: {one['rows']:,} rows; {one['hit_rate']:.2%} of the reads found some"
        if one["expected_hit_rate"] is not None:
            text += f" ({one['expected_hit_rate']:.0%} expected)"
        if "pages" in one:
            text += f"; {one['pages']:,} pages, {one['page_mean_us'] / 1000:.2f} ms each"
        found.append(text)
    return found

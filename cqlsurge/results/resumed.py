"""A run that was cut off and taken up again, as one document: what it had told last, and what came after.

What was not known to have ended when it was cut off has been done again: these numbers are listed (`resumes`), for
their first attempt may have reached the database or not. Such attempts are in no count, but for the few that had ended
out of order, which are counted twice (`repeated` at most). Histograms go on; the gap shows in the timeline and as an
event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cqlsurge.load.latency.hdr import decode
from cqlsurge.load.latency.histogram import add
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.results.document import Document, encoded, latencies
from cqlsurge.results.figures import merged_kinds
from cqlsurge.results.seconds import Histograms
from cqlsurge.results.timeline import LIMIT, thinned

Range = tuple[int, int]
SUMS = ("cpu_s", "spin_s", "bytes_out", "bytes_in")


def open_ranges(document: Document) -> list[Range]:
    """The numbers that have to be done again."""
    return [(first, past) for first, past in document["open"]["ranges"]]


def in_doubt(document: Document) -> list[Range]:
    """The numbers whose fate is unknown when the run of this document is cut off, as sorted ranges."""
    found = Ranges(open_ranges(document))
    found.add(*document["open"]["soon"])
    return found.pairs()


def joined(previous: Document, current: Document, gap_s: float) -> Document:
    """The document of both parts. `gap_s`: how long there was no load in between."""
    offset_s = previous["duration_s"] + gap_s
    cut = cut_off(previous["operations"])
    operations = {name: cut.get(name, 0) + current["operations"].get(name, 0) for name in current["operations"]}
    duration_s = previous["duration_s"] + current["duration_s"]
    measured = sum(one["throughput_ops_s"] * one["duration_s"] for one in (previous, current))
    histograms = _added(previous["histograms"], current["histograms"])
    doubt = in_doubt(previous)
    event = {
        "t_s": round(previous["duration_s"], 3),
        "event": f"cut off; taken up again after {gap_s:.1f} s",
        "gap_s": round(gap_s, 3),
    }
    resume = {
        "after_s": round(previous["duration_s"], 3),
        "gap_s": round(gap_s, 3),
        "in_doubt": [[first, past] for first, past in doubt],
        "again": sum(past - first for first, past in doubt),
        "repeated": _repeated(previous),
    }
    return {
        **current,
        "started_at": previous["started_at"],
        "duration_s": round(duration_s, 6),
        "throughput_ops_s": round(measured / duration_s, 3) if duration_s > 0 else 0.0,
        "operations": operations,
        "unacknowledged": _unacknowledged(previous, current),
        "client": _client(previous, current),
        "latency_us": latencies(histograms, merged_kinds(histograms)),
        "histograms": encoded(histograms),
        "errors": _sums(previous["errors"], current["errors"]),
        "attempt_errors": _sums(previous["attempt_errors"], current["attempt_errors"]),
        "error_examples": {**current["error_examples"], **previous["error_examples"]},
        "targets": _targets(previous["targets"], current["targets"]),
        "events": [*previous["events"], event, *_later(current["events"], offset_s)],
        "timeline": thinned([*previous["timeline"], *_later(current["timeline"], offset_s)], LIMIT),
        "resumes": [*previous.get("resumes", []), resume],
    }


def cut_off(operations: Mapping[str, int]) -> dict[str, int]:
    """The counts of a run that was cut off, without what was under way: that is done again."""
    counts = dict(operations)
    counts["due"] -= counts["in_flight"] + counts["backlog"]
    counts["issued"] -= counts["in_flight"]
    counts["in_flight"] = counts["backlog"] = 0
    return counts


def _repeated(previous: Document) -> int:
    """Operations that are counted though they are done again: they had ended before others that were sent earlier."""
    counts = previous["operations"]
    ended = counts["ok"] + counts["failed"] + counts["unknown"]
    before = sum(one["repeated"] for one in previous.get("resumes", []))
    known: int = previous["open"]["next"] - sum(past - first for first, past in open_ranges(previous))
    return max(0, int(ended - before - known))


def _added(first: Mapping[str, Mapping[str, str]], then: Mapping[str, Mapping[str, str]]) -> Histograms:
    sums: Histograms = {}
    for histograms in (first, then):
        for kind, by_latency in histograms.items():
            for name, text in by_latency.items():
                add(sums.setdefault(kind, {}).setdefault(name, new_counts()), decode(text))
    return sums


def _unacknowledged(previous: Document, current: Document) -> dict[str, Any]:
    """Of what was done again the second attempt says what became of it; of the rest the first."""
    again = Ranges(open_ranges(previous))
    told = previous["unacknowledged"]
    merged = Ranges((first, past) for first, past in current["unacknowledged"]["ranges"])
    for first, past in told["ranges"]:
        at = first
        for begin, end in again.pairs():
            merged.add(at, min(begin, past, previous["open"]["next"]))
            at = max(at, end)
        merged.add(at, min(past, previous["open"]["next"]))
    return {
        "ranges": [[first, past] for first, past in merged.pairs()],
        "overflow": told["overflow"] or current["unacknowledged"]["overflow"],
        "below": max(told["below"], current["unacknowledged"]["below"]),
    }


def _client(previous: Document, current: Document) -> dict[str, Any]:
    first, then = previous["client"], current["client"]
    counts = [_ended(one["operations"]) for one in (previous, current)]
    weighted = first["cpu_us_per_op"] * counts[0] + then["cpu_us_per_op"] * counts[1]
    return {
        **then,
        **{name: round(first[name] + then[name], 6) for name in SUMS if name in then},
        "max_rss_mb": max(first["max_rss_mb"], then["max_rss_mb"]),
        "cpu_us_per_op": round(weighted / sum(counts), 4) if sum(counts) else 0.0,
    }


def _ended(counts: Mapping[str, int]) -> int:
    return counts["ok"] + counts["failed"] + counts["unknown"]


def _sums(first: Mapping[str, int], then: Mapping[str, int]) -> dict[str, int]:
    sums = {
        name: first.get(name, 0) + then.get(name, 0) for name in [*first, *(name for name in then if name not in first)]
    }
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _targets(first: Sequence[dict[str, Any]], then: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    sums = {(one["node"], one["shard"]): dict(one) for one in first}
    for one in then:
        before = sums.get((one["node"], one["shard"]), {})
        counts = {name: before.get(name, 0) + one[name] for name in ("issued", "ok", "failed")}
        sums[one["node"], one["shard"]] = {**one, **counts}
    return list(sums.values())


def _later(rows: Sequence[dict[str, Any]], offset_s: float) -> list[dict[str, Any]]:
    return [{**row, "t_s": round(row["t_s"] + offset_s, 3)} for row in rows]

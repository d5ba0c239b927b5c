"""The tables of a report, as text already: headline figures, latencies by kind, balance, settings, environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cqlsurge.results.document import Document
from cqlsurge.settings import options
from cqlsurge.show.lines import stragglers_line
from cqlsurge.show.report.run import Run
from cqlsurge.units import show_count, show_s, show_us

FIGURES = ("mean", "p50", "p90", "p99", "p99_9", "p99_99", "max")
#: rows that the table of a chart over time has at most, and rows of shards
TIME_ROWS = 60
SHARD_ROWS = 400


@dataclass(frozen=True)
class Table:
    """Heads and rows of text; the first column names the row.

    `bars`: shares of 1 drawn beside the rows. `words`: from this column on there are words, not figures.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    bars: Sequence[float] = ()
    words: int = 99


def headline_figures(run: Run) -> list[tuple[str, str, str]]:
    """(name, value, what it means) of the figures to see first."""
    document = run.document
    counts, client = document["operations"], document["client"]
    latency = document["latency_us"].get("all", {}).get(run.headline, {})
    errors = counts["failed"] + counts["unknown"]
    asked = document["verdict"].get("figures", {}).get("rate_asked_ops_s")
    throughput = f"of {show_count(asked)} asked for" if asked else "operations that ended well, per second"
    figures = [("throughput", f"{show_count(document['throughput_ops_s'])} ops/s", throughput)]
    for name in ("p50", "p99", "p99_9"):
        text = name.replace("_", ".")
        value = show_us(latency[name]) if latency else "none"
        figures.append((text, value, f"{text[1:]} % of the {run.headline} times are below"))
    of_all = f"of {errors + counts['ok']:,} that ended; {counts['unknown']:,} of them with unknown outcome"
    figures.append(("errors", f"{errors:,}", of_all))
    figures.append(
        ("client CPU", f"{client['cpu_us_per_op']:.2f} us/op", f"{client['processes']} processes, spinning left out")
    )
    return figures


def overview(runs: Sequence[Run]) -> Table:
    """The headline figures of several runs, a row each."""
    rows = [
        [
            run.label,
            run.headline,
            *(value for _, value, _ in headline_figures(run)),
            run.document["verdict"]["bound_by"],
        ]
        for run in runs
    ]
    names = [name for name, _, _ in headline_figures(runs[0])]
    return Table(["run", "latency", *names, "bound by"], rows)


def latencies(run: Run) -> Table:
    """Count, mean and percentiles of each kind and latency."""
    rows = []
    kinds = [kind for kind in run.document["latency_us"] if kind != "all"]
    for kind in kinds if len(kinds) < 2 else [*kinds, "all"]:
        for name in ("service", "response", "wait"):
            figures = run.document["latency_us"][kind][name]
            rows.append([f"{kind} {name}", f"{figures['count']:,}", *(show_us(figures[one]) for one in FIGURES)])
    return Table(["latency", "count", *(name.replace("p99_", "p99.") for name in FIGURES)], rows)


def counts(run: Run) -> Table:
    """What became of the operations, as the conservation law has them."""
    words = {
        "due": "due: what the load asked for",
        "issued": "issued: sent to the database",
        "ok": "ok: ended well",
        "failed": "failed",
        "unknown": "unknown: writes that may or may not exist",
        "in_flight": "in flight when the run ended",
        "skipped": "skipped: due, but too many waited",
        "backlog": "backlog: due, not sent when the run ended",
        "abandoned": "abandoned: given to a process that was lost",
        "retries": "retries: further attempts, not operations",
        "rows": "rows that reads found",
    }
    found = run.document["operations"]
    rows = [[text, f"{found[name]:,}"] for name, text in words.items() if name in found]
    if line := stragglers_line(run.document.get("stragglers", {})):
        rows.append([f"stragglers: {line}", f"{run.document['stragglers']['in_flight']:,}"])
    return Table(["operations", "count"], rows)


def statements(run: Run) -> Table | None:
    """Of a workload: what became of each statement, and how many of its reads found rows."""
    found = run.document.get("statements")
    if not found:
        return None
    rows = []
    for name, one in found.items():
        rate = "" if one["hit_rate"] is None else f"{one['hit_rate']:.2%}"
        expected = "" if one["expected_hit_rate"] is None else f"{one['expected_hit_rate']:.0%}"
        pages = f"{one['pages']:,}, {show_us(one['page_mean_us'])} each" if "pages" in one else ""
        counts = [f"{one[count]:,}" for count in ("ok", "failed", "unknown", "rows", "empty")]
        rows.append([name, *counts, rate, expected, pages])
    heads = ["statement", "ok", "failed", "unknown", "rows", "empty answers", "found some", "expected", "pages"]
    return Table(heads, rows)


def errors(run: Run) -> Table | None:
    """Errors by class, with the first example of each."""
    document = run.document
    names = list(dict.fromkeys([*document["errors"], *document["attempt_errors"]]))
    if not names:
        return None
    rows = []
    for name in names:
        examples = document["error_examples"].get(name, [])
        first = f"{examples[0]['t_s']} s, {examples[0]['node']}: {examples[0]['text']}" if examples else ""
        final, attempts = document["errors"].get(name, 0), document["attempt_errors"].get(name, 0)
        rows.append([name, f"{final:,}", f"{attempts:,}", first])
    return Table(["class", "operations", "attempts", "first seen"], rows, words=3)


def nodes(run: Run) -> Table:
    """Operations of each node."""
    sums: dict[str, list[float]] = {}
    for target in run.document["targets"]:
        one = sums.setdefault(target["address"], [0, 0, 0, 0.0])
        for at, name in enumerate(("issued", "ok", "failed")):
            one[at] += target[name]
        one[3] += target.get("expected_share") or 0.0
    return _balance("node", [(name, *values) for name, values in sums.items()])


def shards(run: Run) -> Table | None:
    """Operations of each shard of each node; None where shards are not known or too many."""
    targets = [target for target in run.document["targets"] if target["shard"] >= 0]
    if not targets or len(targets) > SHARD_ROWS:
        return None
    return _balance(
        "shard",
        [
            (
                f"{one['address']} / {one['shard']}",
                one["issued"],
                one["ok"],
                one["failed"],
                one.get("expected_share") or 0.0,
            )
            for one in targets
        ],
    )


def _balance(what: str, found: Sequence[tuple[Any, ...]]) -> Table:
    total = sum(issued for _, issued, *_ in found) or 1
    most = max((issued for _, issued, *_ in found), default=1) or 1
    expected = any(one[4] for one in found)
    rows = [
        [name, f"{issued:,.0f}", f"{issued / total:.1%}", *([f"{share:.1%}"] if expected else []), f"{failed:,.0f}"]
        for name, issued, _ok, failed, share in found
    ]
    heads = [what, "operations", "share", *(["expected"] if expected else []), "failed"]
    return Table(heads, rows, [issued / most for _, issued, *_ in found])


def processes(run: Run) -> Table:
    """What each load process did."""
    rows = [
        [str(one["worker"]), f"{one['ok']:,}", f"{one['errors']:,}", f"{one['cpu_s']:.2f} s",
         f"{one['max_rss_mb']:.0f} MB", one["lost"] or ""]
        for one in run.document["workers"]
    ]  # fmt: skip
    most = max((one["ok"] for one in run.document["workers"]), default=1) or 1
    heads = ["process", "ok", "errors", "CPU", "memory", "lost"]
    return Table(heads, rows, [one["ok"] / most for one in run.document["workers"]], words=5)


def hosts(run: Run) -> Table | None:
    """What each host of several did; None for a run on one."""
    found = run.document.get("hosts", [])
    if not found:
        return None
    rows = []
    for one in found:
        p99 = one.get("latency_us", {}).get("all", {}).get(run.headline, {}).get("p99")
        steal = one["use"].get("steal_share")
        rows.append(
            [one["host"], f"{one['operations']['ok']:,}", show_count(one["throughput_ops_s"]),
             "" if p99 is None else show_us(p99), f"{one['busy_share']:.0%}", "" if steal is None else f"{steal:.1%}",
             f"{one['cpu_us_per_op']:.2f} us", f"{one['clock_offset_ms']:.2f} +- {one['clock_error_ms']:.2f} ms",
             one["lost"] or ""]
        )  # fmt: skip
    most = max(one["operations"]["ok"] for one in found) or 1
    heads = ["host", "ok", "ops/s", "p99", "CPU of a core", "steal", "CPU/op", "clock", "lost"]
    return Table(heads, rows, [one["operations"]["ok"] / most for one in found], words=8)


def settings(run: Run) -> Table:
    """All settings that are given or have a default, those given first."""
    given, kept = [], []
    for name, default, option in options():
        value = run.document["settings"].get(name, default)
        meaning = option.help.replace("%%", "%")
        if value != default:
            given.append([name, str(value), meaning])
        elif value not in (None, False):
            kept.append([name, str(value), f"{meaning}"])
    address = run.document["settings"].get("address") or "none: an embedded Apache Cassandra"
    return Table(["setting", "value", "meaning"], [["address", address, "the database"], *given, *kept], words=1)


def environment(run: Run) -> Table:
    """Cluster, engine, interpreter and machine."""
    return Table(["what", "value"], facts(run.document, ("cluster", "engine", "runtime", "host")), words=1)


def facts(document: Document, parts: Sequence[str]) -> list[list[str]]:
    """(what, value) of what is known in these parts of a document, and the version."""
    rows = [
        [f"{part}: {name.replace('_', ' ')}", _text(value)]
        for part in parts
        for name, value in document[part].items()
        if value not in (None, "", [], {})
    ]
    return [*rows, ["cqlsurge", document["version"]]]


def over_time(run: Run) -> Table:
    """The timeline in at most TIME_ROWS rows, for those who read rather than look."""
    step = max(1, -(-len(run.rows) // TIME_ROWS))
    rows = [
        [show_s(row["t_s"]), show_count(row["ok"] / max(row["span_s"], 1e-3)), f"{row['errors']:,}",
         show_us(row["p50_us"]), show_us(row["p99_us"]), show_us(row["p99_9_us"])]
        for row in run.rows[::step]
    ]  # fmt: skip
    return Table(["time", "ops/s", "errors", "p50", "p99", "p99.9"], rows)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)

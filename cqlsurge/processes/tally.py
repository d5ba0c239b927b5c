"""Adds up what load processes report: counts, merged histograms, one row a second.

Histograms are merged, never percentiles averaged. A process that is lost keeps what it had reported last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.load.latency.hdr import cells
from cqlsurge.load.latency.histogram import LATENCIES
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.results.timeline import Second, Timeline

COUNTS = ("ok", "failed", "unknown", "rows")
EXAMPLES = 5
#: counts of a histogram that take a while to add
MANY = 500

Message = dict[str, Any]
Histograms = dict[str, dict[str, list[int]]]
Counts = list[int] | Counter[int]


@dataclass
class WorkerTally:
    """What one load process has reported: its last snapshots, and the last one before the measured phase."""

    last: Message | None = None
    previous: Message | None = None
    before: Message | None = None
    ended: bool = False
    lost: str | None = None

    def total(self, name: str) -> int:
        """A count of the whole phase: one of COUNTS over all kinds, or a count of the snapshot itself."""
        return _total(self.last, name)

    def measured(self, name: str) -> int:
        """The same count, of the measured phase alone."""
        return _total(self.last, name) - _total(self.before, name)

    def rate_ops_s(self) -> float:
        """Successful operations per second between its last two snapshots."""
        return (self.total("ok") - _total(self.previous, "ok")) / self.interval_s() if self.previous else 0.0

    def busy(self) -> float:
        """The share of a core that it used between its last two snapshots, spinning left out."""
        last, previous = self.last, self.previous
        if last is None or previous is None or last["measuring"] != previous["measuring"]:
            return 0.0  # CPU time is counted anew when measuring begins
        used_s: float = last["cpu_s"] - previous["cpu_s"] - (last["spin_s"] - previous["spin_s"])
        return max(0.0, used_s / self.interval_s())

    def span_s(self, start_ns: int) -> float:
        """How long it has measured: from the end of its warm-up to its last report."""
        if self.last is None or not self.last["measuring"]:
            return 0.0
        begin_ns = self.before["t_ns"] if self.before is not None else start_ns
        return max(0.0, float(self.last["t_ns"] - begin_ns) / 1e9)

    def interval_s(self) -> float:
        """How far its last two snapshots are apart."""
        last, previous = self.last or {}, self.previous or {}
        interval_ns: int = last.get("t_ns", 0) - previous.get("t_ns", 0)
        return max(1e-6, interval_ns / 1e9)


def _total(snapshot: Message | None, name: str) -> int:
    if snapshot is None:
        return 0
    if name in COUNTS:
        return sum(int(kind[name]) for kind in snapshot["kinds"].values())
    return int(snapshot[name])


@dataclass
class Row:
    """One second of the run over all processes. `counts` are of the headline latency (service, or response)."""

    t_s: int
    start_ns: int = 0
    end_ns: int = 0
    ok: int = 0
    errors: int = 0
    measuring: bool = True
    counts: list[int] = field(default_factory=new_counts)
    kinds: Histograms = field(default_factory=dict)  # all latencies, where somebody listens to rows
    reported: set[int] = field(default_factory=set)

    def second(self) -> Second:
        """The row as the timeline takes it."""
        return Second(
            self.t_s, (self.end_ns - self.start_ns) / 1e9, self.ok, self.errors, not self.measuring, self.counts
        )


#: {kind: {latency: {index: count}}}: histograms of one host of many, of which most counts are zero
Sparse = dict[str, dict[str, Counter[int]]]


class Tally:
    """Takes the snapshots of one phase. `headline` names the latency of the timeline and the live figures.

    `on_row` is told each second when it is complete. `groups`: the workers of each host, where hosts have histograms of
    their own; these are in `of_groups`. `give_way` is called between steps of about a millisecond.
    """

    def __init__(
        self,
        workers: int,
        start_ns: int,
        headline: str = "service",
        on_row: Callable[[Row], None] | None = None,
        groups: Sequence[range] = (),
        give_way: Callable[[], object] = lambda: None,
    ) -> None:
        self.workers = [WorkerTally() for _ in range(workers)]
        self.start_ns = start_ns
        self.headline = headline
        self.histograms: Histograms = {}
        self.of_groups: list[Sparse] = [{} for _ in groups]
        self._group_of = {worker: self.of_groups[at] for at, group in enumerate(groups) for worker in group}
        self.seconds = Timeline()
        self._on_row, self._give_way = on_row, give_way
        self._closed_ns = start_ns
        self._open_rows: dict[int, Row] = {}

    def take(self, worker: int, snapshot: Message) -> None:
        """A snapshot, or the end, from one process."""
        tally = self.workers[worker]
        previous = tally.last
        tally.previous, tally.last = previous, snapshot
        if not snapshot["measuring"]:
            tally.before = snapshot
        tally.ended = snapshot["type"] == "end"
        row = self._row(snapshot)
        row.ok += _total(snapshot, "ok") - _total(previous, "ok")
        for name in ("failed", "unknown"):
            row.errors += _total(snapshot, name) - _total(previous, name)
        row.reported.add(worker)
        for kind, data in snapshot["kinds"].items():
            for name in LATENCIES:
                found = cells(data[name])
                for into in self._takers(worker, row, kind, name, measuring=snapshot["measuring"]):
                    for index, count in found:
                        into[index] += count
                if len(found) > MANY:
                    self._give_way()
        self._close_rows()

    def _takers(self, worker: int, row: Row, kind: str, name: str, *, measuring: bool) -> list[Counts]:
        """All that a histogram of a process is added to."""
        takers: list[Counts] = []
        if measuring:
            if kind not in self.histograms:
                self.histograms[kind] = {latency: new_counts() for latency in LATENCIES}
            takers.append(self.histograms[kind][name])
            if worker in self._group_of:
                takers.append(self._group_of[worker].setdefault(kind, {}).setdefault(name, Counter()))
            if self._on_row is not None:
                takers.append(row.kinds.setdefault(kind, {}).setdefault(name, new_counts()))
        if name == self.headline:
            takers.append(row.counts)
        return takers

    def lose(self, worker: int, how: str) -> None:
        """A process has ended before its time; what it reported stays."""
        self.workers[worker].lost = how
        self._close_rows()

    def finish(self) -> None:
        """No more will come: closes the last rows."""
        for t_s in sorted(self._open_rows):
            self._close(t_s)

    def total(self, name: str) -> int:
        """A count of the whole phase over all processes."""
        return sum(worker.total(name) for worker in self.workers)

    def measured(self, name: str) -> int:
        """A count of the measured phase over all processes."""
        return sum(worker.measured(name) for worker in self.workers)

    def start_skew_s(self) -> float:
        """How long after the first process the last one began; 0 where fewer than two have said."""
        began = [worker.last["began_ns"] for worker in self.workers if worker.last is not None]
        return (max(began) - min(began)) / 1e9 if began else 0.0

    @property
    def timeline(self) -> list[dict[str, Any]]:
        """The rows of the result's timeline, as far as they are complete."""
        return self.seconds.rows

    @property
    def in_flight(self) -> int:
        """Operations that had not ended when last heard of."""
        return self.total("issued") - self.total("ok") - self.total("failed") - self.total("unknown")

    def by_class(self, name: str) -> dict[str, int]:
        """`errors` or `attempt_errors` added up by class, the most frequent first."""
        added: dict[str, int] = {}
        for worker in self.workers:
            for error_class, count in (worker.last or {}).get(name, {}).items():
                added[error_class] = added.get(error_class, 0) + count
        return dict(sorted(added.items(), key=lambda item: -item[1]))

    def examples(self) -> dict[str, list[dict[str, Any]]]:
        """The first few errors of each class over all processes, in the order of their time."""
        merged: dict[str, list[dict[str, Any]]] = {}
        for worker in self.workers:
            for error_class, examples in (worker.last or {}).get("examples", {}).items():
                merged.setdefault(error_class, []).extend(examples)
        return {name: sorted(found, key=lambda one: one["t_s"])[:EXAMPLES] for name, found in merged.items()}

    def unacknowledged(self) -> Ranges:
        """Writes that processes reported as of unknown fate."""
        merged = Ranges()
        for worker in self.workers:
            for first, past in (worker.last or {}).get("unacknowledged", []):
                merged.add(first, past)
            merged.overflow |= bool((worker.last or {}).get("unacknowledged_overflow"))
        return merged

    def targets(self) -> dict[tuple[str, str, int], list[int]]:
        """(node, address, shard) -> [issued, ok, failed] over all processes."""
        merged: dict[tuple[str, str, int], list[int]] = {}
        for worker in self.workers:
            for node, address, shard, *counts in (worker.last or {}).get("targets", []):
                sums = merged.setdefault((node, address, shard), [0, 0, 0])
                sums[:] = [have + more for have, more in zip(sums, counts, strict=True)]
        return dict(sorted(merged.items(), key=lambda item: (item[0][1], item[0][2])))

    def node_rates_ops_s(self) -> dict[str, float]:
        """Operations issued per second to each node, by address, between the last two snapshots of each process."""
        rates: dict[str, float] = {}
        for worker in self.workers:
            for snapshot, sign in ((worker.last, 1), (worker.previous, -1)):
                for _node, address, _shard, issued, *_ in (snapshot or {}).get("targets", []):
                    rates[address] = rates.get(address, 0.0) + sign * issued / worker.interval_s()
        return {address: max(0.0, round(rate, 3)) for address, rate in sorted(rates.items())}

    def _row(self, snapshot: Message) -> Row:
        t_s = max(1, round((snapshot["t_ns"] - self.start_ns) / 1e9))
        t_s = max(t_s, self.seconds.last_s + 1)  # a late report joins the next open row: closed ones are final
        row = self._open_rows.setdefault(t_s, Row(t_s))
        row.end_ns = max(row.end_ns, snapshot["t_ns"])
        # A second with any of the warm-up counts as warm-up; the report that begins a run without one holds nothing.
        if not snapshot["measuring"] and _total(snapshot, "issued"):
            row.measuring = False
        return row

    def _close_rows(self) -> None:
        waiting = {index for index, worker in enumerate(self.workers) if not worker.ended and worker.lost is None}
        for t_s in sorted(self._open_rows):
            newer = set().union(*(row.reported for time_s, row in self._open_rows.items() if time_s > t_s))
            if not waiting <= newer | self._open_rows[t_s].reported:
                break
            if not waiting <= newer and t_s == max(self._open_rows):
                break  # all have reported, but a process may add its last words to this second
            self._close(t_s)

    def _close(self, t_s: int) -> None:
        row = self._open_rows.pop(t_s)
        row.start_ns = self._closed_ns
        self._closed_ns = row.end_ns = max(row.end_ns, self._closed_ns)
        self.seconds.add(row.second())
        if self._on_row is not None:
            self._on_row(row)

"""What load processes report of a phase, added up: counts, merged histograms, seconds.

Histograms are merged, never percentiles averaged. A process that is lost keeps what it had reported last. The measured
window of a process goes from the end of its warm-up to its first snapshot in which it issues nothing more; what ends
after that are stragglers, whose latencies count and whose answers make no throughput.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cqlsurge.load.latency.hdr import cells
from cqlsurge.load.latency.histogram import LATENCIES
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.results.seconds import Histograms, Second, Seconds, Sparse
from cqlsurge.results.timeline import Timeline

#: counts of kinds; the others are of the snapshot itself
OF_KINDS = ("ok", "failed", "unknown", "rows")
ENDED = ("ok", "failed", "unknown")
EXAMPLES = 5
#: counts of a histogram that take a while to add
MANY = 500

Message = dict[str, Any]


def count_of(snapshot: Message | None, name: str) -> int:
    """A count of the whole phase: one of OF_KINDS over all kinds, or a count of the snapshot itself."""
    if snapshot is None:
        return 0
    if name in OF_KINDS:
        return sum(int(kind[name]) for kind in snapshot["kinds"].values())
    return int(snapshot[name])


def in_flight(snapshot: Message | None) -> int:
    """Operations that had not ended."""
    return count_of(snapshot, "issued") - sum(count_of(snapshot, name) for name in ENDED)


def backlog(snapshot: Message | None) -> int:
    """Operations that were due and not sent."""
    return count_of(snapshot, "due") - count_of(snapshot, "issued") - count_of(snapshot, "skipped")


@dataclass
class ProcessCounts:
    """What one load process has reported.

    last, previous: its last two snapshots; before: its last one before the measured phase; closing: its first one in
    which it issued nothing more; lost: how it was.
    """

    last: Message | None = None
    previous: Message | None = None
    before: Message | None = None
    closing: Message | None = None
    ended: bool = False
    lost: str | None = None

    @property
    def issuing(self) -> bool:
        """Whether more may come of it for the measured window."""
        return not self.ended and self.lost is None and self.closing is None

    @property
    def window_end(self) -> Message | None:
        """Its snapshot at the end of the measured window, as far as it has come; None where it measured nothing."""
        end = self.closing or self.last
        return end if end is not None and end["measuring"] else None

    def total(self, name: str) -> int:
        """A count of the whole phase (see count_of)."""
        return count_of(self.last, name)

    def measured(self, name: str) -> int:
        """The same count, of the measured window alone."""
        end = self.window_end
        return count_of(end, name) - count_of(self.before, name) if end is not None else 0

    def gauges(self) -> dict[str, float]:
        """The engine's own figures, of the measured window."""
        end = self.window_end or {}
        before = (self.before or {}).get("gauges", {})
        return {name: value - before.get(name, 0.0) for name, value in end.get("gauges", {}).items()}

    def span_s(self, start_ns: int) -> float:
        """How long its measured window is."""
        end = self.window_end
        if end is None:
            return 0.0
        begin_ns = self.before["t_ns"] if self.before is not None else start_ns
        return max(0.0, float(end["t_ns"] - begin_ns) / 1e9)

    def awaited_s(self) -> float:
        """How long it waited for stragglers, as far as it has come."""
        if self.closing is None or self.last is None:
            return 0.0
        return max(0.0, float(self.last["t_ns"] - self.closing["t_ns"]) / 1e9)

    def rate_ops_s(self) -> float:
        """Successful operations per second between its last two snapshots."""
        return (self.total("ok") - count_of(self.previous, "ok")) / self.interval_s() if self.previous else 0.0

    def busy(self) -> float:
        """The share of a core that it used between its last two snapshots, spinning left out."""
        last, previous = self.last, self.previous
        if last is None or previous is None or last["measuring"] != previous["measuring"]:
            return 0.0  # CPU time is counted anew when measuring begins
        used_s: float = last["cpu_s"] - previous["cpu_s"] - (last["spin_s"] - previous["spin_s"])
        return max(0.0, used_s / self.interval_s())

    def interval_s(self) -> float:
        """How far its last two snapshots are apart."""
        last, previous = self.last or {}, self.previous or {}
        interval_ns: int = last.get("t_ns", 0) - previous.get("t_ns", 0)
        return max(1e-6, interval_ns / 1e9)


class PhaseCounts:
    """Takes the snapshots of one phase. `headline` names the latency of the timeline and the live figures.

    `on_second` is told each second when it is complete, and in the end of what came when issuing was over. `hosts`: the
    processes of each host, where hosts have histograms of their own; these are in `of_hosts`. `give_way` is called
    between steps of about a millisecond.
    """

    def __init__(
        self,
        processes: int,
        start_ns: int,
        headline: str = "service",
        on_second: Callable[[Second], None] | None = None,
        hosts: Sequence[range] = (),
        give_way: Callable[[], object] = lambda: None,
    ) -> None:
        self.processes = [ProcessCounts() for _ in range(processes)]
        self.start_ns = start_ns
        self.headline = headline
        self.histograms: Histograms = {}
        self.of_hosts: list[Sparse] = [{} for _ in hosts]
        self.timeline = Timeline()
        self._host_of = {index: self.of_hosts[at] for at, host in enumerate(hosts) for index in host}
        self._on_second, self._give_way = on_second, give_way
        self._seconds = Seconds(start_ns, self._close)
        self._open: dict[int, tuple[int, int]] = {}

    def take(self, index: int, snapshot: Message) -> None:
        """A snapshot, or the end, from one process."""
        process = self.processes[index]
        previous, was_issuing = process.last, process.closing is None
        process.previous, process.last = previous, snapshot
        if not snapshot["measuring"]:
            process.before = snapshot
        if was_issuing and not snapshot["issuing"]:
            process.closing = snapshot
        process.ended = snapshot["type"] == "end"
        second = self._seconds.at(snapshot["t_ns"]) if was_issuing else self._seconds.after
        second.end_ns = max(second.end_ns, snapshot["t_ns"])
        second.ok += count_of(snapshot, "ok") - count_of(previous, "ok")
        second.errors += sum(count_of(snapshot, name) - count_of(previous, name) for name in ENDED[1:])
        second.reported[index] = (in_flight(snapshot), backlog(snapshot))
        # A second with any of the warm-up counts as warm-up; the report that begins a run without one holds nothing.
        second.warmup |= not snapshot["measuring"] and bool(count_of(snapshot, "issued"))
        self._add_histograms(index, second, snapshot)
        self._seconds.close_told(self._issuing)

    def _add_histograms(self, index: int, second: Second, snapshot: Message) -> None:
        for kind, data in snapshot["kinds"].items():
            for name in LATENCIES:
                found = cells(data[name])
                for into in self._takers(index, second, kind, name, measuring=snapshot["measuring"]):
                    for cell, count in found:
                        into[cell] += count
                if len(found) > MANY:
                    self._give_way()

    def _takers(
        self, index: int, second: Second, kind: str, name: str, *, measuring: bool
    ) -> list[list[int] | Counter[int]]:
        """All that a histogram of a process is added to."""
        takers: list[list[int] | Counter[int]] = []
        if measuring:
            if kind not in self.histograms:
                self.histograms[kind] = {latency: new_counts() for latency in LATENCIES}
            takers.append(self.histograms[kind][name])
            if index in self._host_of:
                takers.append(self._host_of[index].setdefault(kind, {}).setdefault(name, Counter()))
            if self._on_second is not None:
                takers.append(second.kinds.setdefault(kind, {}).setdefault(name, new_counts()))
        if name == self.headline:
            takers.append(second.counts)
        return takers

    def lose(self, index: int, how: str) -> None:
        """A process has ended before its time; what it reported stays."""
        self.processes[index].lost = how
        self._seconds.close_told(self._issuing)

    def finish(self) -> None:
        """No more will come: closes the last seconds, and tells of what came when issuing was over."""
        self._seconds.close_all()
        after = self._seconds.after
        if self._on_second is not None and after.kinds:
            self._on_second(after)

    def _close(self, second: Second) -> None:
        # A process that tells nothing of a second has as much open as when it last told.
        self._open.update(second.reported)
        left = [each for index, each in self._open.items() if self.processes[index].lost is None]
        second.in_flight, second.backlog = sum(each[0] for each in left), sum(each[1] for each in left)
        self.timeline.add(second)
        if self._on_second is not None:
            self._on_second(second)

    @property
    def _issuing(self) -> list[int]:
        return [index for index, process in enumerate(self.processes) if process.issuing]

    def total(self, name: str) -> int:
        """A count of the whole phase over all processes."""
        return sum(process.total(name) for process in self.processes)

    def measured(self, name: str) -> int:
        """A count of the measured window over all processes."""
        return sum(process.measured(name) for process in self.processes)

    @property
    def in_flight(self) -> int:
        """Operations that had not ended when last heard of."""
        return sum(in_flight(process.last) for process in self.processes)

    @property
    def backlog(self) -> int:
        """Operations that were due and not sent when last heard of."""
        return sum(backlog(process.last) for process in self.processes)

    def start_skew_s(self) -> float:
        """How long after the first process the last one began; 0 where fewer than two have said."""
        began = [process.last["began_ns"] for process in self.processes if process.last is not None]
        return (max(began) - min(began)) / 1e9 if began else 0.0

    def by_class(self, name: str) -> dict[str, int]:
        """`errors` or `attempt_errors` added up by class, the most frequent first."""
        added: dict[str, int] = {}
        for process in self.processes:
            for error_class, count in (process.last or {}).get(name, {}).items():
                added[error_class] = added.get(error_class, 0) + count
        return dict(sorted(added.items(), key=lambda item: -item[1]))

    def examples(self) -> dict[str, list[dict[str, Any]]]:
        """The first few errors of each class over all processes, in the order of their time."""
        merged: dict[str, list[dict[str, Any]]] = {}
        for process in self.processes:
            for error_class, examples in (process.last or {}).get("examples", {}).items():
                merged.setdefault(error_class, []).extend(examples)
        return {name: sorted(found, key=lambda one: one["t_s"])[:EXAMPLES] for name, found in merged.items()}

    def unacknowledged(self) -> Ranges:
        """Writes that processes reported as of unknown fate."""
        merged = Ranges()
        for process in self.processes:
            for first, past in (process.last or {}).get("unacknowledged", []):
                merged.add(first, past)
            merged.overflow |= bool((process.last or {}).get("unacknowledged_overflow"))
        return merged

    def targets(self) -> dict[tuple[str, str, int], list[int]]:
        """(node, address, shard) -> [issued, ok, failed, lost connections] over all processes."""
        merged: dict[tuple[str, str, int], list[int]] = {}
        for process in self.processes:
            for node, address, shard, *counts in (process.last or {}).get("targets", []):
                sums = merged.setdefault((node, address, shard), [0, 0, 0, 0])
                sums[:] = [have + more for have, more in zip(sums, counts, strict=True)]
        return dict(sorted(merged.items(), key=lambda item: (item[0][1], item[0][2])))

    def node_rates_ops_s(self) -> dict[str, float]:
        """Operations issued per second to each node, by address, between the last two snapshots of each process."""
        rates: dict[str, float] = {}
        for process in self.processes:
            for snapshot, sign in ((process.last, 1), (process.previous, -1)):
                for _node, address, _shard, issued, *_ in (snapshot or {}).get("targets", []):
                    rates[address] = rates.get(address, 0.0) + sign * issued / process.interval_s()
        return {address: max(0.0, round(rate, 3)) for address, rate in sorted(rates.items())}

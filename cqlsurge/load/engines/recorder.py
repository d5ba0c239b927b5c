"""What happened: counts and latencies of one phase in one load process.

The conservation law that every engine keeps (asserted in the contract suite and by the parent):

    issued = ok + failed + unknown + in_flight          closed load: due = issued
    due    = issued + skipped + backlog                 with a rate

Histograms are lists of counts (cqlsurge.load.latency.layout); they hold the interval since the last `take`, and the
parent merges them. Counts are totals of the phase. A hot loop may keep its own counters and lists and bring the
recorder up to date before each control poll; after the poll it must fetch the histogram lists again, since `take`
replaces them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cqlsurge.load.latency.hdr import encode
from cqlsurge.load.latency.histogram import LATENCIES
from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.load.outcomes.classes import MISSING, NOT_APPLIED, OK, UNKNOWN, outcome_of
from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.load.workload.model import Kind

EXAMPLES_PER_CLASS = 3
TEXT_LIMIT = 300

_EMPTY = new_counts()
_EMPTY_TEXT = encode(_EMPTY)


class KindRecord:
    """Counts and interval histograms of one kind of operation."""

    __slots__ = (
        "applied", "conditional", "empty", "failed", "must_apply", "name", "not_applied", "ok", "page_max_ns",
        "page_ns", "pages", "response", "returns", "rows", "service", "taken", "unknown", "wait", "writes",
    )  # fmt: skip

    def __init__(self, kind: Kind) -> None:
        self.name = kind.name
        self.writes = kind.writes
        self.returns = bool(kind.returns)
        self.conditional, self.must_apply = kind.conditional, kind.must_apply
        self.ok = self.failed = self.unknown = self.rows = 0
        #: answers without rows; pages of answers that were read by the page, and how long these took
        self.empty = self.pages = self.page_ns = self.page_max_ns = 0
        #: answers of a conditional write that say that it was done, or that its condition did not hold
        self.applied = self.not_applied = 0
        self.taken = 0  # how many of them had ended when the histograms began
        self.wait, self.service, self.response = new_counts(), new_counts(), new_counts()


class TargetRecord:
    """Counts of one node, or of one shard of it (shard -1 where the engine cannot tell); lost: connections to it."""

    __slots__ = ("address", "failed", "issued", "lost", "node", "ok", "shard")

    def __init__(self, node: str, address: str, shard: int = -1) -> None:
        self.node, self.address, self.shard = node, address, shard
        self.issued = self.ok = self.failed = self.lost = 0


class Recorder:
    """See the module's text. All times are time.monotonic_ns() values of this process."""

    def __init__(self, kinds: Sequence[Kind], start_ns: int = 0) -> None:
        self.kinds = [KindRecord(kind) for kind in kinds]
        self.targets: list[TargetRecord] = []
        self.start_ns = start_ns
        self.due = self.issued = self.skipped = self.retries = 0
        self.bytes_out = self.bytes_in = 0
        self.spin_ns = 0
        #: engine-specific figures for the verdict, such as sends, empty polls; numbers only, totals of the phase
        self.gauges: dict[str, float] = {}
        self.errors: dict[str, int] = {}
        self.attempt_errors: dict[str, int] = {}
        self.examples: dict[str, list[dict[str, Any]]] = {}
        #: writes that did not end well: they may or may not exist
        self.unacknowledged = Ranges()
        #: whether the row that an operation reads may be absent without fault, by the operation's number
        self.may_be_missing: Callable[[int], bool] = lambda number: False
        #: all operations below this position in the order of issue have ended (0: not known)
        self.settled = 0
        self._spare: list[list[int]] = []

    @property
    def finished(self) -> int:
        """Operations that ended: ok, failed or unknown."""
        return sum(kind.ok + kind.failed + kind.unknown for kind in self.kinds)

    def issue(self) -> None:
        """An operation was sent for the first time."""
        self.due += 1
        self.issued += 1

    def succeed(self, kind: int, due_ns: int, sent_ns: int, done_ns: int, rows: int = 0) -> None:
        """An operation ended well; `sent_ns` is its first sending."""
        record = self.kinds[kind]
        record.ok += 1
        record.rows += rows
        if record.returns and not rows:
            record.empty += 1
        self._time(record, due_ns, sent_ns, done_ns)

    def condition(self, kind: int, applied: bool) -> str:
        """A conditional write was answered; gives the error class where that is one, else ""."""
        record = self.kinds[kind]
        if applied:
            record.applied += 1
            return ""
        record.not_applied += 1
        return NOT_APPLIED if record.must_apply else ""

    def page(self, kind: int, took_ns: int) -> None:
        """A page of an answer has come; `took_ns` since it was asked for."""
        record = self.kinds[kind]
        record.pages += 1
        record.page_ns += took_ns
        record.page_max_ns = max(record.page_max_ns, took_ns)

    def fail(
        self,
        kind: int,
        number: int,
        error_class: str,
        due_ns: int,
        sent_ns: int,
        done_ns: int,
        *,
        text: str = "",
        node: str = "",
        outcome: str | None = None,
    ) -> None:
        """An operation ended in an error, final after all its attempts; its latency counts like any other's.

        A missing row that an earlier run left unacknowledged is no error: the read ended well and found nothing.
        """
        record = self.kinds[kind]
        if error_class == MISSING and self.may_be_missing(number):
            self.succeed(kind, due_ns, sent_ns, done_ns)
            return
        if (outcome or outcome_of(error_class, writes=record.writes)) == UNKNOWN:
            record.unknown += 1
        else:
            record.failed += 1
        if record.writes:
            self.unacknowledged.add(number, number + 1)
        self.errors[error_class] = self.errors.get(error_class, 0) + 1
        self.note_example(error_class, done_ns, number, text, node)
        self._time(record, due_ns, sent_ns, done_ns)

    def leave(self, kind: int, number: int) -> None:
        """An operation stays in flight at the end of the phase: if it writes, its row may or may not exist."""
        if self.kinds[kind].writes:
            self.unacknowledged.add(number, number + 1)

    def attempt_failed(self, error_class: str) -> None:
        """One attempt ended in an error, whatever becomes of its operation."""
        self.attempt_errors[error_class] = self.attempt_errors.get(error_class, 0) + 1

    def note_example(self, error_class: str, now_ns: int, number: int, text: str, node: str) -> None:
        """Keeps the first few errors of each class, with time and node."""
        examples = self.examples.setdefault(error_class, [])
        if len(examples) < EXAMPLES_PER_CLASS:
            t_s = round((now_ns - self.start_ns) / 1e9, 3)
            examples.append({"t_s": t_s, "operation": number, "node": node, "text": text[:TEXT_LIMIT]})

    def _time(self, record: KindRecord, due_ns: int, sent_ns: int, done_ns: int) -> None:
        service = index_of(done_ns - sent_ns)
        record.service[service] += 1
        if due_ns == sent_ns:  # closed load: no wait, so that the response is the service
            record.wait[0] += 1
            record.response[service] += 1
        else:
            record.wait[index_of(sent_ns - due_ns)] += 1
            record.response[index_of(done_ns - due_ns)] += 1

    def take(self) -> dict[str, Any]:
        """The phase's counts so far and the interval's histograms, which begin anew; JSON-able after `encoding`."""
        kinds: dict[str, Any] = {}
        for kind in self.kinds:
            taken = kinds[kind.name] = {OK: kind.ok, "failed": kind.failed, "unknown": kind.unknown, "rows": kind.rows}
            if kind.returns:
                taken.update(empty=kind.empty, pages=kind.pages, page_ns=kind.page_ns, page_max_ns=kind.page_max_ns)
            if kind.conditional:
                taken.update(applied=kind.applied, not_applied=kind.not_applied)
            idle = kind.taken == (ended := kind.ok + kind.failed + kind.unknown)
            kind.taken = ended
            for latency in LATENCIES:
                taken[latency] = _EMPTY_TEXT if idle else getattr(kind, latency)
                if not idle:
                    setattr(kind, latency, self._spare.pop() if self._spare else new_counts())
        return {
            "kinds": kinds,
            "due": self.due,
            "issued": self.issued,
            "skipped": self.skipped,
            "retries": self.retries,
            "settled": self.settled,
            "bytes_out": self.bytes_out,
            "bytes_in": self.bytes_in,
            "spin_s": self.spin_ns / 1e9,
            "gauges": dict(self.gauges),
            "errors": dict(self.errors),
            "attempt_errors": dict(self.attempt_errors),
            "examples": self.examples,
            "unacknowledged": self.unacknowledged.pairs(),
            "unacknowledged_overflow": self.unacknowledged.overflow,
            "targets": [[t.node, t.address, t.shard, t.issued, t.ok, t.failed, t.lost] for t in self.targets],
        }

    def encoding(self, taken: dict[str, Any]) -> Iterator[None]:
        """Makes texts of the histograms that `take` gave, one at each step: each takes up to a millisecond.

        They are used again: new ones each second would have PyPy collect its old objects every few seconds, and stand
        still for 15 ms.
        """
        for kind in taken["kinds"].values():
            for latency in LATENCIES:
                if isinstance(kind[latency], str):
                    continue
                counts = kind[latency]
                kind[latency] = encode(counts)
                counts[:] = _EMPTY
                self._spare.append(counts)
                yield

"""The books of a phase, kept by several threads.

The driver answers on its event loop's thread, and a blocking call needs a thread of its own, while the main thread must
go on polling the control. One lock guards numbers and recorder; it is almost never contended and costs 0.1 us.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from cassandra.query import UNSET_VALUE

from cqlsurge.load.engines.contract import Work
from cqlsurge.load.engines.due_numbers import DueNumbers
from cqlsurge.load.engines.requests import Requests
from cqlsurge.load.engines.scylla_driver.errors import class_of, never_sent, node_of
from cqlsurge.load.engines.scylla_driver.values import bind_of, cell_of
from cqlsurge.load.outcomes.classes import outcome_of


class Operation:
    """An operation that was sent; `open` until it has ended."""

    __slots__ = ("due_ns", "kind", "number", "open", "sent_ns")

    def __init__(self, number: int, kind: int, due_ns: int, sent_ns: int) -> None:
        self.number, self.kind, self.due_ns, self.sent_ns = number, kind, due_ns, sent_ns
        self.open = True


class Ledger:
    """What is in flight and what became of the rest. Hold `lock` around everything here.

    retries: whether the driver's policy may have sent a failed request again, and so more than once.
    """

    def __init__(self, work: Work, *, retries: bool) -> None:
        # Re-entrant: the driver may call back in the middle of a send.
        self.lock = threading.RLock()
        self.due_numbers = DueNumbers(work)
        self.requests = Requests(work, UNSET_VALUE, bind_of, cell_of)
        self.recorder = work.recorder
        self.in_flight = 0
        self._open: set[Operation] = set()
        #: operations that were taken and are about to be sent
        self.claimed = 0
        #: set when the phase is over: what is answered later is left as in flight
        self.closed = False
        #: an error of our own on another thread, for the main thread to raise
        self.bug: BaseException | None = None
        self.woken = threading.Event()
        self._kinds = work.workload.kinds
        self._retries = retries

    def send(self, number: int, kind: int, due_ns: int, sent_ns: int) -> Operation:
        """An operation is about to be sent."""
        self.recorder.issue()
        self.in_flight += 1
        operation = Operation(number, kind, due_ns, sent_ns)
        self._open.add(operation)
        return operation

    def succeed(self, operation: Operation, done_ns: int, rows: Any) -> None:
        """The operation was answered; `rows` is None where the answer has none."""
        if not self._end(operation):
            return
        found = [] if rows is None else rows
        fault = self.requests.unfulfilled(operation.kind, found) or self.requests.fault(operation.number, found)
        if fault is None:
            self.recorder.succeed(operation.kind, operation.due_ns, operation.sent_ns, done_ns, len(found))
        else:
            self.recorder.kinds[operation.kind].rows += len(found)
            self._fail(operation, done_ns, *fault)

    def fail(self, operation: Operation, done_ns: int, error: BaseException) -> None:
        """The driver gave up on the operation."""
        if self._end(operation):
            sent = self._retries or not never_sent(error)
            self._fail(operation, done_ns, class_of(error), str(error), node_of(error), sent=sent)

    def expire(self, operation: Operation, done_ns: int, error_class: str) -> None:
        """We give up on the operation; a late answer is no longer its own."""
        if self._end(operation):
            self._fail(operation, done_ns, error_class, "no answer within the request timeout")

    def over(self, now_ns: int) -> bool:
        """Whether the phase has come to its end."""
        control = self.due_numbers.control
        return self.due_numbers.ended and (not self.in_flight + self.claimed or now_ns >= control.drain_until_ns)

    def close(self) -> None:
        """Ends the books: nothing is counted any more."""
        self.closed = True
        for operation in self._open:
            self.recorder.leave(operation.kind, operation.number)
        self.due_numbers.close(time.monotonic_ns())

    def _end(self, operation: Operation) -> bool:
        if self.closed or not operation.open:
            return False
        operation.open = False
        self._open.discard(operation)
        self.in_flight -= 1
        return True

    def _fail(
        self, operation: Operation, done_ns: int, error_class: str, text: str, node: str = "", *, sent: bool = True
    ) -> None:
        recorder = self.recorder
        outcome = outcome_of(error_class, writes=self._kinds[operation.kind].writes, sent=sent)
        recorder.attempt_failed(error_class)
        recorder.fail(
            operation.kind,
            operation.number,
            error_class,
            operation.due_ns,
            operation.sent_ns,
            done_ns,
            text=text,
            node=node,
            outcome=outcome,
        )

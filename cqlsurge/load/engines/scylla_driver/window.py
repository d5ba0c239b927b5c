"""Technique `window`: as many requests in flight as there are places; each answer sends the next one.

Answers are taken on the driver's event loop thread, which also sends the next request: no hand-over between threads.
The main thread fills the window at first, polls the control, and sends what becomes due in between. Timeouts are found
by one sweep over the operations in order of sending; the driver's timers cost two objects an operation. Technique
`window-default` is the same on a session that has its timers, retries and all else as the driver comes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from cqlsurge.load.engines.contract import Work
from cqlsurge.load.engines.scylla_driver.errors import is_busy
from cqlsurge.load.engines.scylla_driver.ledger import Ledger, Operation
from cqlsurge.load.outcomes.classes import CLIENT_TIMEOUT

SWEEP_NS = 100_000_000


class Pages:
    """What has been read of an answer that comes by the page, and when its last page was asked for."""

    def __init__(self, asked_ns: int) -> None:
        self.rows: list[Any] = []
        self.pages = 0
        self.asked_ns = asked_ns


class Window:
    """One phase. `session` and `statements` (one a kind) are the driver's; retries: as in Ledger."""

    def __init__(self, work: Work, session: Any, statements: Sequence[Any], timeout_ns: int, *, retries: bool) -> None:
        self._ledger = Ledger(work, retries=retries)
        self._execute = session.execute_async
        self._statements = statements
        self._kinds = work.workload.kinds
        self._paged = [kind.pages != 1 for kind in self._kinds]
        self._places = work.concurrency
        self._timeout_ns = timeout_ns
        #: in order of sending, until they have ended or their time is over
        self._sent: deque[Operation] = deque()
        #: those that the sockets did not take yet
        self._busy: deque[Operation] = deque()
        self._sweep_ns = work.start_ns
        self._paced = work.pacer is not None
        self._filling = self._stalled = False

    def run(self) -> None:
        """Carries the phase to its end on the main thread."""
        ledger = self._ledger
        while True:
            with ledger.lock:
                now_ns = time.monotonic_ns()
                ledger.due_numbers.tick(now_ns)
                self._sweep(now_ns)
                self._fill()
                if ledger.bug is not None or ledger.over(now_ns):
                    ledger.close()
                    break
                ledger.woken.clear()
                wake_ns = self._wake_ns()
            ledger.woken.wait(max(0, wake_ns - time.monotonic_ns()) / 1e9)
        if ledger.bug is not None:
            raise ledger.bug

    def _wake_ns(self) -> int:
        due_numbers = self._ledger.due_numbers
        full = self._ledger.in_flight >= self._places
        return due_numbers.control.next_ns if full or self._stalled or due_numbers.ended else due_numbers.next_ns()

    def _fill(self) -> None:
        """Sends until all places are taken or nothing is due."""
        if self._filling:
            return  # the driver has answered in the middle of a send: the loop below goes on
        ledger, busy = self._ledger, self._busy
        self._filling, self._stalled = True, False
        try:
            while not self._stalled and (busy or ledger.in_flight < self._places):
                if busy:
                    operation = busy.popleft()
                    if operation.open:
                        self._send(operation, ledger.requests.bind(operation.number)[1])
                elif not self._send_next():
                    break
        finally:
            self._filling = False

    def _send_next(self) -> bool:
        ledger = self._ledger
        taken = ledger.due_numbers.take(time.monotonic_ns())
        if taken is None:
            return False
        number, due_ns = taken
        kind, values = ledger.requests.bind(number)
        sent_ns = time.monotonic_ns()
        operation = ledger.send(number, kind, due_ns if self._paced else sent_ns, sent_ns)
        self._sent.append(operation)
        self._send(operation, values)
        return True

    def _send(self, operation: Operation, values: list[Any]) -> None:
        future = self._execute(self._statements[operation.kind], values)
        if self._paged[operation.kind]:
            read = Pages(operation.sent_ns)
            future.add_callbacks(self._page, self._failed, (operation, future, read), None, (operation,))
        else:
            future.add_callbacks(self._answered, self._failed, (operation,), None, (operation,))

    def _page(self, rows: Any, operation: Operation, future: Any, read: Pages) -> None:
        """A page of an answer: the next one is asked for, until there is no other or enough have been read."""
        now_ns, ledger = time.monotonic_ns(), self._ledger
        with ledger.lock:
            if ledger.closed or not operation.open:
                return
            read.rows += rows or []
            read.pages += 1
            ledger.recorder.page(operation.kind, now_ns - read.asked_ns)
            read.asked_ns = now_ns
            wanted = self._kinds[operation.kind].pages
            more = future.has_more_pages and (not wanted or read.pages < wanted)
        if more:
            future.start_fetching_next_page()
        else:
            self._ended(operation, read.rows, None)

    def _answered(self, rows: Any, operation: Operation) -> None:
        self._ended(operation, rows, None)

    def _failed(self, error: BaseException, operation: Operation) -> None:
        self._ended(operation, None, error)

    def _ended(self, operation: Operation, rows: Any, error: BaseException | None) -> None:
        """On the event loop's thread, or on the sending one when the driver knew the answer at once."""
        done_ns = time.monotonic_ns()
        ledger = self._ledger
        with ledger.lock:
            if ledger.closed:
                return
            try:
                if error is None:
                    ledger.succeed(operation, done_ns, rows)
                elif is_busy(error):
                    self._busy.append(operation)
                    self._stalled = True
                else:
                    ledger.fail(operation, done_ns, error)
                    # No node takes requests just now: what is left waits for the next tick rather than fail at once.
                    self._stalled = self._stalled or self._filling
                self._fill()
                if not ledger.in_flight and ledger.due_numbers.ended:
                    ledger.woken.set()
            except Exception as bug:  # the driver would swallow it
                ledger.bug = bug
                ledger.woken.set()

    def _sweep(self, now_ns: int) -> None:
        if now_ns < self._sweep_ns:
            return
        self._sweep_ns = now_ns + SWEEP_NS
        sent, oldest_ns = self._sent, now_ns - self._timeout_ns
        while sent and (not sent[0].open or sent[0].sent_ns <= oldest_ns):
            operation = sent.popleft()
            self._ledger.expire(operation, operation.sent_ns + self._timeout_ns, CLIENT_TIMEOUT)

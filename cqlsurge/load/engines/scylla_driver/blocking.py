"""Techniques `batch` and `sync`: calls that block, made on a thread of their own while the main thread polls.

`batch` sends as many requests as there are places with execute_concurrent_with_args, and the next ones when all of them
are answered; `sync` calls session.execute for one after the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cassandra.concurrent import execute_concurrent, execute_concurrent_with_args

from cqlsurge.load.engines.contract import EngineError, Work
from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.scylla_driver.ledger import Ledger, Operation
from cqlsurge.load.engines.source import Source
from cqlsurge.load.workload.model import Workload

Step = Callable[[], bool]

TIMED = 2000


def run_sync(work: Work, session: Any, statements: Sequence[Any]) -> None:
    """One phase of technique `sync`."""
    if work.concurrency > 1:
        raise EngineError(
            f"technique sync has one operation in flight, not {work.concurrency}; "
            "leave --concurrency at 1 or take --technique window"
        )
    ledger = Ledger(work, retries=False)
    paced = work.pacer is not None

    def step() -> bool:
        with ledger.lock:
            taken = None if ledger.closed else ledger.due_numbers.take(time.monotonic_ns())
            if taken is None:
                return False
            kind, values = ledger.requests.bind(taken[0])
            sent_ns = time.monotonic_ns()
            operation = ledger.send(taken[0], kind, taken[1] if paced else sent_ns, sent_ns)
        try:
            rows = session.execute(statements[kind], values).current_rows
        except Exception as error:
            with ledger.lock:
                ledger.fail(operation, time.monotonic_ns(), error)
        else:
            with ledger.lock:
                ledger.succeed(operation, time.monotonic_ns(), rows)
        return True

    supervise(ledger, step)


def run_batch(work: Work, session: Any, statements: Sequence[Any]) -> None:
    """One phase of technique `batch`."""
    if work.pacer is not None:
        raise EngineError("technique batch cannot keep to a rate, since each batch waits for its last answer; "
                          "take --technique window")  # fmt: skip
    ledger = Ledger(work, retries=True)

    def step() -> bool:
        with ledger.lock:
            batch = [] if ledger.closed else take_batch(ledger, work.concurrency)
            ledger.claimed = len(batch)
        if batch:
            numbered = [(number, kind) for number, kind, _values in batch]
            execute(TimedSession(session, ledger, iter(numbered)), statements, batch)
        return bool(batch)

    supervise(ledger, step)


Bound = tuple[int, int, list[Any]]


def take_batch(ledger: Ledger, size: int) -> list[Bound]:
    """The next operations, bound: (number, kind, values)."""
    batch = []
    for _ in range(size):
        taken = ledger.due_numbers.take(time.monotonic_ns())
        if taken is None:
            break
        batch.append((taken[0], *ledger.requests.bind(taken[0])))
    return batch


def execute(session: TimedSession, statements: Sequence[Any], batch: list[Bound]) -> None:
    """Sends a batch and waits for the last of its answers. What failed has been counted: nothing is raised for it."""
    size, kinds = len(batch), {kind for _number, kind, _values in batch}
    if len(kinds) == 1:
        arguments = [values for _number, _kind, values in batch]
        execute_concurrent_with_args(
            session, statements[kinds.pop()], arguments, concurrency=size, raise_on_first_error=False
        )
    else:
        pairs = [(statements[kind], values) for _number, kind, values in batch]
        execute_concurrent(session, pairs, concurrency=size, raise_on_first_error=False)


class TimedSession:
    """Stands before a session for execute_concurrent: notes when each request goes out and when its answer is there."""

    def __init__(self, session: Any, ledger: Ledger, numbered: Iterator[tuple[int, int]]) -> None:
        self._execute = session.execute_async
        self._ledger = ledger
        self._numbered = numbered

    def execute_async(self, statement: Any, values: Any, **settings: Any) -> Any:
        """As the session's own; requests come in the order of the batch."""
        ledger = self._ledger
        number, kind = next(self._numbered)
        with ledger.lock:
            sent_ns = time.monotonic_ns()
            operation = ledger.send(number, kind, sent_ns, sent_ns)
            ledger.claimed -= 1
        future = self._execute(statement, values, **settings)
        future.add_callbacks(self._answered, self._failed, (operation,), None, (operation,))
        return future

    def _answered(self, rows: Any, operation: Operation) -> None:
        done_ns = time.monotonic_ns()
        with self._ledger.lock:
            self._ledger.succeed(operation, done_ns, rows)

    def _failed(self, error: BaseException, operation: Operation) -> None:
        done_ns = time.monotonic_ns()
        with self._ledger.lock:
            self._ledger.fail(operation, done_ns, error)


class Silent:
    """A session, future and channel that does nothing: what is left is the cost of the timing."""

    def execute_async(self, *_: Any, **__: Any) -> Silent:
        return self

    def add_callbacks(self, answered: Any, failed: Any, arguments: Any, keywords: Any, error_arguments: Any) -> None:
        answered(None, *arguments)

    def send(self, message: dict[str, Any]) -> None:
        """As a channel: nobody listens."""

    def receive(self) -> list[dict[str, Any]]:
        return []


def timing_cost_us(workload: Workload) -> float:
    """CPU that TimedSession spends on an operation, in microseconds."""
    silent, source, recorder = Silent(), Source(), Recorder(workload.kinds)
    work = Work(workload, source, recorder, Control(silent, recorder, source), concurrency=1, start_ns=0)
    timed = TimedSession(silent, Ledger(work, retries=True), ((number, 0) for number in range(TIMED)))
    began_s = time.thread_time()
    for _ in range(TIMED):
        timed.execute_async(None, None)
    return (time.thread_time() - began_s) * 1e6 / TIMED


def supervise(ledger: Ledger, step: Step) -> None:
    """Repeats `step` on another thread until the phase is over; a call that never returns is left behind.

    A step is false when it found nothing to do.
    """
    worker = threading.Thread(target=repeat, args=(ledger, step), daemon=True)
    worker.start()
    while True:
        with ledger.lock:
            now_ns = time.monotonic_ns()
            ledger.due_numbers.tick(now_ns)
            if ledger.bug is not None or ledger.over(now_ns):
                ledger.close()
                break
            wait_ns = ledger.due_numbers.control.next_ns - now_ns
        ledger.woken.wait(wait_ns / 1e9)
    if ledger.bug is not None:
        raise ledger.bug


def repeat(ledger: Ledger, step: Step) -> None:
    """The other thread."""
    try:
        while not ledger.closed:
            if not step():
                with ledger.lock:
                    if ledger.due_numbers.ended:
                        break
                    pause_ns = ledger.due_numbers.next_ns() - time.monotonic_ns()
                time.sleep(max(0, pause_ns) / 1e9)
    except Exception as bug:
        ledger.bug = bug
    ledger.woken.set()

"""The load loop of engines under asyncio: as many coroutines as there are places, each with one operation at a time.

Everything runs on one thread. One more coroutine polls the control, and wakes those that wait for something to do.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import Any, Callable, NamedTuple, Optional

from cqlsurge.load.engines.contract import Engine, Setup, Work
from cqlsurge.load.engines.due_numbers import SPIN_NS, DueNumbers
from cqlsurge.load.engines.requests import Requests
from cqlsurge.load.outcomes.classes import outcome_of

REQUEST_TIMEOUT_S = 10.0

# After a request that no node could take, its place waits so long before it takes the next operation.
REST_S = 0.02

Rows = Sequence[Sequence[Any]]
Execute = Callable[[int, "list[Any]"], Awaitable[Rows]]


class Fault(NamedTuple):
    """What a driver's exception means: its class, and whether the request may have reached a node."""

    error_class: str
    sent: bool = True


Classify = Callable[[BaseException], Optional[Fault]]


class Phase:
    """One phase. `execute` sends an operation of a kind with its values; `classify` knows the driver's exceptions.

    An exception that `classify` gives None for is a bug and ends the run.
    """

    def __init__(self, work: Work, execute: Execute, classify: Classify) -> None:
        self._intake = DueNumbers(work)
        self._requests = Requests(work)
        self._recorder, self._kinds = work.recorder, work.workload.kinds
        self._places, self._paced, self._spin = work.concurrency, work.pacer is not None, work.spin
        self._execute, self._classify = execute, classify
        self._idle: deque[asyncio.Future[tuple[int, int]]] = deque()
        # Operations that are in flight, or handed to a place that is about to send them.
        self._in_flight = 0
        self._bug: BaseException | None = None
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Carries the phase to its end."""
        workers = [asyncio.ensure_future(self._work()) for _ in range(self._places)]
        try:
            await self._steer()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        self._intake.close(time.monotonic_ns())
        if self._bug is not None:
            raise self._bug

    async def _steer(self) -> None:
        due_numbers, control = self._intake, self._intake.control
        while self._bug is None:
            now_ns = time.monotonic_ns()
            due_numbers.tick(now_ns)
            while self._idle and not due_numbers.ended:
                taken = due_numbers.take(now_ns)
                if taken is None:
                    break
                self._in_flight += 1
                self._idle.popleft().set_result(taken)
            if due_numbers.ended and (not self._in_flight or now_ns >= control.drain_until_ns):
                return
            await self._pause(min(control.next_ns, due_numbers.next_ns() if self._idle else control.next_ns))

    async def _pause(self, until_ns: int) -> None:
        """Waits until then or until woken; a time that is near is spun away, since the event loop rounds up to 1 ms."""
        began_ns = time.monotonic_ns()
        if self._spin and until_ns < self._intake.control.next_ns and until_ns - began_ns < SPIN_NS:
            before = self._recorder.issued - self._in_flight
            await asyncio.sleep(0)
            if before == self._recorder.issued - self._in_flight:
                self._recorder.spin_ns += time.monotonic_ns() - began_ns
            return
        self._woken.clear()
        timer = asyncio.get_running_loop().call_later(max(0, until_ns - began_ns) / 1e9, self._woken.set)
        await self._woken.wait()
        timer.cancel()

    async def _work(self) -> None:
        due_numbers = self._intake
        try:
            while not due_numbers.ended:
                taken = due_numbers.take(time.monotonic_ns())
                if taken is None:
                    taken = await self._next()
                else:
                    self._in_flight += 1
                await self._operate(*taken)
        except Exception as bug:
            self._bug = bug
        if self._bug is not None or (due_numbers.ended and not self._in_flight):
            self._woken.set()

    async def _next(self) -> tuple[int, int]:
        """The operation that `_steer` hands out, and counts as in flight; never comes when there are no more."""
        place: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self._idle.append(place)
        return await place

    async def _operate(self, number: int, due_ns: int) -> None:
        recorder = self._recorder
        kind, values = self._requests.bind(number)
        sent_ns = time.monotonic_ns()
        if not self._paced:
            due_ns = sent_ns
        recorder.issue()
        try:
            rows = await self._execute(kind, values)
        except asyncio.CancelledError:
            recorder.leave(kind, number)
            raise
        except Exception as error:
            done_ns = time.monotonic_ns()
            meaning = self._classify(error)
            if meaning is None:
                raise
            self._in_flight -= 1
            self._fail(number, kind, meaning, (due_ns, sent_ns, done_ns), str(error))
            if not meaning.sent:
                await asyncio.sleep(REST_S)
            return
        done_ns = time.monotonic_ns()
        self._in_flight -= 1
        fault = self._requests.unfulfilled(kind, rows) or self._requests.fault(number, rows)
        if fault is None:
            recorder.succeed(kind, due_ns, sent_ns, done_ns, len(rows))
        else:
            recorder.kinds[kind].rows += len(rows)
            self._fail(number, kind, Fault(fault[0]), (due_ns, sent_ns, done_ns), fault[1])

    def _fail(self, number: int, kind: int, fault: Fault, times_ns: tuple[int, int, int], text: str) -> None:
        outcome = outcome_of(fault.error_class, writes=self._kinds[kind].writes, sent=fault.sent)
        self._recorder.attempt_failed(fault.error_class)
        self._recorder.fail(kind, number, fault.error_class, *times_ns, text=text, outcome=outcome)


class CoroutineEngine(Engine):
    """Base of engines whose driver runs under asyncio. Options: request_timeout_s (10)."""

    def __init__(self, setup: Setup, classify: Classify) -> None:
        super().__init__(setup)
        self._classify = classify
        self._timeout_s = float(setup.options.get("request_timeout_s") or REQUEST_TIMEOUT_S)
        self._loop = asyncio.new_event_loop()
        self._session: Any = None
        self._prepared: list[Any] = []

    async def _execute(self, kind: int, values: list[Any]) -> Rows:
        """Sends an operation of a kind and gives its rows."""
        raise AssertionError("an engine must execute")

    def run(self, work: Work) -> None:
        """See Engine."""
        self._loop.run_until_complete(self._phase(work))

    async def _phase(self, work: Work) -> None:
        await Phase(work, self._execute, self._classify).run()

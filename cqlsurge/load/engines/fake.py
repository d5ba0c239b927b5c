"""An engine without a database: operations take a known time and end as told. For tests and to measure our own cost."""

from __future__ import annotations

import math
import os
import time
from heapq import heappop, heappush
from typing import Any

from cqlsurge.load.engines.contract import Engine, EngineError, Work
from cqlsurge.load.engines.due_numbers import DueNumbers
from cqlsurge.load.outcomes.classes import OVERLOADED
from cqlsurge.load.workload.mixing import mix64, native, stream, unsigned

TABLE_SIZE = 1 << 12
EXIT_CODE = 3


class FakeEngine(Engine):
    """Options, all of them optional:

    service_ns: median service time (0); sigma: spread of its logarithm, 0 for one fixed time (0); fail_share: share of
    the operations that fail (0), with the class fail_class (overloaded); hang_at, exit_at, raise_at: number of the
    operation at which this process hangs for good, exits with code 3, or raises RuntimeError; refuse: text of the
    EngineError that `open` raises. All depends on seed and number alone.
    """

    name = "fake"

    def open(self) -> dict[str, Any]:
        """See Engine."""
        options = self.setup.options
        if options.get("refuse"):
            raise EngineError(str(options["refuse"]))
        seed = self.setup.seed
        self._services = services(seed, int(options.get("service_ns", 0)), float(options.get("sigma", 0)))
        self._service_stream = native(stream(seed, "fake service"))
        self._fail_stream = native(stream(seed, "fake failure"))
        self._fail_below = int(float(options.get("fail_share", 0)) * (1 << 32))
        self._fail_class = str(options.get("fail_class", OVERLOADED))
        self._faults = {options.get(name): name for name in ("hang_at", "exit_at", "raise_at")}
        return {"connections": 0, "compression": None, "driver": "fake", "notes": []}

    def run(self, work: Work) -> None:
        """See Engine. Times are recorded as asked for, however late this process notices that they have passed."""
        due_numbers = DueNumbers(work)
        control, recorder, locate = work.control, work.recorder, work.workload.locate
        flying: list[tuple[int, int, int, int, int]] = []
        while True:
            now_ns = time.monotonic_ns()
            due_numbers.tick(now_ns)
            while flying and flying[0][0] <= now_ns:
                self._finish(work, *heappop(flying))
            while len(flying) < work.concurrency:
                taken = due_numbers.take(now_ns)
                if taken is None:
                    break
                number, due_ns = taken
                if number in self._faults:
                    fault(self._faults[number], number)
                recorder.issue()
                service_ns = self._services[unsigned(mix64(self._service_stream, number)) % TABLE_SIZE]
                heappush(flying, (now_ns + service_ns, number, locate(number)[0], due_ns, now_ns))
            if due_numbers.ended and (not flying or now_ns >= control.drain_until_ns):
                break
            full = len(flying) >= work.concurrency
            wake_ns = control.next_ns if full or due_numbers.ended else due_numbers.next_ns()
            if not flying or flying[0][0] > now_ns:
                due_numbers.pause(min(wake_ns, flying[0][0]) if flying else wake_ns)
        for _, number, kind, _, _ in flying:
            recorder.leave(kind, number)
        due_numbers.close(time.monotonic_ns())

    def close(self) -> None:
        """Nothing to let go."""

    def _finish(self, work: Work, done_ns: int, number: int, kind: int, due_ns: int, sent_ns: int) -> None:
        recorder = work.recorder
        if unsigned(mix64(self._fail_stream, number)) >> 32 < self._fail_below:
            recorder.attempt_failed(self._fail_class)
            recorder.fail(kind, number, self._fail_class, due_ns, sent_ns, done_ns, text="told to fail", node="fake")
        else:
            rows = work.workload.kinds[kind].rows_expected or 0
            recorder.succeed(kind, due_ns, sent_ns, done_ns, rows)


def services(seed: int, median_ns: int, sigma: float) -> list[int]:
    """TABLE_SIZE service times: all the median, or lognormal around it (Box and Muller's transform)."""
    start = native(stream(seed, "fake lognormal"))
    times = []
    for index in range(TABLE_SIZE):
        first = ((unsigned(mix64(start, 2 * index)) >> 11) + 1) / (1 << 53)
        second = (unsigned(mix64(start, 2 * index + 1)) >> 11) / (1 << 53)
        normal = math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)
        times.append(round(median_ns * math.exp(sigma * normal)))
    return times


def fault(name: str, number: int) -> None:
    """What a test asked to go wrong in this process."""
    if name == "exit_at":
        os._exit(EXIT_CODE)
    if name == "raise_at":
        raise RuntimeError(f"told to raise at operation {number}")
    while True:
        time.sleep(3600)

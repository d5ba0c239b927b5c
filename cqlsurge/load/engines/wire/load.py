"""What one phase of load keeps while it runs: the hot loop loads these into local names and writes them back."""

from __future__ import annotations

import select
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from cqlsurge.load.engines.schedule import Schedule
from cqlsurge.load.engines.wire.connection import MAX_KINDS
from cqlsurge.load.engines.wire.receive_stamps import ReceiveDelays
from cqlsurge.load.engines.wire.verify import Checker
from cqlsurge.load.outcomes.classes import CLIENT_TIMEOUT
from cqlsurge.load.outcomes.policy import BACKOFF, RETRY, Limit

if TYPE_CHECKING:
    from cqlsurge.load.engines.contract import Work
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.plan import Plan
    from cqlsurge.load.engines.wire.pool import Pool
    from cqlsurge.load.engines.wire.retries import Attempt, Retries
    from cqlsurge.load.engines.wire.router import Router

#: the times of the last so many flushes are known by their number; the sweep takes care of slots that are older
RING = 1 << 17
RING_MASK = RING - 1

EPOLL = hasattr(select, "epoll")

clock = time.monotonic_ns


class Load:
    """One phase. `begun` operations were issued, `ended` of them are over; the rest take up places.

    `dues` holds due times from position `at` on: of a schedule with a rate, else one for each place that became free.
    `number` to `past` are the operation numbers at hand.
    """

    def __init__(
        self, work: Work, plan: Plan, pool: Pool, retries: Retries, timeout_ns: int, flush_bytes: int = 65536
    ) -> None:
        self.work, self.recorder, self.control = work, work.recorder, work.control
        self.pool, self.plan, self.retries = pool, plan, retries
        self.kinds = work.workload.kinds
        if len(self.kinds) > MAX_KINDS:
            raise ValueError(f"a workload of {len(self.kinds)} kinds; the most is {MAX_KINDS}")
        self.timeout_ns, self.flush_bytes = timeout_ns, flush_bytes
        #: whether each attempt of an operation has the request timeout to itself, or all share it
        self.timeout_each = retries.policies.get(CLIENT_TIMEOUT) in (RETRY, BACKOFF)
        self.concurrency = work.concurrency
        self.limit = Limit(work.concurrency)
        self.begun = self.ended = 0
        self.dues: list[int] = []
        self.at = 0
        self.closed = work.pacer is None
        self.number = self.past = 0
        #: (first number, position in the order of issue) of each block taken
        self.blocks: list[tuple[int, int]] = []
        self.parked: deque[Attempt] = deque()
        self.spread = [1 if kind.serial_consistency else 0 for kind in self.kinds]
        self.oks = [0] * len(self.kinds)
        self.rows = [0] * len(self.kinds)
        self.returns = [bool(kind.returns) for kind in self.kinds]
        self.checker = Checker(plan, self.rows, work.verify_share)
        self.late_replies = self.slow_answers = self.skipped = 0
        #: what was due and not issued when told to stop
        self.left = 0
        self.receive_delays = ReceiveDelays()
        self.wakes = self.empty_wakes = self.sends = self.sent_operations = 0
        self.lag_max_ns = self.spin_until_ns = 0
        self.stopping = False
        self.spin = work.spin
        self.schedule = None if work.pacer is None else Schedule(work.pacer, work.start_ns, work.max_backlog)
        self.tick_ns = self.sweep_ns = 0
        self.swept_seq = pool.seq
        self.dirty: list[Connection] = []
        self.route(pool.router)
        self.fetch_histograms()

    def route(self, router: Router) -> None:
        """Takes up a new router."""
        self.router = router
        self.step = self.plan.step_anywhere if router.only is not None else self.plan.step

    def due_by(self, now: int) -> int:
        """Up to when operations count as due: what would be due at the end of the phase or later is not."""
        return min(now, self.control.issue_until_ns - 1)

    @property
    def in_flight(self) -> int:
        """Operations that were issued and have not ended, without those that wait for another attempt."""
        return self.begun - self.ended - len(self.retries.heap)

    def end(self, now: int) -> None:
        """An operation is over; in a closed load the next one is due at once."""
        self.ended += 1
        if self.closed:
            self.dues.append(now)

    def fetch_histograms(self) -> None:
        """The recorder's lists of this interval; to be called after each control poll."""
        records = self.recorder.kinds
        self.waits = [record.wait for record in records]
        self.services = [record.service for record in records]
        self.responses = [record.response for record in records]


def new_poller() -> Any:
    """epoll where there is one, else poll, with the same masks and milliseconds in `wait_ms`."""
    return select.epoll() if EPOLL else select.poll()

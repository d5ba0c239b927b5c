"""The hot loop with numpy: as `loop`, but what is due is issued in blocks, and answers are taken in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.load.engines.wire import loop
from cqlsurge.load.engines.wire.issue_numpy import Issuer
from cqlsurge.load.engines.wire.latencies_numpy import MANY
from cqlsurge.load.engines.wire.load import clock
from cqlsurge.load.engines.wire.receive_numpy import Receiver

if TYPE_CHECKING:
    from cqlsurge.load.compiled.clock import Clock
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.engines.wire.plan_numpy import BlockPlan


class Turner:
    """One phase's loop."""

    def __init__(self, load: Load, plan: BlockPlan, inbox: Any, stamps: Clock) -> None:
        self._plan = plan
        self._issuer = Issuer(load, plan, stamps)
        self._receiver = Receiver(load, plan, inbox)

    def turn(self, load: Load, inbox: Any, flush_bytes: int) -> None:
        """Once round: what is due by the clock, issue, flush, wait, receive."""
        now = clock()
        latencies = self._plan.latencies
        pool = load.pool
        if latencies.count > MANY or now >= load.tick_ns or pool.seq - load.swept_seq > loop.SWEEP_FLUSHES:
            latencies.settle(load)
            loop.look_after(load, now)
        elif load.number == load.past or load.retries.heap or load.parked or load.schedule is not None:
            loop.look_after(load, now)
        if loop.may_issue(load):
            self._issuer.issue(now, flush_bytes)
        events = loop.flush_and_wait(load, now)
        if events:
            self._receiver.receive(events)
        if load.stopping or (load.begun == load.ended and self._may_end(load)):
            latencies.settle(load)

    @staticmethod
    def _may_end(load: Load) -> bool:
        return load.number == load.past or (load.schedule is not None and load.schedule.ended)

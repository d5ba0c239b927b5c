"""The hot loop with numpy: as `loop`, but what is due is issued in blocks, and answers are taken in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.load.engines.wire import ticks
from cqlsurge.load.engines.wire.answers import flush
from cqlsurge.load.engines.wire.issue_numpy import Issuer
from cqlsurge.load.engines.wire.latencies_numpy import MANY
from cqlsurge.load.engines.wire.loop import SWEEP_FLUSHES, wait_ms
from cqlsurge.load.engines.wire.receive_numpy import Receiver
from cqlsurge.load.engines.wire.state import clock

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.plan_numpy import BlockPlan
    from cqlsurge.load.engines.wire.state import Load


class Turner:
    """One phase's loop."""

    def __init__(self, load: Load, plan: BlockPlan, inbox: Any) -> None:
        self._plan = plan
        self._issuer = Issuer(load, plan)
        self._receiver = Receiver(load, plan, inbox)

    def turn(self, load: Load, inbox: Any, flush_bytes: int) -> None:
        """Once round: what is due by the clock, issue, flush, wait, receive."""
        now = clock()
        if load.idle_ns:
            if load.spinning:
                load.recorder.spin_ns += now - load.idle_ns
            load.idle_ns = 0
        latencies = self._plan.latencies
        if now >= load.tick_ns or load.pool.seq - load.swept_seq > SWEEP_FLUSHES or latencies.count > MANY:
            latencies.settle(load)
            load.swept_seq = load.pool.seq
            ticks.tick(load, now)
        if load.retries.heap or load.pool.unparked:
            ticks.retry(load, now)
        if load.number == load.past:
            ticks.refill(load)
        if load.schedule is not None and not load.stopping:
            load.schedule.advance(load, now)
        if load.at < len(load.dues) and load.number < load.past and load.begun - load.ended < load.concurrency:
            self._issuer.issue(now, flush_bytes)
        if load.dirty:
            for conn in load.dirty:
                flush(load, conn)
            load.dirty.clear()
        events = load.pool.poll_ms(wait_ms(load, now))
        load.wakes += 1
        if events:
            self._receiver.receive(events)
        else:
            load.empty_wakes += 1
            load.idle_ns = now
        if load.stopping or (load.begun == load.ended and self._may_end(load)):
            latencies.settle(load)

    @staticmethod
    def _may_end(load: Load) -> bool:
        return load.number == load.past or (load.schedule is not None and load.schedule.ended)

"""The wire engine behind the contract: opens the pool, runs phases, closes."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from typing import Any

from cqlsurge.load.cql.compression import lz4_support
from cqlsurge.load.engines.contract import Engine, EngineError, Setup, Work
from cqlsurge.load.engines.tls import client_context
from cqlsurge.load.engines.wire.connection import FREE, INTERNAL, KIND_BITS, KIND_MASK, ORPHAN, RETRIED, Connection
from cqlsurge.load.engines.wire.load import Load, clock
from cqlsurge.load.engines.wire.pool import Pool
from cqlsurge.load.engines.wire.requests import Clock, Template
from cqlsurge.load.engines.wire.retries import Retries
from cqlsurge.load.engines.wire.ticks import account
from cqlsurge.load.engines.wire.variant import FLUSH_BYTES, NAME, make_inbox, make_templates, make_turn, plan_of
from cqlsurge.load.engines.wire.warm import warm
from cqlsurge.load.outcomes.policy import parse_policies
from cqlsurge.load.workload.mixing import INTOP

OPEN_S = 15.0
TIMEOUT_S = 10.0
RETRIES = 3


class WireEngine(Engine):
    """Options: request_timeout_s (10), retries (3), on_error (none), connections (1 to each node or shard)."""

    name = "wire"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        options = setup.options
        self.timeout_ns = int(float(options.get("request_timeout_s", TIMEOUT_S)) * 1e9)
        self.policies = parse_policies(options.get("on_error") or "")
        self.most_retries = int(options.get("retries", RETRIES))
        self.connections = int(options.get("connections", 1))
        self.clock = Clock(time.time_ns(), time.monotonic_ns())
        self.compressing = setup.target.compression and setup.workload.shrinks
        self.plan = plan_of(setup.workload, self.compressing)
        self.pool: Pool | None = None
        self.inbox: Any = None

    def open(self) -> dict[str, Any]:
        """See Engine."""
        target, workload = self.setup.target, self.setup.workload
        try:
            context = client_context(target.tls) if target.tls is not None else None
        except (OSError, ssl.SSLError) as error:
            raise EngineError(f"TLS: {error}") from error
        self.inbox = make_inbox()
        self.pool = Pool(
            target,
            [kind.statement for kind in workload.kinds],
            self._templates,
            context=context,
            each=self.connections,
            worker=self.setup.host_place[0],
            workers=self.setup.host_place[1],
        )
        self.pool.open(OPEN_S)
        facts = self._facts(self.pool)
        if INTOP and not self.compressing:
            facts["warmed_s"] = round(warm(target, workload, self.plan, self._templates, self.inbox, FLUSH_BYTES), 3)
        return facts

    def _templates(self, statement_ids: Sequence[bytes], connection: Connection) -> list[Template]:
        compress = connection.compressor.compress if self.compressing and connection.compressor is not None else None
        return make_templates(self.setup.workload, self.plan, statement_ids, self.clock, compress)

    def _facts(self, pool: Pool) -> dict[str, Any]:
        standing = pool.connected()
        compressed = sum(connection.compressor is not None for connection in standing)
        if self.setup.target.compression and compressed < len(standing):
            support = lz4_support()
            reason = support.reason if support.block is None else "the server offers none"
            pool.note(f"no LZ4, frames go uncompressed: {reason}")
        return {
            "connections": len(standing),
            "shards_covered": sum(connection.shard >= 0 for connection in standing),
            "compression": "lz4" if compressed else None,
            "requests_compressed": bool(compressed and self.compressing),
            "tls": self.setup.target.tls is not None,
            "buffers": NAME,
            "notes": pool.notes,
        }

    def run(self, work: Work) -> None:
        """See Engine."""
        pool = self.pool
        assert pool is not None, "run before open"
        plan = plan_of(work.workload, self.compressing)
        retries = Retries(self.most_retries, self.setup.seed + self.setup.worker, self.policies)
        load = Load(work, plan, pool, retries, self.timeout_ns)
        self._begin(pool, load)
        inbox, control, source = self.inbox, work.control, work.source
        turn = make_turn(load, inbox)
        while True:
            turn(load, inbox, FLUSH_BYTES)
            if load.begun == load.ended:
                if load.stopping or (load.number == load.past and source.finished):
                    break
                if load.schedule is not None and load.schedule.ended and load.at == len(load.dues):
                    break
            elif load.stopping and clock() > control.drain_until_ns:
                break
        self._finish(pool, load)

    def _begin(self, pool: Pool, load: Load) -> None:
        load.recorder.targets = [connection.target for connection in pool.all()]
        for connection in pool.all():
            target = connection.target
            target.issued = target.ok = target.failed = target.lost = connection.ok_seen = 0
        pool.unwritable_ns = 0
        if load.closed:
            load.dues += [max(load.work.start_ns, 0)] * load.concurrency

    def _finish(self, pool: Pool, load: Load) -> None:
        """Leaves the recorder final; what is still in flight may exist, and its late answers are for nobody."""
        account(load, clock())
        left = [attempt.op for attempt in load.parked] + [attempt.op for _, _, attempt in load.retries.heap]
        for connection in pool.connected():
            for sid, seq in enumerate(connection.flushes):
                op = connection.ops[sid]
                if seq in (FREE, ORPHAN) or op & KIND_MASK == INTERNAL:
                    continue
                left.append(op & ~RETRIED if op & KIND_MASK >= RETRIED else op)
                connection.flushes[sid] = ORPHAN
                connection.orphans += 1
            connection.attempts.clear()
        for op in left:
            load.recorder.leave(op & KIND_MASK, op >> KIND_BITS)

    def close(self) -> None:
        """See Engine."""
        if self.pool is not None:
            self.pool.close()

"""The wire engine behind the contract: opens the pool, runs phases, closes."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cqlsurge.load.compiled.clock import Clock
from cqlsurge.load.compiled.lower import lower
from cqlsurge.load.compiled.parts import PartsProgram
from cqlsurge.load.cql.compression import lz4_support
from cqlsurge.load.engines.contract import Engine, EngineError, Setup, Work
from cqlsurge.load.engines.tls import client_context
from cqlsurge.load.engines.wire import backend
from cqlsurge.load.engines.wire.connection import FREE, INTERNAL, KIND_BITS, KIND_MASK, ORPHAN, RETRIED, Connection
from cqlsurge.load.engines.wire.load import Load, clock
from cqlsurge.load.engines.wire.loop import drive
from cqlsurge.load.engines.wire.plan import Plan
from cqlsurge.load.engines.wire.pool import Pool
from cqlsurge.load.engines.wire.requests import WholeTemplate
from cqlsurge.load.engines.wire.retries import Retries
from cqlsurge.load.engines.wire.ticks import account
from cqlsurge.load.engines.wire.warm import warm
from cqlsurge.load.outcomes.policy import parse_policies
from cqlsurge.load.workload.mixing import INTOP

if TYPE_CHECKING:
    from cqlsurge.load.compiled.program import Template
    from cqlsurge.load.workload.model import Workload

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
        #: frames that are compressed one by one are made of parts, whatever their connections are
        self.backend = backend.choose()
        self._own_plan = self.plan = self._planned(setup.workload)
        self.pool: Pool | None = None
        self.inbox: Any = None

    def _planned(self, workload: Workload) -> Plan:
        if self.compressing:
            return Plan(workload, PartsProgram(lower(workload)))
        program = self.backend.compile(lower(workload))
        return self.backend.plan(workload, program)

    def open(self) -> dict[str, Any]:
        """See Engine."""
        target, workload = self.setup.target, self.setup.workload
        try:
            context = client_context(target.tls) if target.tls is not None else None
        except (OSError, ssl.SSLError) as error:
            raise EngineError(f"TLS: {error}") from error
        self.inbox = self.backend.inbox()
        self.pool = Pool(
            target,
            [kind.statement for kind in workload.kinds],
            self.backend.connection,
            self._templates,
            context=context,
            each=self.connections,
            worker=self.setup.host_place[0],
            workers=self.setup.host_place[1],
        )
        self.pool.open(OPEN_S)
        facts = self._facts(self.pool)
        if INTOP and not self.compressing:
            facts["warmed_s"] = round(warm(target, self.backend, self.plan, self._templates, self.inbox), 3)
        return facts

    def _templates(self, statement_ids: Sequence[bytes], connection: Connection) -> list[Template]:
        program, clock = self.plan.program, self.clock
        made = [program.template(index, statement_id, clock) for index, statement_id in enumerate(statement_ids)]
        if not self.compressing:
            return made
        compress = None if connection.compressor is None else connection.compressor.compress
        return [WholeTemplate(each, compress) for each in made]

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
            "buffers": self.backend.name,
            "notes": pool.notes,
        }

    def run(self, work: Work) -> None:
        """See Engine."""
        pool, flush_bytes = self.pool, self.backend.flush_bytes
        assert pool is not None, "run before open"
        pool.loaded = True
        if work.workload is not self.plan.workload:
            own = work.workload is self.setup.workload
            self.plan = self._own_plan if own else self._planned(work.workload)
            for connection in pool.connected():
                connection.templates = self._templates(connection.statement_ids, connection)
        retries = Retries(self.most_retries, self.setup.seed + self.setup.worker, self.policies)
        load = Load(work, self.plan, pool, retries, self.timeout_ns, flush_bytes)
        self._begin(pool, load)
        turn = self.backend.turn(load, self.inbox, self.clock)
        drive(load, self.inbox, flush_bytes, turn)
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

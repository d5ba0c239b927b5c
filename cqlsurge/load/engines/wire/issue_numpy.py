"""Issues many operations at once: slots, frames and routes by the block, one send for each connection."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cqlsurge.load.compiled.layout import segments, size_of
from cqlsurge.load.compiled.matrices import STAMP, STREAM, Frames
from cqlsurge.load.compiled.statement import request_pieces
from cqlsurge.load.engines.wire import answers, loop
from cqlsurge.load.engines.wire.connection_numpy import SLOT, SlotConnection

if TYPE_CHECKING:
    from cqlsurge.load.compiled.clock import Clock
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.engines.wire.plan_numpy import BlockPlan

Array = Any  # numpy.ndarray

#: fewer operations are issued one by one
FEW = 24
#: the most at once: with one connection, so that the server has something to do early; with several
ONE_LANE, MANY_LANES = 256, 1024
#: the bytes that a matrix of frames may have
MATRIX_BYTES = 1 << 21
#: what a frame of no fixed size is taken for
USUAL_BYTES = 1024


#: operations on one connection: the connection, how many, and how many of each kind that there are any of
Share = tuple[SlotConnection, int, list[tuple[int, int]]]


class Issuer:
    """Issues the operations of one phase."""

    def __init__(self, load: Load, plan: BlockPlan, clock: Clock) -> None:
        self.load, self.plan, self._clock = load, plan, clock
        self._statement_ids: list[bytes] = []
        self._frames: list[Frames] = []
        lowered = plan.program.lowered
        sizes = [size_of(lowered.graph, request_pieces(lowered.graph, each, bytes(16))) for each in lowered.statements]
        largest = max(size.args[0] if size.constant else USUAL_BYTES for size in sizes)
        self._rows = max(1, min(MANY_LANES, MATRIX_BYTES // largest))

    def issue(self, now: int, flush_bytes: int) -> None:
        """Issues what is due while there are places free, in the order of numbers."""
        load, plan = self.load, self.plan
        while True:
            at = load.at
            count = min(load.concurrency - load.begun + load.ended, load.past - load.number, len(load.dues) - at)
            if load.schedule is not None:
                count = bisect_right(load.dues, now, at, at + count) - at
            if count <= 0:
                return
            count = min(count, ONE_LANE if load.router.only is not None else MANY_LANES, self._rows)
            start = plan.cover(load.number, count, load.router)
            if count < FEW or not self._issue(start, count):
                loop.issue(load, now, flush_bytes)
                return

    def _issue(self, start: int, count: int) -> bool:
        """One block; False where nothing was done because it must be done one by one."""
        load, plan = self.load, self.plan
        assert plan.lanes is not None
        keys = plan.keys[start : start + count]
        shares = _shares(plan.lanes.connections, np.bincount(keys), len(plan.program.kinds))
        for conn, more, _ in shares:
            free = conn.free
            if not conn.ready or not self._knows(conn):
                return False
            while len(free) - conn.resting < more and conn.grow():
                pass
            if len(free) - conn.resting < more:
                return False
        streams: list[int] = []
        for conn, more, _ in shares:
            take = conn.free.popleft
            streams += [take() for _ in range(more)]
            if not conn.used:
                conn.seq = load.pool.new_flush()
                load.dirty.append(conn)
        order = keys.argsort(kind="stable") + start
        dues = np.array(load.dues[load.at : load.at + count], np.int64)[order - start]
        self._emit(shares, order, dues, np.array(streams, np.int64))
        load.begun += count
        load.number += count
        load.at += count
        if load.at == len(load.dues):
            load.dues.clear()
            load.at = 0
        for conn, _, _ in shares:
            answers.flush(load, conn)
        return True

    def _knows(self, conn: SlotConnection) -> bool:
        """Whether its statements have the ids that the frames have; the first one gives the ids."""
        if conn.statement_ids == self._statement_ids:
            return True
        if self._statement_ids:
            self._statement_ids = []
            return False
        self._statement_ids = list(conn.statement_ids)
        lowered = self.plan.program.lowered
        self._frames = [
            Frames(
                segments(request_pieces(lowered.graph, each, statement_id)),
                self._rows,
                request=True,
                stamped=each.kind.timestamp,
            )
            for each, statement_id in zip(lowered.statements, self._statement_ids)
        ]
        return True

    def _emit(self, shares: list[Share], order: Array, dues: Array, streams: Array) -> None:
        """Fills slots, and gives each connection its rows of the matrices; `order` are positions in the block."""
        plan = self.plan
        slots: Array = np.empty(len(order), SLOT)
        slots["op"] = plan.ops[order]
        slots["due"] = dues
        flushes = slots["flush"]
        at = 0
        for conn, count, _ in shares:
            flushes[at : at + count] = conn.seq
            at += count
        frames = self._frames
        ends: list[Any] = [None] * len(frames)
        if plan.single:
            kind = shares[0][2][0][0]
            ends[kind] = self._fill(kind, order, dues, streams)
        else:
            kinds = plan.kinds[order]
            for kind in range(len(frames)):
                mine = (kinds == kind).nonzero()[0]
                if len(mine):
                    ends[kind] = self._fill(kind, order[mine], dues[mine], streams[mine])
        rows, done = [0] * len(frames), [0] * len(frames)
        at = 0
        for conn, count, parts in shares:
            past = at + count
            conn.slots[streams[at:past]] = slots[at:past]
            at = past
            conn.queued += count
            for kind, more in parts:
                rows[kind] += more
                begin, made = done[kind], frames[kind]
                end = rows[kind] * made.size if made.size else int(ends[kind][rows[kind] - 1])
                conn.parts.append(cast(bytes, made.view[begin:end]))
                conn.used += end - begin
                done[kind] = end

    def _fill(self, kind: int, order: Array, dues: Array, streams: Array) -> Any:
        """Makes the frames of one kind; where each of them ends."""
        plan, frames = self.plan, self._frames[kind]
        ranks = order if plan.single else plan.ranks[order]
        columns = {
            node: [column[rank] for rank in ranks.tolist()] if isinstance(column, list) else column[ranks]
            for node, column in plan.columns[kind].items()
        }
        columns[STREAM] = streams
        if frames.stamped:
            columns[STAMP] = dues // 1000 + self._clock.offset_us
        frames.fill(columns, len(order))
        return frames.ends


def _shares(connections: list[Any], tally: Array, kinds: int) -> list[Share]:
    """What each connection gets, from how often there is each key of the plan."""
    shares: list[Share] = []
    last = -1
    keys = tally.nonzero()[0]
    for key, count in zip(keys.tolist(), tally[keys].tolist()):
        lane, kind = divmod(key, kinds)
        if lane == last:
            conn, more, parts = shares[-1]
            parts.append((kind, count))
            shares[-1] = (conn, more + count, parts)
        else:
            shares.append((connections[lane], count, [(kind, count)]))
            last = lane
    return shares

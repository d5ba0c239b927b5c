"""Issues many operations at once: slots, frames and routes by the block, one send for each connection."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cqlsurge.load.engines.wire import answers, loop
from cqlsurge.load.engines.wire.connection import KIND_MASK
from cqlsurge.load.engines.wire.connection_numpy import SLOT, SlotConnection
from cqlsurge.load.engines.wire.frames_numpy import Frames, WriteFrames
from cqlsurge.load.engines.wire.kv_python import KeyValueRead, KeyValueWrite

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.engines.wire.plan_numpy import BlockPlan

Array = Any  # numpy.ndarray

#: fewer operations are issued one by one
FEW = 24
#: the most at once: with one connection, so that the server has something to do early; with several
ONE_LANE, MANY_LANES = 256, 1024
#: the bytes that a matrix of frames may have
MATRIX_BYTES = 1 << 21


class Issuer:
    """Issues the operations of one phase."""

    def __init__(self, load: Load, plan: BlockPlan) -> None:
        self.load, self.plan = load, plan
        self._statement_ids: list[bytes] = []
        self._write: WriteFrames | None = None
        self._read: Frames | None = None
        size = 256 + plan.workload.blob_size
        self._rows = max(FEW, min(MANY_LANES, MATRIX_BYTES // size))

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
            if count < FEW or not self._issue(start, count, now):
                loop.issue(load, now, flush_bytes)
                return

    def _issue(self, start: int, count: int, now: int) -> bool:
        """One block; False where nothing was done because it must be done one by one."""
        load, plan = self.load, self.plan
        assert plan.lanes is not None
        past = start + count
        keys = plan.keys[start:past]
        tally = np.bincount(keys, minlength=2 * len(plan.lanes.connections)).tolist()
        streams: list[int] = []
        shares: list[tuple[SlotConnection, int, int]] = []
        for lane, each in enumerate(plan.lanes.connections):
            writes, reads = tally[2 * lane], tally[2 * lane + 1]
            wanted = writes + reads
            if not wanted:
                continue
            conn = cast(SlotConnection, each)
            free = conn.free
            if not conn.ready or not self._knows(conn):
                break
            while len(free) - conn.resting < wanted and conn.grow():
                pass
            if len(free) - conn.resting < wanted:
                break
            shares.append((conn, writes, reads))
        else:
            for conn, writes, reads in shares:
                take = conn.free.popleft
                streams += [take() for _ in range(writes + reads)]
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
        return False

    def _knows(self, conn: SlotConnection) -> bool:
        """Whether its statements have the ids that the frames have; the first one gives the ids."""
        if conn.statement_ids == self._statement_ids:
            return True
        if self._statement_ids:
            self._statement_ids = []
            return False
        write, read = conn.templates
        if not isinstance(write, KeyValueWrite) or not isinstance(read, KeyValueRead):
            return False
        self._statement_ids = list(conn.statement_ids)
        self._write, self._read = WriteFrames(write, self._rows), Frames(read, self._rows, {})
        return True

    def _emit(self, shares: list[tuple[SlotConnection, int, int]], order: Array, dues: Array, streams: Array) -> None:
        """Fills slots, and gives each connection its rows of the matrices; `order` are positions in the block."""
        load, plan = self.load, self.plan
        assert self._write is not None
        assert self._read is not None
        slots: Array = np.empty(len(order), SLOT)
        ops = slots["op"] = plan.ops[order]
        slots["due"] = dues
        first, second = plan.first_words[order], plan.second_words[order]
        workload = plan.workload
        if workload.mixed:
            reads = (ops & KIND_MASK).astype(bool)
            writes = ~reads
            self._read.fill(streams[reads], first[reads], second[reads])
            self._fill_writes(streams[writes], first[writes], second[writes], plan.offsets[order[writes]], dues[writes])
        elif workload.only_kind:
            self._read.fill(streams, first, second)
        else:
            self._fill_writes(streams, first, second, plan.offsets[order], dues)
        at = write_at = read_at = 0
        write_view, write_size = self._write.view, self._write.size
        read_view, read_size = self._read.view, self._read.size
        flush_column = slots["flush"]
        for conn, write_count, read_count in shares:
            if not conn.used:
                conn.seq = load.pool.new_flush()
                load.dirty.append(conn)
            past = at + write_count + read_count
            flush_column[at:past] = conn.seq
            conn.slots[streams[at:past]] = slots[at:past]
            conn.queued += past - at
            at = past
            if write_count:
                past = write_at + write_count * write_size
                conn.parts.append(cast(bytes, write_view[write_at:past]))
                conn.used += past - write_at
                write_at = past
            if read_count:
                past = read_at + read_count * read_size
                conn.parts.append(cast(bytes, read_view[read_at:past]))
                conn.used += past - read_at
                read_at = past

    def _fill_writes(self, streams: Array, first: Array, second: Array, offsets: Array, dues: Array) -> None:
        assert self._write is not None
        self._write.fill(streams, first, second)
        self._write.complete(first, second, offsets, dues)

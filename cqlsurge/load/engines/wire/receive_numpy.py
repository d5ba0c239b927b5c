"""Takes the answers of all connections at once, where they are plain successes; else one by one."""

from __future__ import annotations

import select
from array import array
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cqlsurge.load.cql.frames import HEADER_BYTES, MAX_FRAME_BYTES, OP_RESULT, RESPONSE, VERSION
from cqlsurge.load.engines.wire import answers, loop
from cqlsurge.load.engines.wire.answer_form import GLOBAL_SPEC, HEAD_BYTES, NO_NAMES
from cqlsurge.load.engines.wire.connection import FREE, KIND_MASK, ConnectionLost
from cqlsurge.load.engines.wire.connection_numpy import PULL_BYTES, Inbox, SlotConnection
from cqlsurge.load.engines.wire.frame_walk import FrameWalk
from cqlsurge.load.engines.wire.load import RING_MASK, clock
from cqlsurge.load.engines.wire.receive_few import receive_few
from cqlsurge.load.engines.wire.rows_numpy import RowChecker

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.engines.wire.plan_numpy import BlockPlan

Array = Any  # numpy.ndarray

#: fewer answers are taken one by one
FEW = 16
#: the most connections whose answers are taken at once
MOST = 64
_START = (VERSION | RESPONSE) << 8
#: opcode, and the first three bytes of the kind of result, in `shape`; the length stands between them
_SHAPE = (OP_RESULT << 56) - (HEADER_BYTES << 24)
#: kinds of a RESULT
_VOID, _ROWS = 1, 2


class Region:
    """What one connection has in the inbox: bytes start to end, of which `count` whole frames go up to `past`.

    odd: what comes then is no beginning of another frame, or one of another size.
    """

    __slots__ = ("conn", "count", "end", "now", "odd", "past", "start")

    def __init__(self, conn: SlotConnection, start: int, end: int, now: int) -> None:
        self.conn, self.start, self.end, self.now = conn, start, end, now
        self.past = start
        self.count = 0
        self.odd = False


class Receiver:
    """Receives for one phase."""

    def __init__(self, load: Load, plan: BlockPlan, inbox: Inbox) -> None:
        self.load, self.plan, self.inbox = load, plan, inbox
        self._frames = FrameWalk()
        self._returns: Array = np.array(load.returns)
        self._results: Array = np.where(self._returns, _ROWS, _VOID).astype(np.uint8)
        ring: Any = load.pool.ring
        if not isinstance(ring, array):
            load.pool.ring = ring = cast(Any, array("q", ring))
        self._ring = np.frombuffer(ring, np.int64)
        self._scratch: Array = np.empty(MOST << 15, np.int32)
        program, below = plan.program, load.checker.share_below
        self._checkers = [
            None if answer is None or not below else RowChecker(program, kind, below)
            for kind, answer in enumerate(program.answers)
        ]
        self._few = False

    def receive(self, events: list[tuple[int, int]]) -> None:
        """Takes what these connections have: in blocks, unless so few answers came last time that blocks do not pay."""
        load = self.load
        ended = load.ended
        if self._few:
            for fd, mask in events:
                self._attend(fd, mask)
        else:
            self._receive_blocks(events)
        self._few = load.ended - ended < FEW

    def _attend(self, fd: int, mask: int) -> None:
        load = self.load
        conn = cast("SlotConnection | None", load.pool.by_fd.get(fd))
        if conn is None or mask != select.POLLIN or conn.tls or load.checker.check_below:
            loop.attend(load, cast(Any, self.inbox), fd, mask)
            return
        try:
            receive_few(load, conn, self.inbox, self.plan.latencies)
        except ConnectionLost as lost:
            answers.lose(load, conn, str(lost))

    def _receive_blocks(self, events: list[tuple[int, int]]) -> None:
        load, inbox = self.load, self.inbox
        regions: list[Region] = []
        bounds: list[Any] = []
        at = 0
        for fd, mask in events:
            conn = cast("SlotConnection | None", load.pool.by_fd.get(fd))
            if conn is None or mask != select.POLLIN or conn.tls:
                self._take(regions, bounds)
                at = 0
                loop.attend(load, cast(Any, inbox), fd, mask)
                continue
            if at + len(conn.rest) + PULL_BYTES > len(inbox.heads) or len(regions) == MOST:
                self._take(regions, bounds)
                at = 0
                if len(conn.rest) + PULL_BYTES > len(inbox.heads):
                    loop.attend(load, cast(Any, inbox), fd, mask)
                    continue
            try:
                end = conn.pull_at(inbox, at)
            except ConnectionLost as lost:
                answers.lose(load, conn, str(lost))
                continue
            if end < 0:
                continue
            region = Region(conn, at, end, clock())
            regions.append(region)
            bounds.append(self._walk(region))
            at = end
        self._take(regions, bounds)

    def _walk(self, region: Region) -> Any:
        """Where its frames begin and the last one ends, if their sizes are as they look."""
        at, end, data = region.start, region.end, self.inbox.bytes
        if end - at >= HEADER_BYTES and data[at + 1]:
            # Flags: where the first answer is compressed all are.
            region.odd = True
            return np.empty(1, np.int64)
        bounds = self._frames.bounds(data, at, end)
        region.count = len(bounds) - 1
        region.past = past = bounds[-1]
        region.odd = end - past >= HEADER_BYTES and (
            data[past] != VERSION | RESPONSE
            or int.from_bytes(data[past + 5 : past + HEADER_BYTES], "big") > MAX_FRAME_BYTES
        )
        return np.array(bounds, np.int64)

    def _take(self, regions: list[Region], bounds: list[Any]) -> None:
        if not regions:
            return
        if not self._take_all(regions, bounds):
            self._one_by_one(regions)
        regions.clear()
        bounds.clear()

    def _one_by_one(self, regions: list[Region]) -> None:
        load, inbox = self.load, self.inbox
        for region in regions:
            region.conn.rest = inbox.slice(region.start, region.end)
            region.conn.fed = True
        for region in regions:
            try:
                loop.receive(load, region.conn, cast(Any, inbox))
            except ConnectionLost as lost:
                answers.lose(load, region.conn, str(lost))

    def _take_all(self, regions: list[Region], bounds: list[Any]) -> bool:
        """Takes these frames if all are what they should be; False with nothing done where any is not."""
        total = sum([each.count for each in regions])
        if total < FEW or any(each.odd for each in regions):
            return False
        if len(bounds) == 1:
            starts, sizes = bounds[0][:-1], np.diff(bounds[0])
        else:
            starts, sizes = (
                np.concatenate([each[:-1] for each in bounds]),
                np.concatenate([np.diff(each) for each in bounds]),
            )
        heads = self.inbox.heads[starts]
        streams = heads["stream"].astype(np.int64)
        places, slots, at = [], [], 0
        try:
            for index, region in enumerate(regions):
                mine = streams[at : at + region.count]
                at += region.count
                slots.append(region.conn.slots[mine])
                places.append(mine + (index << 15))
        except IndexError:
            return False
        slot = np.concatenate(slots)
        place = np.concatenate(places)
        ops, sequences = slot["op"], slot["flush"]
        kinds = ops & KIND_MASK
        sents = self._ring[sequences & RING_MASK]
        scratch, counting = self._scratch, cast(Array, np.arange(total, dtype=np.int32))
        scratch[place] = counting
        if (
            int(sequences.min()) < 0
            or regions[-1].now - int(sents.min()) > self.load.timeout_ns
            or int(kinds.max()) >= len(self._results)
            or not (heads["start"] == _START).all()
            or not (heads["shape"] == (sizes << 24) + _SHAPE).all()
            or not (heads["result"] == self._results[kinds]).all()
            or not (scratch[place] == counting).all()
            or not self._take_rows(heads, starts, sizes, ops, kinds)
        ):
            self._frames.reads = True
            return False
        self._end(regions, streams)
        nows: Array = np.repeat([region.now for region in regions], [region.count for region in regions])
        self.plan.latencies.add(kinds, slot["due"], sents, nows)
        return True

    def _take_rows(self, heads: Array, starts: Array, sizes: Array, ops: Array, kinds: Array) -> bool:
        """Counts the rows of those that return any; False where one has another form or a wrong row."""
        if self.load.checker.paged_any:
            return False
        returning = self._returns[kinds]
        if not returning.any():
            return True
        if not returning.all():
            heads, starts, sizes, ops = heads[returning], starts[returning], sizes[returning], ops[returning]
            kinds = kinds[returning]
        counts = heads["rows"]
        if (
            not (heads["flags"] & ~GLOBAL_SPEC == NO_NAMES).all()
            or int(sizes.min()) < HEADER_BYTES + HEAD_BYTES
            or int(counts.min()) < 0
            or not self._right(starts, sizes, ops, kinds)
        ):
            return False
        rows, empty = self.load.rows, self.load.checker.empty
        for kind, count in enumerate(np.bincount(kinds, counts).tolist()):
            rows[kind] += int(count)
        if not counts.all():
            for kind, count in enumerate(np.bincount(kinds[counts == 0]).tolist()):
                empty[kind] += count
        return True

    def _right(self, starts: Array, sizes: Array, ops: Array, kinds: Array) -> bool:
        """Whether the answers to be checked are what they must be."""
        for kind, checker in enumerate(self._checkers):
            if checker is None:
                continue
            mine = kinds == kind
            chosen = (starts, sizes, ops) if mine.all() else (starts[mine], sizes[mine], ops[mine])
            if not checker.right(self.inbox, *chosen):
                return False
        return True

    def _end(self, regions: list[Region], streams: Array) -> None:
        load, inbox = self.load, self.inbox
        every, at = streams.tolist(), 0
        for region in regions:
            conn, count = region.conn, region.count
            past = at + count
            conn.slots["flush"][streams[at:past]] = FREE
            conn.free.extend(every[at:past])
            at = past
            conn.target.ok += count
            if count:
                conn.heard_ns = region.now
            conn.rest = inbox.slice(region.past, region.end) if region.past < region.end else b""
            load.recorder.bytes_in += region.past - region.start
            if load.closed:
                load.dues += [region.now] * count
        load.ended += at

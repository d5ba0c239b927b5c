"""Takes the answers of all connections at once, where they are plain successes of known sizes; else one by one."""

from __future__ import annotations

import select
from array import array
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cqlsurge.load.cql.frames import HEADER_BYTES, OP_RESULT, RESPONSE, VERSION
from cqlsurge.load.engines.wire import answers, loop
from cqlsurge.load.engines.wire.connection import FREE, KIND_MASK, ConnectionLost
from cqlsurge.load.engines.wire.connection_numpy import PULL_BYTES, Inbox, SlotConnection
from cqlsurge.load.engines.wire.load import RING_MASK, clock
from cqlsurge.load.engines.wire.verify_numpy import LEAST_BLOB, RowChecker

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.engines.wire.plan_numpy import BlockPlan

Array = Any  # numpy.ndarray

#: fewer answers are taken one by one
FEW = 16
#: the most connections whose answers are taken at once
MOST = 64
_START = (VERSION | RESPONSE) << 8
_VOID_BYTES = 4
#: flags of the metadata of Rows without column names (native_protocol_v4.spec, section 4.2.5.2)
_NO_METADATA = 4


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
        workload = plan.workload
        sizes = [_VOID_BYTES, 16 + 20 + 4 + workload.blob_size]
        self._shapes = np.array([OP_RESULT << 56 | size << 24 for size in sizes], np.uint64)
        self._whole = [HEADER_BYTES + size for size in sizes]
        # The byte of the header's length that tells the two sizes apart, and the frame's size by its value.
        apart = [size.to_bytes(4, "big") for size in sizes]
        at = max(index for index in range(4) if apart[0][index] != apart[1][index])
        self._apart_at = HEADER_BYTES - 4 + at
        self._steps = [0] * 256
        for one, size in zip(apart, self._whole):
            self._steps[one[at]] = size
        self._fixed = 0 if workload.mixed else self._whole[workload.only_kind]
        ring: Any = load.pool.ring
        if not isinstance(ring, array):
            load.pool.ring = ring = cast(Any, array("q", ring))
        self._ring = np.frombuffer(ring, np.int64)
        self._scratch: Array = np.empty(MOST << 15, np.int32)
        self._checker: RowChecker | None = None
        if load.checker.check_below and workload.blob_size >= LEAST_BLOB:
            self._checker = RowChecker(workload, load.checker.check_below)
        self._one_by_one_only = bool(load.checker.check_below) and self._checker is None
        self._few = False

    def receive(self, events: list[tuple[int, int]]) -> None:
        """Takes what these connections have: in blocks, unless so few answers came last time that blocks do not pay."""
        load = self.load
        ended = load.ended
        if self._few:
            for fd, mask in events:
                loop.attend(load, cast(Any, self.inbox), fd, mask)
        else:
            self._receive_blocks(events)
        self._few = load.ended - ended < FEW

    def _receive_blocks(self, events: list[tuple[int, int]]) -> None:
        load, inbox = self.load, self.inbox
        regions: list[Region] = []
        starts: list[Any] = []
        at = 0
        for fd, mask in events:
            conn = cast("SlotConnection | None", load.pool.by_fd.get(fd))
            if conn is None or mask != select.POLLIN or conn.tls or self._one_by_one_only:
                self._take(regions, starts)
                at = 0
                loop.attend(load, cast(Any, inbox), fd, mask)
                continue
            if at + len(conn.rest) + PULL_BYTES > len(inbox.heads) or len(regions) == MOST:
                self._take(regions, starts)
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
            starts.append(self._walk(region))
            at = end
        self._take(regions, starts)

    def _walk(self, region: Region) -> Any:
        """Where its frames begin, if their sizes are as they look."""
        at, end = region.start, region.end
        if self.inbox.bytes[at + 1]:
            # Flags: where the first answer is compressed all are, and none has a size that is known.
            region.odd = True
            return np.empty(0, np.int64)
        fixed = self._fixed
        if fixed:
            region.count = (end - at) // fixed
            region.past = at + region.count * fixed
            region.odd = self._odd(region.past, end)
            return np.arange(at, region.past, fixed)
        starts: list[int] = []
        append, steps, data, apart_at = starts.append, self._steps, self.inbox.bytes, self._apart_at
        last = end - HEADER_BYTES
        while at <= last:
            past = at + steps[data[at + apart_at]]
            if past > end or past == at:
                break
            append(at)
            at = past
        region.past = at
        region.count = len(starts)
        region.odd = self._odd(at, end)
        return np.array(starts, np.int64)

    def _odd(self, at: int, end: int) -> bool:
        """Whether the bytes left over are not simply the first ones of an answer whose others are still to come."""
        data = self.inbox.bytes
        if end - at < HEADER_BYTES:
            return False
        size = int.from_bytes(data[at + 5 : at + HEADER_BYTES], "big")
        return (
            data[at] != VERSION | RESPONSE or HEADER_BYTES + size not in self._whole or at + HEADER_BYTES + size <= end
        )

    def _take(self, regions: list[Region], starts: list[Any]) -> None:
        if not regions:
            return
        if not self._take_all(regions, np.concatenate(starts)):
            self._one_by_one(regions)
        regions.clear()
        starts.clear()

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

    def _take_all(self, regions: list[Region], starts: Array) -> bool:
        """Takes these frames if all are what they should be; False with nothing done where any is not."""
        load = self.load
        total = len(starts)
        if total < FEW or any(each.odd for each in regions):
            return False
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
        scratch, counting = self._scratch, cast(Array, np.arange(total, dtype=np.int32))
        scratch[place] = counting
        if (
            int(sequences.min()) < 0
            or int(kinds.max()) > 1
            or not (heads["start"] == _START).all()
            or not (heads["shape"] == self._shapes[kinds]).all()
            or not (scratch[place] == counting).all()
        ):
            return False
        if self._fixed != self._whole[0]:
            reads = kinds == 1
            read = heads[reads]
            if not (read["flags"] == _NO_METADATA).all():
                return False
            if self._checker and not self._checker.right(self.inbox, starts[reads], streams[reads], ops[reads]):
                return False
            load.rows[1] += int(read["rows"].sum())
        self._end(regions, streams)
        nows: Array = np.repeat([region.now for region in regions], [region.count for region in regions])
        self.plan.latencies.add(kinds, slot["due"], self._ring[sequences & RING_MASK], nows)
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

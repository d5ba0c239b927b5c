"""The sweep: every 100 ms, over all slots, instead of a timer for each operation."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from cqlsurge.load.engines.wire import answers
from cqlsurge.load.engines.wire.connection import AGED, INTERNAL, KIND_BITS, KIND_MASK, RETRIED, ConnectionLost
from cqlsurge.load.engines.wire.load import RING, RING_MASK
from cqlsurge.load.outcomes import classes
from cqlsurge.load.outcomes.retry import Failure

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.load import Load

SWEEP_NS = 100_000_000
#: a connection on which an answer is overdue is taken for dead when nothing has come for so long (or for the request
#: timeout, if that is longer): a request timeout of milliseconds says something about answers, not about connections
SILENT_NS = 5_000_000_000
#: slots of flushes older than this many are given their time, before the ring comes round
OLD_FLUSHES = RING // 4
NEVER = 1 << 62


def sweep(load: Load, now: int) -> None:
    """Ends what took too long, and says below which position all operations have ended."""
    lowest = load.number if load.number < load.past else NEVER
    for conn in load.pool.connected():
        try:
            lowest = min(lowest, _sweep_connection(load, conn, now))
        except ConnectionLost as lost:
            answers.lose(load, conn, str(lost))
    for _ in range(len(load.parked)):
        attempt = load.parked.popleft()
        if now - attempt.since_ns > load.timeout_ns:
            text = f"no connection took it for {load.timeout_ns / 1e9:g} s ({load.pool.last_error or 'sockets full'})"
            answers.finish_failed(load, None, attempt, Failure(classes.CONNECTION, text, sent=False), now)
        else:
            load.parked.append(attempt)
            lowest = min(lowest, attempt.op >> KIND_BITS)
    for _, _, attempt in load.retries.heap:
        lowest = min(lowest, attempt.op >> KIND_BITS)
    load.recorder.settled = load.begun if lowest == NEVER else position(load.blocks, lowest)


def position(blocks: list[tuple[int, int]], number: int) -> int:
    """The position of an operation in the order of issue, from the blocks (first number, first position) taken."""
    first, place = blocks[bisect_right(blocks, (number, NEVER)) - 1]
    return place + number - first


def _sweep_connection(load: Load, conn: Connection, now: int) -> int:
    """Ends this connection's late operations; the lowest operation number still on it."""
    ring, flushes, ops = load.pool.ring, conn.flushes, conn.ops
    old = load.pool.seq - OLD_FLUSHES
    too_early = now - load.timeout_ns
    lowest = NEVER
    timed_out = 0
    for sid in range(len(flushes)):
        seq = flushes[sid]
        if AGED < seq < 0:
            continue
        op = ops[sid]
        kind = op & KIND_MASK
        sent = ring[seq & RING_MASK] if seq >= 0 else -seq
        if not sent:
            continue  # waits in our own buffer; it goes out before this turn of the loop ends
        if 0 <= seq < old:
            flushes[sid] = -sent
        if kind >= RETRIED and kind != INTERNAL and not load.timeout_each:
            sent = conn.attempts[sid].sent_ns or sent
        if sent < too_early:
            if kind == INTERNAL:
                raise ConnectionLost("a statement was not prepared in time")
            timed_out += 1
            answers.orphan(load, conn, sid, now)
        elif kind != INTERNAL and op >> KIND_BITS < lowest:
            lowest = op >> KIND_BITS
    if timed_out and now - conn.heard_ns > max(load.timeout_ns, SILENT_NS):
        raise ConnectionLost(f"nothing came for {(now - conn.heard_ns) / 1e9:.0f} s")
    return lowest

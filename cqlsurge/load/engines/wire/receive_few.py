"""Takes few answers at a time on CPython: what comes of each is looked at once, and its latencies are left for later.

The usual case on a real database is 5 to 20 answers a wake: too few for arrays, whose calls cost a microsecond each.
Anything but a plain success without an envelope is left for `loop.receive`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, cast

from cqlsurge.load.cql.frames import HEADER_BYTES, MAX_FRAME_BYTES, OP_RESULT, RESPONSE, VERSION
from cqlsurge.load.engines.wire import loop
from cqlsurge.load.engines.wire.answer_form import GLOBAL_SPEC, HEAD_BYTES, NO_NAMES
from cqlsurge.load.engines.wire.connection import FREE, KIND_MASK
from cqlsurge.load.engines.wire.load import RING_MASK, clock

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection_numpy import Inbox, SlotConnection
    from cqlsurge.load.engines.wire.latencies_numpy import Latencies
    from cqlsurge.load.engines.wire.load import Load

#: version and flags, stream, opcode, length; kind of result, flags of the metadata, columns, count of rows
_head_at = struct.Struct(">HHBIIIII").unpack_from
_HEAD_BYTES = HEADER_BYTES + HEAD_BYTES
_START = (VERSION | RESPONSE) << 8
_VOID, _ROWS = 1, 2
_NAMELESS = (NO_NAMES, NO_NAMES | GLOBAL_SPEC)


def receive_few(load: Load, conn: SlotConnection, inbox: Inbox, latencies: Latencies) -> None:
    """Takes what a connection has. Raises ConnectionLost."""
    end = conn.pull(inbox)
    if end < 0:
        return
    now = clock()
    data, room = inbox.bytes, len(inbox.bytes) - _HEAD_BYTES
    ops, dues, flushes, ring, returns, rows = conn.ops, conn.dues, conn.flushes, load.pool.ring, load.returns, load.rows
    slots, kinds, timeout_ns = len(ops), len(returns), load.timeout_ns
    streams: list[int] = []
    free = streams.append
    add_op, add_due, add_sent = latencies.few_ops.append, latencies.few_dues.append, latencies.few_sents.append
    start = 0
    odd = False
    while end - start >= HEADER_BYTES:
        if start > room:
            odd = True
            break
        head, sid, opcode, length, result, flags, _, count = _head_at(data, start)
        past = start + HEADER_BYTES + length
        if past > end:
            odd = head != _START or length > MAX_FRAME_BYTES
            break
        if head != _START or opcode != OP_RESULT or sid >= slots:
            odd = True
            break
        op = ops[sid]
        sequence = flushes[sid]
        kind = op & KIND_MASK
        sent = ring[sequence & RING_MASK]
        if sequence < 0 or kind >= kinds or now - sent > timeout_ns:
            odd = True
            break
        if returns[kind]:
            if result != _ROWS or flags not in _NAMELESS or length < HEAD_BYTES or count > 0x7FFFFFFF:
                odd = True
                break
            rows[kind] += count
        elif result != _VOID or length < 4:
            odd = True
            break
        start = past
        flushes[sid] = FREE
        free(sid)
        add_op(op)
        add_due(dues[sid])
        add_sent(sent)
    done = len(streams)
    if done:
        _end(load, conn, latencies, streams, now)
    load.recorder.bytes_in += start
    conn.rest = b""
    if start < end:
        conn.rest = inbox.slice(start, end)
        if odd:
            conn.fed = True
            loop.receive(load, conn, cast(Any, inbox))


def _end(load: Load, conn: SlotConnection, latencies: Latencies, streams: list[int], now: int) -> None:
    done = len(streams)
    conn.free.extend(streams)
    latencies.few_nows.extend([now] * done)
    latencies.count += done
    load.ended += done
    conn.target.ok += done
    conn.heard_ns = now
    if load.closed:
        load.dues += [now] * done

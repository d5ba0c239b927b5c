"""The hot loop: issue what is due, flush, receive.

`issue` and `receive` are free functions on local values, long on purpose: what they call per operation is dissolved by
PyPy's compiler (plan, template) and is kept to few calls on CPython. Everything that is not a plain success leaves for
`answers`. Conservation law: begun = ended + in flight, where in flight includes what waits for a retry or for a place
to go (`parked`).
"""

from __future__ import annotations

import select
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.frames import FLAG_PAYLOAD, MAX_FRAME_BYTES
from cqlsurge.load.engines.wire import answers, ticks
from cqlsurge.load.engines.wire.answer_form import VOID, rows_in
from cqlsurge.load.engines.wire.answers import flush
from cqlsurge.load.engines.wire.connection import FREE, KIND_BITS, KIND_MASK, Connection, ConnectionLost
from cqlsurge.load.engines.wire.load import RING, RING_MASK, Load, clock
from cqlsurge.load.engines.wire.router import COARSE_HALF, COARSE_SHIFT
from cqlsurge.load.latency.layout import BITS, index_of

if TYPE_CHECKING:
    from typing import Callable

    from cqlsurge.load.engines.wire.buffers_cffi import Inbox

    Turn = Callable[[Load, Any, int], None]

OUT = select.POLLOUT
#: closer than this to the next due time the loop spins, since sleeps are longer than they are asked to be
SPIN_NS = 2_000_000
#: a tick, and with it the sweep's look at old slots, comes at the latest after so many flushes
SWEEP_FLUSHES = RING // 4


def issue(load: Load, now: int, flush_bytes: int) -> None:
    """Issues what is due while there are places free, in the order of numbers."""
    count = min(load.concurrency - load.begun + load.ended, load.past - load.number, len(load.dues) - load.at)
    pool, dirty, dues = load.pool, load.dirty, load.dues
    step, router, spread = load.step, load.router, load.spread
    coarse, bounds, groups, width, only = router.coarse, router.bounds, router.groups, router.width, router.only
    number, at = load.number, load.at
    end = at + count
    while at < end:
        due = dues[at]
        if due > now:
            break
        at += 1
        kind, row, token = step(number)
        if only is not None:
            conn = only
        else:
            place = coarse[(token >> COARSE_SHIFT) + COARSE_HALF]
            if bounds[place] < token:
                place += 1
                if bounds[place] < token:
                    place = bisect_left(bounds, token, place)
            place = place * width
            if width > 1 and not spread[kind]:
                place += number % width
            group = groups[place]
            conn = group.first if group.count == 1 else group.lane(token, number)
        if not conn.ready or not (len(conn.free) > conn.resting or conn.grow()):
            answers.divert(load, number << KIND_BITS | kind, due, now)
            number += 1
            continue
        sid = conn.free.popleft()
        if not conn.used:
            conn.seq = pool.new_flush()
            dirty.append(conn)
        conn.ops[sid] = number << KIND_BITS | kind
        conn.dues[sid] = due
        conn.flushes[sid] = conn.seq
        conn.queued += 1
        conn.templates[kind].emit(conn, sid, row, due)
        number += 1
        if conn.used >= flush_bytes:
            flush(load, conn)
    load.begun += number - load.number
    load.number, load.at = number, at
    if at == len(dues):
        dues.clear()
        load.at = 0


def receive(load: Load, conn: Connection, inbox: Inbox) -> bool:
    """Takes what a connection has; True when there may be more at once."""
    end = conn.pull(inbox)
    if end < 0:
        return False
    now = clock()
    buf: Any = inbox.bytes
    ops, dues, flushes, free = conn.ops, conn.dues, conn.flushes, conn.free
    ring, returns, oks, rows = load.pool.ring, load.returns, load.oks, load.rows
    waits, services, responses = load.waits, load.services, load.responses
    kinds, slots, timeout_ns = len(oks), len(ops), load.timeout_ns
    checker, check_below, empty = load.checker, load.checker.check_below, load.checker.empty
    start = done = 0
    fault = ""
    while end - start >= 9:
        past = start + 9 + (buf[start + 5] << 24 | buf[start + 6] << 16 | buf[start + 7] << 8 | buf[start + 8])
        if past > end:
            if buf[start] != 0x84 or past - start > MAX_FRAME_BYTES:
                fault = "protocol: bytes that are no answer"
            break
        sid = buf[start + 2] << 8 | buf[start + 3]
        if buf[start + 4] != 8 or sid >= slots or buf[start] != 0x84:
            fault = answers.answer(load, conn, inbox, start, past, now)
            if fault:
                break
            start = past
            continue
        if buf[start + 1] & FLAG_PAYLOAD:
            answers.heed_payload(load, conn, inbox, start, past)
        op = ops[sid]
        seq = flushes[sid]
        kind = op & KIND_MASK
        sent = ring[seq & RING_MASK]
        if seq < 0 or kind >= kinds or now - sent > timeout_ns:
            fault = answers.answer(load, conn, inbox, start, past, now)
            if fault:
                break
            start = past
            continue
        if returns[kind]:
            if check_below or buf[start + 1] or buf[start + 16] & 254 != 4 or past - start < 25 or buf[start + 12] != 2:
                plain = checker.accept(conn, inbox, start, past, op)
            else:
                plain = True
                count = buf[start + 21] << 24 | buf[start + 22] << 16 | buf[start + 23] << 8 | buf[start + 24]
                rows[kind] += count
                if not count:
                    empty[kind] += 1
        else:
            plain = past - start == 13 and buf[start + 12] == 1 and not buf[start + 1]
            plain = plain or rows_in(inbox, start, past, conn.compressor) == VOID
        if not plain:
            fault = answers.answer(load, conn, inbox, start, past, now)
            if fault:
                break
            start = past
            continue
        start = past
        flushes[sid] = FREE
        free.append(sid)
        done += 1
        oks[kind] += 1
        due = dues[sid]
        wait = sent - due
        v = wait >> 6
        if v < 2048:
            waits[kind][v if v > 0 else 0] += 1
        elif v < 8388608:
            bits = BITS[v >> 11]
            waits[kind][(bits << 10) + (v >> bits)] += 1
        else:
            waits[kind][index_of(wait)] += 1
        v = (now - sent) >> 6
        if v < 2048:
            services[kind][v if v > 0 else 0] += 1
        elif v < 8388608:
            bits = BITS[v >> 11]
            services[kind][(bits << 10) + (v >> bits)] += 1
        else:
            services[kind][index_of(now - sent)] += 1
        v = (now - due) >> 6
        if v < 2048:
            responses[kind][v if v > 0 else 0] += 1
        elif v < 8388608:
            bits = BITS[v >> 11]
            responses[kind][(bits << 10) + (v >> bits)] += 1
        else:
            responses[kind][index_of(now - due)] += 1
    load.ended += done
    conn.target.ok += done
    load.recorder.bytes_in += start
    if load.closed and done:
        load.dues += [now] * done
    if fault:
        raise ConnectionLost(fault)
    if start:
        conn.heard_ns = now
    conn.keep(inbox, start, end)
    return conn.tls or end == inbox.size


def drive(load: Load, inbox: Any, flush_bytes: int, turn: Turn) -> None:
    """Turns until every operation is over, or the time to wait for the last ones is."""
    source, control = load.work.source, load.control
    while True:
        turn(load, inbox, flush_bytes)
        if load.begun == load.ended:
            if load.stopping or (load.number == load.past and source.finished):
                break
            if load.schedule is not None and load.schedule.ended and load.at == len(load.dues):
                break
        elif load.stopping and clock() > control.drain_until_ns:
            break


def turn(load: Load, inbox: Inbox, flush_bytes: int) -> None:
    """Once round: what is due by the clock, issue, flush, wait, receive."""
    now = clock()
    look_after(load, now)
    if may_issue(load):
        issue(load, now, flush_bytes)
    for fd, mask in flush_and_wait(load, now):
        attend(load, inbox, fd, mask)


def tick_due(load: Load, now: int) -> bool:
    """Whether it is time for what is done now and then."""
    return now >= load.tick_ns or load.pool.seq - load.swept_seq > SWEEP_FLUSHES


def look_after(load: Load, now: int) -> None:
    """All that comes before issuing: ticks, retries, further numbers, further due times."""
    if tick_due(load, now):
        load.swept_seq = load.pool.seq
        ticks.tick(load, now)
    if load.retries.heap or load.parked:
        ticks.retry(load, now)
    if load.number == load.past:
        ticks.refill(load)
    if load.schedule is not None and not load.stopping:
        load.schedule.advance(load, now)


def may_issue(load: Load) -> bool:
    """Whether there are due times listed, numbers for them, and places free."""
    return load.at < len(load.dues) and load.number < load.past and load.begun - load.ended < load.concurrency


def wants_dues(load: Load) -> bool:
    """Whether all listed due times are used up, while there would be numbers and places for more."""
    schedule = load.schedule
    return (
        schedule is not None
        and not schedule.idle
        and load.at == len(load.dues)
        and load.number < load.past
        and load.begun - load.ended < load.concurrency
    )


def flush_and_wait(load: Load, now: int) -> list[tuple[int, int]]:
    """Sends all that waits to be sent; then what the poller says, for as long as the loop may wait."""
    if load.dirty:
        for conn in load.dirty:
            flush(load, conn)
        load.dirty.clear()
    events = load.pool.poll_ms(wait_ms(load, now))
    load.wakes += 1
    if events:
        if now >= load.receive_delays.next_ns:
            load.receive_delays.sample(load.pool.by_fd.get(events[0][0]), now)
        return events
    load.empty_wakes += 1
    return spin(load) if load.spin_until_ns else events


def spin(load: Load) -> list[tuple[int, int]]:
    """Polls on without waiting until there is something, or something is due.

    A loop of its own: on PyPy a whole turn leaves kilobytes of garbage.
    """
    poll_ms, until = load.pool.poll_ms, load.spin_until_ns
    begin = now = clock()
    events: list[tuple[int, int]] = []
    while now < until and not events:
        events = poll_ms(0)
        load.wakes += 1
        load.empty_wakes += not events
        now = clock()
    load.recorder.spin_ns += now - begin
    return events


def attend(load: Load, inbox: Inbox, fd: int, mask: int) -> None:
    """What the poller says of one socket."""
    conn = load.pool.by_fd.get(fd)
    if conn is None:
        if fd in load.pool.dials:
            load.pool.attend(fd)
        return
    try:
        if mask & OUT and (not conn.used or conn.push()):
            load.pool.unblock(conn)
        if mask & ~OUT:
            while receive(load, conn, inbox):
                pass
    except ConnectionLost as lost:
        answers.lose(load, conn, str(lost))


def wait_ms(load: Load, now: int) -> int:
    """How long to wait for an answer: not at all while something is due or nearly so, else until the next tick."""
    until = load.tick_ns
    load.spin_until_ns = 0
    if load.retries.heap:
        until = min(until, load.retries.heap[0][0])
    if may_issue(load):
        until = min(until, load.dues[load.at])
        if load.spin and 0 < until - now < SPIN_NS:
            load.spin_until_ns = until
            return 0
    elif wants_dues(load):
        return 0
    if until <= now:
        return 0
    if load.spin and load.schedule is not None:
        # The poller may oversleep by a millisecond; the rest is spun away.
        return max(0, (until - now - 1_000_000) // 1_000_000)
    return (until - now) // 1_000_000 + 1

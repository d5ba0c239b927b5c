"""Everything that is not a plain success: errors, late and retried answers, operations that must go elsewhere.

Each function keeps every count that the hot loop keeps for a success.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cqlsurge.load.cql.envelope import open_frame
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.extensions import decode_tablet
from cqlsurge.load.cql.frames import EVENT_STREAM, OP_ERROR, OP_RESULT, RESPONSE, VERSION, Frame
from cqlsurge.load.cql.primitives import Reader
from cqlsurge.load.cql.responses import decode_response
from cqlsurge.load.cql.results import Rows, Void, decode_result
from cqlsurge.load.cql.server_errors import ErrorResponse
from cqlsurge.load.engines.wire.connection import (
    AGED,
    FREE,
    INTERNAL,
    KIND_BITS,
    KIND_MASK,
    MAX_ORPHANS,
    ORPHAN,
    RETRIED,
    Connection,
    ConnectionLost,
)
from cqlsurge.load.engines.wire.load import RING_MASK, Load, clock
from cqlsurge.load.engines.wire.paging import take_page
from cqlsurge.load.engines.wire.prepare import prepare_again
from cqlsurge.load.engines.wire.retries import Attempt
from cqlsurge.load.outcomes import classes
from cqlsurge.load.outcomes.policy import BACKOFF
from cqlsurge.load.outcomes.retry import Failure

if TYPE_CHECKING:
    from cqlsurge.load.compiled.program import Row

#: failures that say something about the target rather than about the operation
_TARGET_TROUBLE = frozenset([classes.OVERLOADED, classes.CONNECTION, classes.BOOTSTRAPPING, classes.CLIENT_TIMEOUT])
# How long an operation waits for its statement to be prepared again.
REPREPARE_NS = 20_000_000


APPLIED = b"\x01"


def sent_at(load: Load, conn: Connection, sid: int) -> int:
    """When the request in a slot was sent; 0 if it still waits to be."""
    seq = conn.flushes[sid]
    if seq <= AGED:
        return -seq
    return load.pool.ring[seq & RING_MASK]


def take_back(load: Load, conn: Connection, sid: int) -> Attempt:
    """The operation in a slot, as an attempt that has just come to its end; the slot is left as it is."""
    op = conn.ops[sid]
    read = conn.paged.pop(sid, None)
    sent_ns = sent_at(load, conn, sid) if read is None else read.sent_ns
    if op & KIND_MASK >= RETRIED:
        attempt = conn.attempts.pop(sid)
        attempt.sent_ns = attempt.sent_ns or sent_ns
        return attempt
    return Attempt(op, conn.dues[sid], sent_ns)


def answer(load: Load, conn: Connection, inbox: Any, start: int, past: int, now: int) -> str:
    """One frame that the hot loop did not take: bytes `start` to `past` of the inbox.

    Gives what breaks the protocol, if anything does: the connection is then of no more use.
    """
    data = inbox.slice(start, past)
    stream = int.from_bytes(data[2:4], "big", signed=True)
    frame = Frame(data[0] & ~RESPONSE, data[1], stream, data[4], data[9:])
    if data[0] != VERSION | RESPONSE:
        return f"protocol: a frame that begins with byte 0x{data[0]:02x}"
    if stream == EVENT_STREAM:
        return ""
    if not 0 <= stream < len(conn.ops) or conn.flushes[stream] == FREE:
        return f"protocol: an answer on stream {stream}, on which nothing was asked"
    if conn.flushes[stream] == ORPHAN:
        conn.orphans -= 1
        load.late_replies += 1
        conn.release(stream)
        return ""
    try:
        if conn.ops[stream] & KIND_MASK == INTERNAL:
            done = conn.internal.pop(stream)
            conn.release(stream)
            done(frame)
            return ""
        if _overdue(load, conn, stream, now):
            load.late_replies += 1
            _end_failed(load, conn, stream, _client_timeout(load), now)
            return ""
        plain = open_frame(frame, conn.compressor).frame
        if plain.opcode == OP_RESULT:
            _succeed_or_fail(load, conn, stream, plain, now)
        elif plain.opcode == OP_ERROR:
            error = cast(ErrorResponse, decode_response(plain, None, conn.rate_limit_code))
            _server_error(load, conn, stream, error, now)
        else:
            raise ProtocolError(f"opcode 0x{plain.opcode:02x} answers an EXECUTE")
    except ProtocolError as error:
        return f"protocol: {error}"
    return ""


def heed_payload(load: Load, conn: Connection, inbox: Any, start: int, past: int) -> None:
    """An answer that brings more: the tablet of a request that was not sent to it. The frame is still to be taken."""
    data = inbox.slice(start, past)
    try:
        opened = open_frame(Frame(VERSION, data[1], 0, data[4], data[9:]), conn.compressor)
        tablet = decode_tablet(opened.payload)
    except ProtocolError:
        return  # whoever takes the frame says so
    if tablet is not None:
        load.pool.routes.learn(tablet)


def _overdue(load: Load, conn: Connection, sid: int, now: int) -> bool:
    """Whether the operation in a slot has come to its deadline, though no sweep has ended it yet."""
    attempt = conn.attempts.get(sid)
    first_ns = 0 if attempt is None or load.timeout_each else attempt.sent_ns
    return now - (first_ns or sent_at(load, conn, sid)) > load.timeout_ns


def _client_timeout(load: Load) -> Failure:
    return Failure(classes.CLIENT_TIMEOUT, f"no answer within {load.timeout_ns / 1e9:g} s")


def _succeed_or_fail(load: Load, conn: Connection, sid: int, plain: Frame, now: int) -> None:
    op = conn.ops[sid]
    kind = op & KIND_MASK & ~RETRIED
    number = op >> KIND_BITS
    rows = 0
    if load.returns[kind]:
        if load.kinds[kind].pages == 1:
            error_class, rows, text = load.checker.judge(Reader(plain.body), number)
        else:
            paged = take_page(load, conn, sid, plain, kind, number, sent_at(load, conn, sid), now)
            if paged is None:
                return
            error_class, rows, text = paged
        if error_class:
            load.rows[kind] += rows
        if error_class and not (error_class == classes.MISSING and load.recorder.may_be_missing(number)):
            _end_failed(load, conn, sid, Failure(error_class, text), now)
            return
    else:
        result = decode_result(Reader(plain.body))
        if load.kinds[kind].conditional and isinstance(result, Rows) and result.rows:
            # [applied] boolean, then the row that stood in the way, if one did.
            error_class = load.recorder.condition(kind, result.rows[0][0] == APPLIED)
            if error_class:
                _end_failed(load, conn, sid, Failure(error_class, "its condition did not hold"), now)
                return
        elif not isinstance(result, Void):
            raise ProtocolError(f"{type(result).__name__} answers a statement that returns nothing")
    load.slow_answers += op & KIND_MASK < RETRIED
    attempt = take_back(load, conn, sid)
    conn.release(sid)
    conn.target.ok += 1
    load.recorder.succeed(kind, attempt.due_ns, attempt.sent_ns, now, rows)
    load.end(now)


def _server_error(load: Load, conn: Connection, sid: int, error: ErrorResponse, now: int) -> None:
    details = error.details
    error_class = classes.class_of_code(error.code, conn.rate_limit_code)
    failure = Failure(
        error_class,
        error.message,
        error.code,
        received=getattr(details, "received", 0),
        required=getattr(details, "block_for", 0),
        data_present=getattr(details, "data_present", False),
        write_type=getattr(details, "write_type", ""),
    )
    if error_class == classes.UNPREPARED:
        attempt = take_back(load, conn, sid)
        conn.release(sid)
        load.recorder.attempt_failed(error_class)
        conn.target.failed += 1
        attempt.failures += 1
        # Those behind it were sent with the old id too: one PREPARE is enough.
        if getattr(details, "statement_id", b"") == conn.statement_ids[attempt.op & KIND_MASK]:
            prepare_again(load, conn, attempt.op & KIND_MASK)
        within = attempt.failures <= load.retries.most + 1 and load.retries.spend(now, load.ended, load.in_flight)
        if not within:
            finish_failed(load, conn, attempt, failure, now)
            return
        attempt.last, attempt.again = conn, True
        load.retries.push(attempt, now + REPREPARE_NS)
        return
    _end_failed(load, conn, sid, failure, now)


def _end_failed(load: Load, conn: Connection, sid: int, failure: Failure, now: int) -> None:
    attempt = take_back(load, conn, sid)
    conn.release(sid)
    fail(load, conn, attempt, failure, now)


def fail(load: Load, conn: Connection, attempt: Attempt, failure: Failure, now: int) -> None:
    """An attempt failed: the operation is tried again if it may, else it ends."""
    kind = load.kinds[attempt.op & KIND_MASK]
    load.recorder.attempt_failed(failure.error_class)
    attempt.failures += 1
    attempt.last = conn
    if failure.error_class in _TARGET_TROUBLE:
        conn.trouble(now)
    in_time = load.timeout_each or not attempt.sent_ns or now - attempt.sent_ns < load.timeout_ns
    retried = in_time and load.retries.admit(attempt, failure, kind, now, ended=load.ended, in_flight=load.in_flight)
    if failure.sent and classes.outcome_of(failure.error_class, writes=kind.writes) == classes.UNKNOWN:
        attempt.unsure = True
    conn.target.failed += 1
    if load.retries.policies.get(failure.error_class) == BACKOFF:
        load.limit.halve(now)
        load.concurrency = load.limit.now
    if not retried:
        finish_failed(load, conn, attempt, failure, now)


def finish_failed(load: Load, conn: Connection | None, attempt: Attempt, failure: Failure, now: int) -> None:
    """The operation ends in an error; a write of which any attempt may have happened is unknown."""
    kind = attempt.op & KIND_MASK
    writes = load.kinds[kind].writes
    outcome = classes.outcome_of(failure.error_class, writes=writes, sent=failure.sent)
    if writes and attempt.unsure:
        outcome = classes.UNKNOWN
    load.recorder.fail(
        kind,
        attempt.op >> KIND_BITS,
        failure.error_class,
        attempt.due_ns,
        attempt.sent_ns or now,
        now,
        text=failure.text,
        node=f"{conn.node.address}:{conn.node.port}" if conn is not None else "",
        outcome=outcome,
    )
    load.end(now)


def divert(load: Load, op: int, due: int, now: int) -> None:
    """A new operation whose connection cannot take it now."""
    place(load, Attempt(op, due, since_ns=now), now)


def place(load: Load, attempt: Attempt, now: int) -> None:
    """Sends an operation wherever it can go; parks it while no connection takes it. The sweep ends it in the end."""
    if not try_to_place(load, attempt, now):
        load.parked.append(attempt)


def try_to_place(load: Load, attempt: Attempt, now: int) -> bool:
    """Sends an operation on the best connection that takes it; False where none does."""
    number = attempt.op >> KIND_BITS
    _, row, token = load.plan.step(number)
    choices = load.router.choices(token, number + attempt.failures)
    if attempt.last is not None:
        # The next target is another one, the same target is the same.
        choices.sort(key=lambda conn: (conn is not attempt.last) == attempt.again)
    conn = load.pool.choose(choices, now)
    if conn is None:
        return False
    send(load, conn, attempt, row)
    return True


def send(load: Load, conn: Connection, attempt: Attempt, row: Row) -> None:
    """Adds a request to what a connection sends; the caller has made sure of a free stream id."""
    sid = conn.free.popleft()
    kind = attempt.op & KIND_MASK
    if not conn.used:
        conn.seq = load.pool.new_flush()
        load.dirty.append(conn)
    if attempt.failures:
        conn.attempts[sid] = attempt
        conn.ops[sid] = attempt.op | RETRIED
        load.recorder.retries += 1
    else:
        conn.ops[sid] = attempt.op
    conn.dues[sid] = attempt.due_ns
    conn.flushes[sid] = conn.seq
    conn.queued += 1
    conn.templates[kind].emit(conn, sid, row, attempt.due_ns)
    if conn.used >= load.flush_bytes:
        flush(load, conn)


def flush(load: Load, conn: Connection) -> None:
    """Sends what waits on a connection, and notes when."""
    if not conn.used or conn.blocked_ns:
        return
    pool = load.pool
    pool.ring[conn.seq & RING_MASK] = clock()
    load.sends += 1
    load.sent_operations += conn.queued
    conn.target.issued += conn.queued
    conn.queued = 0
    load.recorder.bytes_out += conn.used
    try:
        if not conn.push():
            pool.block(conn)
    except ConnectionLost as lost:
        lose(load, conn, str(lost))


def lose(load: Load, conn: Connection, reason: str) -> None:
    """The connection is gone: each operation on it failed, those still in our own buffer without having been sent."""
    now = clock()
    attempts = []
    for sid, seq in enumerate(conn.flushes):
        if seq not in (FREE, ORPHAN) and conn.ops[sid] & KIND_MASK != INTERNAL:
            sent = bool(sent_at(load, conn, sid))
            attempts.append((take_back(load, conn, sid), sent))
    load.pool.drop(conn, reason, now)
    for attempt, sent in attempts:
        fail(load, conn, attempt, Failure(classes.CONNECTION, f"connection lost: {reason}", sent=sent), now)


def orphan(load: Load, conn: Connection, sid: int, now: int) -> None:
    """The answer did not come in time: the operation ends, its stream id stays out of use until a late reply."""
    attempt = take_back(load, conn, sid)
    conn.flushes[sid] = ORPHAN
    conn.orphans += 1
    fail(load, conn, attempt, _client_timeout(load), now)
    if conn.orphans > MAX_ORPHANS:
        raise ConnectionLost(f"{conn.orphans} answers are missing")

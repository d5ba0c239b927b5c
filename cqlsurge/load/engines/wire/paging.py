"""Answers that are read by the page: the next page is asked for where the last came from, until there is no other.

The operation keeps its place, its stream id and its due time, and ends with its last page. What has been read so far
is kept by stream id; an attempt that fails on the way loses it and begins anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqlsurge.load.cql.frames import OP_EXECUTE, VERSION
from cqlsurge.load.cql.primitives import Consistency, Reader
from cqlsurge.load.cql.requests import Execute, QueryParameters
from cqlsurge.load.cql.results import Rows, decode_result
from cqlsurge.load.engines.wire.requests import HEADER
from cqlsurge.load.outcomes.classes import PROTOCOL

if TYPE_CHECKING:
    from cqlsurge.load.cql.frames import Frame
    from cqlsurge.load.cql.results import Row
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.load import Load


class PagedRead:
    """What an operation has read: rows, pages; when it was sent first, and when its last page was asked for."""

    __slots__ = ("asked_ns", "pages", "rows", "sent_ns")

    def __init__(self, sent_ns: int) -> None:
        self.rows: list[Row] = []
        self.pages = 0
        self.sent_ns = self.asked_ns = sent_ns


def take_page(
    load: Load, conn: Connection, sid: int, plain: Frame, kind: int, number: int, sent_ns: int, now: int
) -> tuple[str, int, str] | None:
    """A page has come: None where the next one was asked for, else (error class or "", rows, what is wrong) of all.

    Raises ProtocolError for an answer that is broken.
    """
    result = decode_result(Reader(plain.body))
    if not isinstance(result, Rows):
        return PROTOCOL, 0, f"{type(result).__name__} answers a statement that returns rows"
    read = conn.paged.setdefault(sid, PagedRead(sent_ns))
    read.rows += result.rows
    read.pages += 1
    load.recorder.page(kind, now - read.asked_ns)
    wanted = load.kinds[kind].pages
    if result.paging_state is not None and (not wanted or read.pages < wanted):
        _ask(load, conn, sid, kind, number, result.paging_state)
        read.asked_ns = now
        return None
    complete = result.paging_state is None
    fault = None if load.checker.skips(number) or not complete else load.plan.judge(number, read.rows)
    return ("", len(read.rows), "") if fault is None else (fault[0], len(read.rows), fault[1])


def _ask(load: Load, conn: Connection, sid: int, kind: int, number: int, paging_state: bytes) -> None:
    """Adds the request for the next page to what the connection sends."""
    one = load.kinds[kind]
    serial = one.serial_consistency
    parameters = QueryParameters(
        Consistency[one.consistency],
        values=tuple(load.work.workload.operation(number).cells),
        skip_metadata=True,
        page_size=one.page_size,
        paging_state=paging_state,
        serial_consistency=None if serial is None else Consistency[serial],
    )
    body = Execute(conn.statement_ids[kind], parameters).encode_body()
    if not conn.used:
        conn.seq = load.pool.new_flush()
        load.dirty.append(conn)
    conn.flushes[sid] = conn.seq
    conn.queued += 1
    conn.append(HEADER.pack(VERSION, 0, sid, OP_EXECUTE, len(body)) + body)

"""A statement that a node has forgotten is prepared there once more, on the connection that heard of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqlsurge.load.cql.frames import OP_PREPARE, VERSION, Frame
from cqlsurge.load.cql.requests import Prepare
from cqlsurge.load.cql.responses import decode_response
from cqlsurge.load.cql.results import Prepared
from cqlsurge.load.engines.wire.connection import INTERNAL, KIND_BITS
from cqlsurge.load.engines.wire.requests import HEADER

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.load import Load


def prepare_again(load: Load, connection: Connection, kind: int) -> None:
    """Asks the node to prepare a kind's statement, unless that is already under way; no operation goes there before."""
    pool = load.pool
    if kind in connection.preparing or not (connection.free or connection.grow()):
        return
    connection.preparing.add(kind)
    connection.judge_ready()
    sid = connection.free.popleft()

    def done(frame: Frame) -> None:
        connection.preparing.discard(kind)
        connection.judge_ready()
        answer = decode_response(frame, connection.compressor)
        if isinstance(answer, Prepared):
            connection.statement_ids[kind] = answer.statement_id
            connection.templates = pool.make_templates(connection.statement_ids, connection)

    if not connection.used:
        connection.seq = pool.new_flush()
        load.dirty.append(connection)
    connection.internal[sid] = done
    connection.ops[sid] = kind << KIND_BITS | INTERNAL
    connection.flushes[sid] = connection.seq
    body = Prepare(pool.statements[kind]).encode_body()
    connection.append(HEADER.pack(VERSION, 0, sid, OP_PREPARE, len(body)) + body)

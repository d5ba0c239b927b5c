"""The key-value workload's frames as parts to be joined."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from cqlsurge.load.cql.frames import OP_EXECUTE, VERSION
from cqlsurge.load.engines.wire.buffers_python import JoinConnection
from cqlsurge.load.engines.wire.requests import HEADER, LONG, Clock, Template, execute_parts
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.load.workload.mixing import INTOP

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection

#: a key from its halves as the workload gives them on this interpreter
KEY = struct.Struct("<qq" if INTOP else "<QQ")
_KEY_LENGTH = struct.pack(">i", 16)
#: version, flags and stream id of a request, by stream id
HEADS = [struct.pack(">BBH", VERSION, 0, sid) for sid in range(32768)]


def _after_stream(body_bytes: int, before: bytes) -> bytes:
    return struct.pack(">Bi", OP_EXECUTE, body_bytes) + before + _KEY_LENGTH


class KeyValueRead(Template):
    """SELECT by key."""

    def __init__(self, workload: KeyValue, index: int, statement_id: bytes, clock: Clock) -> None:
        before, self.behind = execute_parts(workload.kinds[index], statement_id)
        body_bytes = len(before) + 20 + len(self.behind)
        self.middle = _after_stream(body_bytes, before)
        self.size = HEADER.size + body_bytes

    def emit(self, connection: Connection, sid: int, a: int, b: int, due_ns: int) -> None:
        """See Template; `a` and `b` are the key's halves."""
        conn = cast(JoinConnection, connection)
        conn.parts += (HEADS[sid], self.middle, KEY.pack(a, b), self.behind)
        conn.used += self.size


class KeyValueWrite(Template):
    """INSERT of key and value; where it fits, the value begins with the key."""

    def __init__(self, workload: KeyValue, index: int, statement_id: bytes, clock: Clock) -> None:
        before, self.behind = execute_parts(workload.kinds[index], statement_id)
        self.workload, self.clock = workload, clock
        self.tail_size, self.pool = workload.tail_size, workload.pool
        self.with_key = workload.blob_size >= 16
        body_bytes = len(before) + 24 + workload.blob_size + len(self.behind) + 8
        self.middle = _after_stream(body_bytes, before)
        self.value_length = struct.pack(">i", workload.blob_size)
        self.size = HEADER.size + body_bytes
        self.stamped_ns = -1
        self.end = b""

    def emit(self, connection: Connection, sid: int, a: int, b: int, due_ns: int) -> None:
        """See Template; `a` and `b` are the key's halves."""
        conn = cast(JoinConnection, connection)
        if due_ns != self.stamped_ns:
            self.stamped_ns = due_ns
            self.end = self.behind + LONG.pack(self.clock.timestamp_us(due_ns))
        offset = self.workload.pool_offset(b)
        key = KEY.pack(a, b)
        tail = self.pool[offset : offset + self.tail_size]
        if self.with_key:
            conn.parts += (HEADS[sid], self.middle, key, self.value_length, key, tail, self.end)
        else:
            conn.parts += (HEADS[sid], self.middle, key, self.value_length, tail, self.end)
        conn.used += self.size

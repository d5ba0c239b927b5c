"""The key-value workload's frames in an arena: a head with the key patched in, the value's tail, the timestamp."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, cast

from cqlsurge.load.cql.frames import OP_EXECUTE, VERSION
from cqlsurge.load.engines.wire.answer_form import count_at, plain_body
from cqlsurge.load.engines.wire.buffers_cffi import ArenaConnection, ffi, memcmp, memcpy
from cqlsurge.load.engines.wire.connection import KIND_BITS, KIND_MASK
from cqlsurge.load.engines.wire.plan import KeyValuePlan, Plan
from cqlsurge.load.engines.wire.requests import HEADER, Clock, Template, execute_parts
from cqlsurge.load.engines.wire.verify import Checker
from cqlsurge.load.workload.kv import KeyValue

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection

_KEY = struct.pack(">i", 16) + bytes(16)


def _head(body_bytes: int, start: bytes) -> tuple[Any, int]:
    head = HEADER.pack(VERSION, 0, 0, OP_EXECUTE, body_bytes) + start
    return ffi.new("unsigned char[]", head), len(head)


def _words(head: Any, offset: int) -> Any:
    return ffi.cast("int64_t *", head + offset)


class KeyValueRead(Template):
    """SELECT by key: one head, nothing behind it but what a kind adds for all."""

    def __init__(self, workload: KeyValue, index: int, statement_id: bytes, clock: Clock) -> None:
        before, behind = execute_parts(workload.kinds[index], statement_id)
        body = before + _KEY + behind
        self.head, self.size = _head(len(body), body)
        self.key = _words(self.head, HEADER.size + len(before) + 4)

    def emit(self, connection: Connection, sid: int, a: int, b: int, due_ns: int) -> None:
        """See Template; `a` and `b` are the key's halves."""
        conn = cast(ArenaConnection, connection)
        if conn.used + self.size > conn.capacity:
            conn.reserve(self.size)
        head, key, used = self.head, self.key, conn.used
        head[2] = sid >> 8
        head[3] = sid & 255
        key[0] = a
        key[1] = b
        memcpy(conn.arena + used, head, self.size)
        conn.used = used + self.size


class KeyValueWrite(Template):
    """INSERT of key and value: the head ends with the value's first 16 bytes, which are the key again."""

    def __init__(self, workload: KeyValue, index: int, statement_id: bytes, clock: Clock) -> None:
        before, behind = execute_parts(workload.kinds[index], statement_id)
        self.workload, self.clock = workload, clock
        self.tail_size = workload.tail_size
        with_key = workload.blob_size >= 16
        start = before + _KEY + struct.pack(">i", workload.blob_size) + (bytes(16) if with_key else b"")
        body_bytes = len(start) + self.tail_size + len(behind) + 8
        self.head, self.head_size = _head(body_bytes, start)
        self.key = _words(self.head, HEADER.size + len(before) + 4)
        # Where the value has no room for the key, the second place to write it is the first again.
        self.key_again = _words(self.head, self.head_size - 16) if with_key else self.key
        self.pool = ffi.new("unsigned char[]", workload.pool)
        self.end_size = len(behind) + 8
        self.end = ffi.new("unsigned char[]", behind + bytes(8))
        self.stamped_ns = -1
        self.size = HEADER.size + body_bytes

    def emit(self, connection: Connection, sid: int, a: int, b: int, due_ns: int) -> None:
        """See Template; `a` and `b` are the key's halves."""
        conn = cast(ArenaConnection, connection)
        if conn.used + self.size > conn.capacity:
            conn.reserve(self.size)
        head, key, used, arena = self.head, self.key, conn.used, conn.arena
        head[2] = sid >> 8
        head[3] = sid & 255
        key[0] = a
        key[1] = b
        key = self.key_again
        key[0] = a
        key[1] = b
        memcpy(arena + used, head, self.head_size)
        used += self.head_size
        memcpy(arena + used, self.pool + self.workload.pool_offset(b), self.tail_size)
        used += self.tail_size
        if due_ns != self.stamped_ns:
            self.stamp(due_ns)
        memcpy(arena + used, self.end, self.end_size)
        conn.used = used + self.end_size

    def stamp(self, due_ns: int) -> None:
        """Writes the timestamp of a due time into the end of the frame; operations of a batch often share it."""
        end, at, timestamp = self.end, self.end_size - 8, self.clock.timestamp_us(due_ns)
        self.stamped_ns = due_ns
        end[at] = timestamp >> 56
        end[at + 1] = timestamp >> 48 & 255
        end[at + 2] = timestamp >> 40 & 255
        end[at + 3] = timestamp >> 32 & 255
        end[at + 4] = timestamp >> 24 & 255
        end[at + 5] = timestamp >> 16 & 255
        end[at + 6] = timestamp >> 8 & 255
        end[at + 7] = timestamp & 255


class KeyValueChecker(Checker):
    """Compares a read's row with the pool where it lies, by memcmp."""

    def __init__(self, plan: KeyValuePlan, rows: list[int], share: float) -> None:
        super().__init__(plan, rows, share)
        workload = plan.workload
        self.workload = workload
        self.pool = ffi.new("unsigned char[]", workload.pool)
        self.blob_size, self.tail_size = workload.blob_size, workload.tail_size
        # What follows the flags of the metadata: columns, count, key and value with their lengths.
        self.cells_size = 8 + 20 + 4 + self.blob_size
        self.head = ffi.new("unsigned char[]", struct.pack(">ii", 2, 1) + _KEY)
        self.key = _words(self.head, 12)
        self.length = ffi.new("unsigned char[]", struct.pack(">i", self.blob_size))

    def accept(self, conn: Connection, inbox: Any, start: int, past: int, op: int) -> bool:
        """See Checker."""
        number = op >> KIND_BITS
        if self.skips(number):
            return super().accept(conn, inbox, start, past, op)
        data, body = inbox.bytes, start + HEADER.size
        if data[start + 1]:
            plain = plain_body(inbox, start, past, conn.compressor)
            if plain is None:
                return False
            data, body, past = ffi.from_buffer("unsigned char[]", plain), 0, len(plain)
        if past - body != 8 + self.cells_size or count_at(data, body, past) != body + 12:
            return super().accept(conn, inbox, start, past, op)
        _, a, b, _ = self.plan.step_anywhere(number)
        key, at = self.key, data + body + 8
        key[0] = a
        key[1] = b
        if memcmp(at, self.head, 28) or memcmp(at + 28, self.length, 4):
            return False
        if self.tail_size != self.blob_size and memcmp(at + 32, self.head + 12, 16):
            return False
        if memcmp(at + self.cells_size - self.tail_size, self.pool + self.workload.pool_offset(b), self.tail_size):
            return False
        self.rows[op & KIND_MASK] += 1
        return True


def make_checker(plan: Plan, rows: list[int], share: float) -> Checker:
    """The quickest checker for a plan."""
    return KeyValueChecker(plan, rows, share) if isinstance(plan, KeyValuePlan) else Checker(plan, rows, share)

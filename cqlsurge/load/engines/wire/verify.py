"""Whether a read gave what its key says it must: missing and wrong rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import HEADER_BYTES
from cqlsurge.load.cql.primitives import Reader
from cqlsurge.load.cql.results import Rows, decode_result
from cqlsurge.load.engines.sample import below_of, checked
from cqlsurge.load.engines.wire.answer_form import COUNT_AT, count_at, plain_body, rows_in
from cqlsurge.load.engines.wire.connection import KIND_BITS, KIND_MASK
from cqlsurge.load.outcomes.classes import PROTOCOL

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.plan import Plan


class Checker:
    """Checks the answers of reads; `check_below` of 65536 numbers are checked, the others only counted.

    `accept` is the quick way, for answers as they come when all is right; `judge` takes the time to say what is wrong.
    """

    def __init__(self, plan: Plan, rows: list[int], share: float) -> None:
        self.plan, self.rows = plan, rows
        self.empty = [0] * len(rows)
        self.share_below = below_of(share)
        self.paged = [kind.pages != 1 for kind in plan.workload.kinds]
        self.paged_any = any(self.paged)
        # Where answers are read by the page, no answer is plain before it was looked at.
        self.check_below = max(self.share_below, int(self.paged_any))
        self._accepts = plan.program.accepts
        self._memory = plan.program.memory

    def skips(self, number: int) -> bool:
        """Whether this operation's answer is not in the sample."""
        return not checked(number, self.share_below)

    def accept(self, conn: Connection, inbox: Any, start: int, past: int, op: int) -> bool:
        """Counts, and where asked for checks, the rows of a RESULT frame; False where there is more to say about it."""
        kind = op & KIND_MASK
        if self.paged[kind]:
            return False
        number, accept = op >> KIND_BITS, self._accepts[kind]
        if accept is not None and not self.skips(number):
            data, body, end = inbox.bytes, start + HEADER_BYTES, past
            if data[start + 1]:
                plain = plain_body(inbox, start, past, conn.compressor)
                if plain is None:
                    return False
                data, body, end = self._memory(plain), 0, len(plain)
            if count_at(data, body, end) == body + COUNT_AT:
                rows = accept(data, body, end, number)
                if rows >= 0:
                    self.rows[kind] += rows
                    self.empty[kind] += not rows
                    return True
        return self._accept_slowly(conn, inbox, start, past, op)

    def _accept_slowly(self, conn: Connection, inbox: Any, start: int, past: int, op: int) -> bool:
        rows = rows_in(inbox, start, past, conn.compressor)
        if rows < 0:
            return False
        number = op >> KIND_BITS
        if not self.skips(number):
            body = plain_body(inbox, start, past, conn.compressor)
            try:
                if body is None or self.judge(Reader(body), number)[0]:
                    return False
            except ProtocolError:
                return False
        self.rows[op & KIND_MASK] += rows
        self.empty[op & KIND_MASK] += not rows
        return True

    def judge(self, reader: Reader, number: int) -> tuple[str, int, str]:
        """(error class or "", rows, what is wrong) of a RESULT body. Raises ProtocolError for one that is broken."""
        result = decode_result(reader)
        if not isinstance(result, Rows):
            return PROTOCOL, 0, f"{type(result).__name__} answers a statement that returns rows"
        rows = result.rows
        fault = None if self.skips(number) else self.plan.judge(number, rows)
        return ("", len(rows), "") if fault is None else (fault[0], len(rows), fault[1])

"""The forms that a plain success may have, and where in it the count of rows stands.

A plain success is a RESULT of kind Void, or of kind Rows without column names. The same rows come in many forms: with
the bit of a global table specification (Cassandra and ScyllaDB leave it set where names are left out) or without, with
a paging state, with warnings before them, compressed. To be counted, no answer is inflated beyond its first bytes.
native_protocol_v4.spec, sections 2.2 and 4.2.5.2; lz4_Block_format.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.envelope import open_frame
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import (
    FLAG_COMPRESSED,
    FLAG_TRACING,
    FLAG_WARNING,
    HEADER_BYTES,
    OP_RESULT,
    RESPONSE,
    VERSION,
    Frame,
)

if TYPE_CHECKING:
    from cqlsurge.load.cql.compression import Compressor

#: instead of a count: a RESULT of kind Void; anything that is no plain success
VOID, ODD = -1, -2

#: flags of Rows metadata
GLOBAL_SPEC, MORE_PAGES, NO_NAMES = 1, 2, 4
#: the body of Rows without names or paging state: kind, flags, columns, count
HEAD_BYTES = 16
#: where the count stands in it
COUNT_AT = 12
_LENGTH_BYTES = 4
_ENVELOPE = FLAG_COMPRESSED | FLAG_TRACING | FLAG_WARNING


def count_at(data: Any, body: int, past: int) -> int:
    """Where the count of rows stands in the plain body of a RESULT, bytes `body` to `past`; or VOID, or ODD."""
    if past - body < 4 or data[body] | data[body + 1] | data[body + 2]:
        return ODD
    if data[body + 3] != 2:
        return VOID if data[body + 3] == 1 else ODD
    if past - body < HEAD_BYTES or data[body + 4] | data[body + 5] | data[body + 6]:
        return ODD
    flags = data[body + 7]
    if flags & ~(GLOBAL_SPEC | MORE_PAGES) != NO_NAMES:
        return ODD
    at = body + COUNT_AT
    if flags & MORE_PAGES:
        size = _int_at(data, at)
        at += 4 if size & 0x80000000 else 4 + size
    return at if at + 4 <= past and data[at] < 128 else ODD


def rows_in(inbox: Any, start: int, past: int, compressor: Compressor | None) -> int:
    """How many rows a RESULT frame holds, bytes `start` to `past` of the inbox; or VOID, or ODD."""
    data: Any = inbox.bytes
    body, flags = start + HEADER_BYTES, data[start + 1]
    try:
        if flags == FLAG_COMPRESSED and compressor is not None:
            data = first_bytes(data, body, past, HEAD_BYTES)
            body, past_head = 0, len(data)
            at = count_at(data, body, past_head)
            if at == ODD and past_head == HEAD_BYTES and data[7] & MORE_PAGES:
                # The paging state stands before the count.
                data = plain_body(inbox, start, past, compressor)
                at = ODD if data is None else count_at(data, 0, len(data))
        elif flags:
            data = plain_body(inbox, start, past, compressor)
            at = ODD if data is None else count_at(data, 0, len(data))
        else:
            at = count_at(data, body, past)
    except ProtocolError:
        return ODD
    return at if at < 0 else _int_at(data, at)


def plain_body(inbox: Any, start: int, past: int, compressor: Compressor | None) -> bytes | None:
    """The message in a RESULT frame, out of its envelope; None where that is broken or holds a payload."""
    data = inbox.slice(start, past)
    if data[0] != VERSION | RESPONSE or data[4] != OP_RESULT or data[1] & ~_ENVELOPE:
        return None
    try:
        return open_frame(Frame(VERSION, data[1], 0, data[4], data[HEADER_BYTES:]), compressor).frame.body
    except ProtocolError:
        return None


def first_bytes(data: Any, at: int, past: int, wanted: int) -> list[int]:
    """The first bytes of a compressed body, `wanted` or all that it has. Raises ProtocolError for what is no LZ4 block.

    A block is a row of sequences: token (lengths of literals and match), literals, the match's distance.
    """
    if past - at < _LENGTH_BYTES:
        raise ProtocolError(f"a compressed body of {past - at} bytes")
    wanted = min(wanted, _int_at(data, at))
    at += _LENGTH_BYTES
    plain: list[int] = []
    while len(plain) < wanted:
        if at >= past:
            raise ProtocolError("a compressed body that ends too early")
        token = data[at]
        at += 1
        literals = token >> 4
        if literals == 15:
            literals, at = _more_of_length(data, at, past, literals)
        if at + min(literals, wanted - len(plain)) > past:
            raise ProtocolError("a compressed body that ends too early")
        plain += [data[place] for place in range(at, at + min(literals, wanted - len(plain)))]
        at += literals
        if len(plain) < wanted:
            if at + 2 > past:
                raise ProtocolError("a compressed body that ends too early")
            distance = data[at] | data[at + 1] << 8
            at += 2
            match = token & 15
            if match == 15:
                match, at = _more_of_length(data, at, past, match)
            if not 0 < distance <= len(plain):
                raise ProtocolError("a compressed body that repeats what it does not hold")
            for _ in range(min(match + 4, wanted - len(plain))):
                plain.append(plain[-distance])
    return plain


def _more_of_length(data: Any, at: int, past: int, length: int) -> tuple[int, int]:
    """A length that goes on in further bytes, and where they end."""
    while at < past:
        more = data[at]
        at += 1
        length += more
        if more != 255:
            break
    return length, at


def _int_at(data: Any, at: int) -> int:
    return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]  # type: ignore[no-any-return]

"""Around the message in a frame: compression, tracing, warnings, custom payload (native_protocol_v4.spec, section 2.2).

The body of a response is `[tracing id][warnings][payload]message`, of a request `[payload]message`, each part only
with its flag; compression is over all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cqlsurge.load.cql import frames
from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import Frame, encode_frame
from cqlsurge.load.cql.primitives import PayloadMap, Reader

if TYPE_CHECKING:
    from uuid import UUID

    from cqlsurge.load.cql.compression import Compressor

NEVER_COMPRESSED = frozenset({frames.OP_STARTUP, frames.OP_OPTIONS})


class Opened(NamedTuple):
    """A frame without its envelope, and what the envelope held.

    `frame` is plain: its flags are 0 and its body is the message alone. `tracing` is the flag: a request asks for
    tracing, a response has a `tracing_id`.
    """

    frame: Frame
    tracing: bool = False
    tracing_id: UUID | None = None
    warnings: tuple[str, ...] = ()
    payload: PayloadMap | None = None


def open_frame(frame: Frame, compressor: Compressor | None = None) -> Opened:
    """Take off the envelope. Raises ProtocolError, also for a compressed frame without a `compressor`."""
    flags = frame.flags
    if not flags:
        return Opened(frame)
    try:
        body = frame.body
        if flags & frames.FLAG_COMPRESSED:
            if compressor is None:
                raise ProtocolError("a compressed frame on a connection without compression")
            body = compressor.decompress(body)
        reader = Reader(body)
        response = frame.opcode in frames.RESPONSE_OPCODES
        tracing = bool(flags & frames.FLAG_TRACING)
        tracing_id = reader.uuid() if response and tracing else None
        warnings = tuple(reader.string_list()) if response and flags & frames.FLAG_WARNING else ()
        payload = reader.bytes_map() if flags & frames.FLAG_PAYLOAD else None
    except ProtocolError as error:
        raise error.at(frame) from None
    if reader.position:
        body = body[reader.position :]
    return Opened(frame._replace(flags=0, body=body), tracing, tracing_id, warnings, payload)


def seal_frame(
    opcode: int,
    message: bytes,
    stream: int = 0,
    *,
    tracing: bool = False,
    tracing_id: UUID | None = None,
    warnings: tuple[str, ...] = (),
    payload: PayloadMap | None = None,
    compressor: Compressor | None = None,
    always: bool = False,
    version: int = frames.VERSION,
) -> bytes:
    """A whole frame around a message body. `tracing` asks for it in a request; `tracing_id` and `warnings` answer.

    With a `compressor` the body goes out compressed where that makes it smaller, or `always`, as servers do that agreed
    on LZ4.
    """
    flags = frames.FLAG_TRACING if tracing or tracing_id is not None else 0
    parts = [message]
    if payload is not None:
        flags |= frames.FLAG_PAYLOAD
        parts.insert(0, p.write_bytes_map(payload))
    if warnings:
        flags |= frames.FLAG_WARNING
        parts.insert(0, p.write_string_list(warnings))
    if tracing_id is not None:
        parts.insert(0, tracing_id.bytes)
    body = b"".join(parts)
    if compressor is not None and body and opcode not in NEVER_COMPRESSED:
        smaller = compressor.compress(body, always=always)
        if smaller is not None:
            body = smaller
            flags |= frames.FLAG_COMPRESSED
    return encode_frame(opcode, body, stream, flags, version)

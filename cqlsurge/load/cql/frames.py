"""Frames of the CQL binary protocol: constants, one frame to bytes, bytes to frames.

Source: native_protocol_v4.spec, section 2. Header, 9 bytes, big-endian: version, flags, stream, opcode, body length.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from cqlsurge.load.cql.errors import ProtocolError, WireValueError

VERSION = 4
RESPONSE = 0x80  # direction bit of the version byte

FLAG_COMPRESSED = 0x01
FLAG_TRACING = 0x02
FLAG_PAYLOAD = 0x04
FLAG_WARNING = 0x08

OP_ERROR = 0x00
OP_STARTUP = 0x01
OP_READY = 0x02
OP_AUTHENTICATE = 0x03
OP_OPTIONS = 0x05
OP_SUPPORTED = 0x06
OP_QUERY = 0x07
OP_RESULT = 0x08
OP_PREPARE = 0x09
OP_EXECUTE = 0x0A
OP_REGISTER = 0x0B
OP_EVENT = 0x0C
OP_BATCH = 0x0D
OP_AUTH_CHALLENGE = 0x0E
OP_AUTH_RESPONSE = 0x0F
OP_AUTH_SUCCESS = 0x10

REQUEST_OPCODES = frozenset(
    {OP_STARTUP, OP_OPTIONS, OP_QUERY, OP_PREPARE, OP_EXECUTE, OP_REGISTER, OP_BATCH, OP_AUTH_RESPONSE}
)
RESPONSE_OPCODES = frozenset(
    {
        OP_ERROR, OP_READY, OP_AUTHENTICATE, OP_SUPPORTED, OP_RESULT, OP_EVENT, OP_AUTH_CHALLENGE, OP_AUTH_SUCCESS,
    }
)  # fmt: skip

EVENT_STREAM = -1
HEADER_BYTES = 9
OLD_HEADER_BYTES = 8  # protocol v1 and v2: one byte of stream id
MAX_FRAME_BYTES = 256 * 1024 * 1024  # "the body length is limited to 256MB" (section 2.5)

CLIENT = "client"
SERVER = "server"

_HEADER = struct.Struct(">BBhBi")
_OLD_HEADER = struct.Struct(">BBbBi")


class Frame(NamedTuple):
    """One frame. `version` is without the direction bit, which follows from the opcode."""

    version: int
    flags: int
    stream: int
    opcode: int
    body: bytes


def encode_frame(opcode: int, body: bytes, stream: int = 0, flags: int = 0, version: int = VERSION) -> bytes:
    """A whole frame; the direction bit is set from the opcode."""
    if len(body) > MAX_FRAME_BYTES:
        raise WireValueError(f"a frame body of {len(body)} bytes is more than the protocol's {MAX_FRAME_BYTES}")
    if opcode in RESPONSE_OPCODES:
        version |= RESPONSE
    return _HEADER.pack(version, flags, stream, opcode, len(body)) + body


class FrameDecoder:
    """Bytes as they come in, whole frames out; keeps at most one unfinished frame.

    `role` is who we are: a SERVER takes requests, a CLIENT takes responses. `versions` are those taken as frames.
    """

    def __init__(
        self, role: str, max_frame_bytes: int = MAX_FRAME_BYTES, versions: tuple[int, ...] = (VERSION,)
    ) -> None:
        if role not in (CLIENT, SERVER):
            raise WireValueError(f"role {role!r}: neither {CLIENT!r} nor {SERVER!r}")
        self.max_frame_bytes = max_frame_bytes
        self._direction = RESPONSE if role == CLIENT else 0
        self._versions = versions
        self._known = bytes(byte ^ self._direction in versions for byte in range(256))  # by first byte: is it taken?
        self._buffer = bytearray()
        self._needed = 1  # bytes before anything new can be said about the frame in the buffer
        self._error: ProtocolError | None = None

    @property
    def buffered_bytes(self) -> int:
        """Bytes of the unfinished frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """All frames that `data` completes, in order.

        Raises ProtocolError at a header that cannot be right (its `frames` hold those before it), and again at each
        later call: there is no way back into step.
        """
        if self._error is not None:
            raise self._error
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        frames: list[Frame] = []
        try:
            position = self._walk(data, frames)
        except ProtocolError as error:
            error.frames = frames
            self._error = error
            raise
        if position < len(data):
            self._buffer += memoryview(data)[position:]
        return frames

    def _walk(self, data: bytes, frames: list[Frame]) -> int:
        """Append the whole frames of `data`; the position of what is left over."""
        position = 0
        end = len(data)
        known, direction, limit = self._known, self._direction, self.max_frame_bytes
        while True:
            body = position + HEADER_BYTES
            if end < body:
                self._needed = self._header_bytes(data, position, end)
                return position
            version, flags, stream, opcode, length = _HEADER.unpack_from(data, position)
            if not known[version] or length < 0 or length > limit:
                raise self._fault(data, position)
            if end < body + length:
                self._needed = HEADER_BYTES + length
                return position
            position = body + length
            frames.append(Frame(version ^ direction, flags, stream, opcode, data[body:position]))

    def _header_bytes(self, data: bytes, position: int, end: int) -> int:
        """How long the unfinished header at `position` will be; raises when it is an old one and complete."""
        if end == position:
            return 1
        if data[position] & ~RESPONSE not in (1, 2):
            return HEADER_BYTES
        if end - position >= OLD_HEADER_BYTES:
            raise self._fault(data, position)
        return OLD_HEADER_BYTES

    def _fault(self, data: bytes, position: int) -> ProtocolError:
        version = data[position] & ~RESPONSE
        layout = _OLD_HEADER if version in (1, 2) else _HEADER
        first, _, stream, opcode, length = layout.unpack_from(data, position)
        unsupported = False
        if first & RESPONSE != self._direction:
            text = (
                f"a {'response' if first & RESPONSE else 'request'} frame in the wrong direction (byte 0x{first:02x})"
            )
        elif version not in self._versions:
            unsupported = True
            text = (
                f"Invalid or unsupported protocol version: {version}; supported: {', '.join(map(str, self._versions))}"
            )
        else:
            text = f"a frame body of {length} bytes; the limit is {self.max_frame_bytes}"
        return ProtocolError(text, stream=stream, version=version, opcode=opcode, unsupported_version=unsupported)

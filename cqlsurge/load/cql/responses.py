"""What a server answers (native_protocol_v4.spec, section 4.2): messages to bodies, frames to messages.

Bytes behind a message are ignored, as the specification asks of clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, ClassVar, Union

from cqlsurge.load.cql import frames
from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql.envelope import open_frame
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.events import Event, decode_event
from cqlsurge.load.cql.primitives import Reader
from cqlsurge.load.cql.results import Result, decode_result
from cqlsurge.load.cql.server_errors import ErrorResponse

if TYPE_CHECKING:
    from cqlsurge.load.cql.compression import Compressor
    from cqlsurge.load.cql.frames import Frame


@dataclass(frozen=True)
class Ready:
    """READY: the connection may be used."""

    opcode: ClassVar[int] = frames.OP_READY

    def encode_body(self) -> bytes:
        return b""

    @classmethod
    def decode(cls, reader: Reader) -> Ready:
        return cls()


@dataclass(frozen=True)
class Authenticate:
    """AUTHENTICATE: the server's authenticator class."""

    authenticator: str
    opcode: ClassVar[int] = frames.OP_AUTHENTICATE

    def encode_body(self) -> bytes:
        return p.write_string(self.authenticator)

    @classmethod
    def decode(cls, reader: Reader) -> Authenticate:
        return cls(reader.string())


@dataclass(frozen=True)
class AuthChallenge:
    """AUTH_CHALLENGE: the SASL token."""

    token: bytes | None
    opcode: ClassVar[int] = frames.OP_AUTH_CHALLENGE

    def encode_body(self) -> bytes:
        return p.write_bytes(self.token)

    @classmethod
    def decode(cls, reader: Reader) -> AuthChallenge:
        return cls(reader.blob())


@dataclass(frozen=True)
class AuthSuccess:
    """AUTH_SUCCESS: the last SASL token, or None."""

    token: bytes | None = None
    opcode: ClassVar[int] = frames.OP_AUTH_SUCCESS

    def encode_body(self) -> bytes:
        return p.write_bytes(self.token)

    @classmethod
    def decode(cls, reader: Reader) -> AuthSuccess:
        return cls(reader.blob())


@dataclass(frozen=True)
class Supported:
    """SUPPORTED: each option with its values."""

    options: dict[str, list[str]]
    opcode: ClassVar[int] = frames.OP_SUPPORTED

    def encode_body(self) -> bytes:
        return p.write_string_multimap(self.options)

    @classmethod
    def decode(cls, reader: Reader) -> Supported:
        return cls(reader.string_multimap())


Response = Union[Ready, Authenticate, AuthChallenge, AuthSuccess, Supported, Result, Event, ErrorResponse]

_DECODERS: dict[int, Callable[[Reader], Response]] = {
    frames.OP_READY: Ready.decode,
    frames.OP_AUTHENTICATE: Authenticate.decode,
    frames.OP_SUPPORTED: Supported.decode,
    frames.OP_RESULT: decode_result,
    frames.OP_EVENT: decode_event,
    frames.OP_AUTH_CHALLENGE: AuthChallenge.decode,
    frames.OP_AUTH_SUCCESS: AuthSuccess.decode,
}


def decode_response(frame: Frame, compressor: Compressor | None = None, rate_limit_code: int | None = None) -> Response:
    """The response in a frame; tracing id, warnings and payload are open_frame()'s to tell. Raises ProtocolError.

    `rate_limit_code` is the one that SUPPORTED announced and STARTUP asked for.
    """
    try:
        plain = open_frame(frame, compressor).frame
        reader = Reader(plain.body)
        if plain.opcode == frames.OP_ERROR:
            return ErrorResponse.decode(reader, rate_limit_code)
        decoder = _DECODERS.get(plain.opcode)
        if decoder is None:
            raise ProtocolError(f"opcode 0x{frame.opcode:02x} is no response")
        return decoder(reader)
    except ProtocolError as error:
        raise error.at(frame) from None

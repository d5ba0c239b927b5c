"""What a client sends (native_protocol_v4.spec, section 4.1): messages to bodies, frames to messages.

Requests are decoded strictly: a byte too many or an unknown flag is a ProtocolError.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, ClassVar, Union

from cqlsurge.load.cql import frames
from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql.envelope import open_frame
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.primitives import Consistency, Reader, Value

if TYPE_CHECKING:
    from cqlsurge.load.cql.compression import Compressor
    from cqlsurge.load.cql.frames import Frame

FLAG_VALUES = 0x01
FLAG_SKIP_METADATA = 0x02
FLAG_PAGE_SIZE = 0x04
FLAG_PAGING_STATE = 0x08
FLAG_SERIAL_CONSISTENCY = 0x10
FLAG_TIMESTAMP = 0x20
FLAG_NAMES = 0x40
_QUERY_FLAGS = 0x7F
_BATCH_FLAGS = FLAG_SERIAL_CONSISTENCY | FLAG_TIMESTAMP

CQL_VERSION = "3.0.0"


class BatchType(enum.IntEnum):
    """Kinds of batch by their wire number."""

    LOGGED = 0
    UNLOGGED = 1
    COUNTER = 2


@dataclass(frozen=True)
class QueryParameters:
    """Options of QUERY and EXECUTE. `values` None sends none and leaves the flag clear; `names` go with the values."""

    consistency: Consistency = Consistency.ONE
    values: tuple[Value, ...] | None = None
    names: tuple[str, ...] | None = None
    skip_metadata: bool = False
    page_size: int | None = None
    paging_state: bytes | None = None
    serial_consistency: Consistency | None = None
    timestamp_us: int | None = None

    @property
    def flags(self) -> int:
        """The flags byte."""
        return (
            (FLAG_VALUES if self.values is not None else 0)
            | (FLAG_SKIP_METADATA if self.skip_metadata else 0)
            | (FLAG_PAGE_SIZE if self.page_size is not None else 0)
            | (FLAG_PAGING_STATE if self.paging_state is not None else 0)
            | (FLAG_SERIAL_CONSISTENCY if self.serial_consistency is not None else 0)
            | (FLAG_TIMESTAMP if self.timestamp_us is not None else 0)
            | (FLAG_NAMES if self.names is not None else 0)
        )

    def encode(self) -> bytes:
        """`<consistency><flags>[values][page size][paging state][serial consistency][timestamp]`."""
        parts = [p.write_short(self.consistency), p.write_byte(self.flags)]
        if self.values is not None:
            parts.append(_encode_values(self.values, self.names))
        elif self.names is not None:
            raise WireValueError("names of values without values")
        if self.page_size is not None:
            parts.append(p.write_int(self.page_size))
        if self.paging_state is not None:
            parts.append(p.write_bytes(self.paging_state))
        return b"".join(parts) + _encode_batch_tail(self.serial_consistency, self.timestamp_us)

    @classmethod
    def decode(cls, reader: Reader) -> QueryParameters:
        """Read them where the reader stands."""
        consistency = reader.consistency()
        flags = reader.byte()
        if flags & ~_QUERY_FLAGS:
            raise ProtocolError(f"unknown query flags 0x{flags:02x}")
        names, values = None, None
        if flags & FLAG_VALUES:
            names, values = _decode_values(reader, bool(flags & FLAG_NAMES))
        elif flags & FLAG_NAMES:
            raise ProtocolError("names of values without values")
        return cls(
            consistency=consistency,
            values=values,
            names=names,
            skip_metadata=bool(flags & FLAG_SKIP_METADATA),
            page_size=reader.int32() if flags & FLAG_PAGE_SIZE else None,
            paging_state=(reader.blob() or b"") if flags & FLAG_PAGING_STATE else None,
            serial_consistency=reader.consistency() if flags & FLAG_SERIAL_CONSISTENCY else None,
            timestamp_us=reader.int64() if flags & FLAG_TIMESTAMP else None,
        )


def _encode_values(values: tuple[Value, ...], names: tuple[str, ...] | None) -> bytes:
    if names is None:
        return p.write_short(len(values)) + b"".join(map(p.write_value, values))
    if len(names) != len(values):
        raise WireValueError(f"{len(names)} names for {len(values)} values")
    pairs = zip(names, values)
    return p.write_short(len(values)) + b"".join(p.write_string(name) + p.write_value(value) for name, value in pairs)


def _decode_values(reader: Reader, named: bool) -> tuple[tuple[str, ...] | None, tuple[Value, ...]]:
    count = reader.short()
    if not named:
        return None, tuple([reader.value() for _ in range(count)])
    pairs = [(reader.string(), reader.value()) for _ in range(count)]
    return tuple([name for name, _ in pairs]), tuple([value for _, value in pairs])


def _encode_batch_tail(serial_consistency: Consistency | None, timestamp_us: int | None) -> bytes:
    serial = b"" if serial_consistency is None else p.write_short(serial_consistency)
    return serial if timestamp_us is None else serial + p.write_long(timestamp_us)


@dataclass(frozen=True)
class Startup:
    """STARTUP: CQL_VERSION, and COMPRESSION and extensions as wanted."""

    options: dict[str, str] = field(default_factory=lambda: {"CQL_VERSION": CQL_VERSION})
    opcode: ClassVar[int] = frames.OP_STARTUP

    def encode_body(self) -> bytes:
        return p.write_string_map(self.options)

    @classmethod
    def decode(cls, reader: Reader) -> Startup:
        return cls(reader.string_map())


@dataclass(frozen=True)
class Options:
    """OPTIONS: asks for SUPPORTED."""

    opcode: ClassVar[int] = frames.OP_OPTIONS

    def encode_body(self) -> bytes:
        return b""

    @classmethod
    def decode(cls, reader: Reader) -> Options:
        return cls()


@dataclass(frozen=True)
class Query:
    """QUERY: CQL text with its parameters."""

    query: str
    parameters: QueryParameters = QueryParameters()
    opcode: ClassVar[int] = frames.OP_QUERY

    def encode_body(self) -> bytes:
        return p.write_long_string(self.query) + self.parameters.encode()

    @classmethod
    def decode(cls, reader: Reader) -> Query:
        return cls(reader.long_string(), QueryParameters.decode(reader))


@dataclass(frozen=True)
class Prepare:
    """PREPARE: CQL text."""

    query: str
    opcode: ClassVar[int] = frames.OP_PREPARE

    def encode_body(self) -> bytes:
        return p.write_long_string(self.query)

    @classmethod
    def decode(cls, reader: Reader) -> Prepare:
        return cls(reader.long_string())


@dataclass(frozen=True)
class Execute:
    """EXECUTE: a prepared statement's id with its parameters."""

    statement_id: bytes
    parameters: QueryParameters = QueryParameters()
    opcode: ClassVar[int] = frames.OP_EXECUTE

    def encode_body(self) -> bytes:
        return p.write_short_bytes(self.statement_id) + self.parameters.encode()

    @classmethod
    def decode(cls, reader: Reader) -> Execute:
        return cls(reader.short_bytes(), QueryParameters.decode(reader))


@dataclass(frozen=True)
class BatchStatement:
    """One statement of a batch: CQL text, or the id of a prepared one."""

    statement: str | bytes
    values: tuple[Value, ...] = ()

    def encode(self) -> bytes:
        if isinstance(self.statement, str):
            head = b"\0" + p.write_long_string(self.statement)
        else:
            head = b"\1" + p.write_short_bytes(self.statement)
        return head + _encode_values(self.values, None)

    @classmethod
    def decode(cls, reader: Reader) -> BatchStatement:
        kind = reader.byte()
        if kind > 1:
            raise ProtocolError(f"unknown kind {kind} of a statement in a batch")
        statement = reader.short_bytes() if kind else reader.long_string()
        return cls(statement, _decode_values(reader, named=False)[1])


@dataclass(frozen=True)
class Batch:
    """BATCH. Named values are not taken: the v4 layout has them where no server can read them (CASSANDRA-10246)."""

    statements: tuple[BatchStatement, ...]
    type: BatchType = BatchType.LOGGED
    consistency: Consistency = Consistency.ONE
    serial_consistency: Consistency | None = None
    timestamp_us: int | None = None
    opcode: ClassVar[int] = frames.OP_BATCH

    def encode_body(self) -> bytes:
        flags = (FLAG_SERIAL_CONSISTENCY if self.serial_consistency is not None else 0) | (
            FLAG_TIMESTAMP if self.timestamp_us is not None else 0
        )
        head = p.write_byte(self.type) + p.write_short(len(self.statements))
        statements = b"".join([statement.encode() for statement in self.statements])
        tail = p.write_short(self.consistency) + p.write_byte(flags)
        return head + statements + tail + _encode_batch_tail(self.serial_consistency, self.timestamp_us)

    @classmethod
    def decode(cls, reader: Reader) -> Batch:
        number = reader.byte()
        try:
            kind = BatchType(number)
        except ValueError:
            raise ProtocolError(f"unknown batch type {number}") from None
        statements = tuple([BatchStatement.decode(reader) for _ in range(reader.short())])
        consistency = reader.consistency()
        flags = reader.byte()
        if flags & ~_BATCH_FLAGS:
            raise ProtocolError(f"unknown batch flags 0x{flags:02x}")
        return cls(
            statements,
            kind,
            consistency,
            serial_consistency=reader.consistency() if flags & FLAG_SERIAL_CONSISTENCY else None,
            timestamp_us=reader.int64() if flags & FLAG_TIMESTAMP else None,
        )


@dataclass(frozen=True)
class Register:
    """REGISTER: names of the event types wanted."""

    event_types: tuple[str, ...]
    opcode: ClassVar[int] = frames.OP_REGISTER

    def encode_body(self) -> bytes:
        return p.write_string_list(self.event_types)

    @classmethod
    def decode(cls, reader: Reader) -> Register:
        return cls(tuple(reader.string_list()))


@dataclass(frozen=True)
class AuthResponse:
    """AUTH_RESPONSE: the SASL token."""

    token: bytes | None
    opcode: ClassVar[int] = frames.OP_AUTH_RESPONSE

    def encode_body(self) -> bytes:
        return p.write_bytes(self.token)

    @classmethod
    def decode(cls, reader: Reader) -> AuthResponse:
        return cls(reader.blob())


Request = Union[Startup, Options, Query, Prepare, Execute, Batch, Register, AuthResponse]

_DECODERS: dict[int, Callable[[Reader], Request]] = {
    frames.OP_STARTUP: Startup.decode,
    frames.OP_OPTIONS: Options.decode,
    frames.OP_QUERY: Query.decode,
    frames.OP_PREPARE: Prepare.decode,
    frames.OP_EXECUTE: Execute.decode,
    frames.OP_BATCH: Batch.decode,
    frames.OP_REGISTER: Register.decode,
    frames.OP_AUTH_RESPONSE: AuthResponse.decode,
}


def decode_request(frame: Frame, compressor: Compressor | None = None) -> Request:
    """The request in a frame; its tracing flag and payload are open_frame()'s to tell. Raises ProtocolError."""
    try:
        plain = open_frame(frame, compressor).frame
        decoder = _DECODERS.get(plain.opcode)
        if decoder is None:
            raise ProtocolError(f"opcode 0x{frame.opcode:02x} is no request")
        reader = Reader(plain.body)
        request = decoder(reader)
        reader.finish()
    except ProtocolError as error:
        raise error.at(frame) from None
    return request

"""ERROR bodies: every code with what follows its message (native_protocol_v4.spec, section 9; ScyllaDB's too)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Union

from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql.errors import PROTOCOL_ERROR_CODE
from cqlsurge.load.cql.frames import OP_ERROR
from cqlsurge.load.cql.primitives import Consistency, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER_ERROR = 0x0000
PROTOCOL_ERROR = PROTOCOL_ERROR_CODE
BAD_CREDENTIALS = 0x0100
UNAVAILABLE = 0x1000
OVERLOADED = 0x1001
IS_BOOTSTRAPPING = 0x1002
TRUNCATE_ERROR = 0x1003
WRITE_TIMEOUT = 0x1100
READ_TIMEOUT = 0x1200
READ_FAILURE = 0x1300
FUNCTION_FAILURE = 0x1400
WRITE_FAILURE = 0x1500
CDC_WRITE_FAILURE = 0x1600
CAS_WRITE_UNKNOWN = 0x1700  # Cassandra, v5; the body is the same wherever it is sent
SYNTAX_ERROR = 0x2000
UNAUTHORIZED = 0x2100
INVALID = 0x2200
CONFIG_ERROR = 0x2300
ALREADY_EXISTS = 0x2400
UNPREPARED = 0x2500
SCYLLA_RATE_LIMIT_ERROR = 0xF000  # what ScyllaDB announces today; a client must use the code of SUPPORTED


class UnavailableDetails(NamedTuple):
    """Not enough replicas alive to try."""

    consistency: Consistency
    required: int
    alive: int


class WriteTimeoutDetails(NamedTuple):
    """`write_type`: SIMPLE, BATCH, UNLOGGED_BATCH, COUNTER, BATCH_LOG; ScyllaDB also CAS and VIEW."""

    consistency: Consistency
    received: int
    block_for: int
    write_type: str


class ReadTimeoutDetails(NamedTuple):
    """`data_present`: the replica asked for data answered."""

    consistency: Consistency
    received: int
    block_for: int
    data_present: bool


class ReadFailureDetails(NamedTuple):
    """`failures`: replicas that failed."""

    consistency: Consistency
    received: int
    block_for: int
    failures: int
    data_present: bool


class WriteFailureDetails(NamedTuple):
    """`failures`: replicas that failed."""

    consistency: Consistency
    received: int
    block_for: int
    failures: int
    write_type: str


class FunctionFailureDetails(NamedTuple):
    """A user-defined function failed."""

    keyspace: str
    function: str
    argument_types: tuple[str, ...]


class CasWriteUnknownDetails(NamedTuple):
    """A lightweight transaction that may or may not be committed."""

    consistency: Consistency
    received: int
    block_for: int


class AlreadyExistsDetails(NamedTuple):
    """`table` is empty for a keyspace."""

    keyspace: str
    table: str


class UnpreparedDetails(NamedTuple):
    """The id that the node does not know."""

    statement_id: bytes


class RateLimitDetails(NamedTuple):
    """ScyllaDB's per-partition rate limit; `operation` is 0 for a read, 1 for a write."""

    operation: int
    rejected_by_coordinator: bool


Details = Union[
    UnavailableDetails,
    WriteTimeoutDetails,
    ReadTimeoutDetails,
    ReadFailureDetails,
    WriteFailureDetails,
    FunctionFailureDetails,
    CasWriteUnknownDetails,
    AlreadyExistsDetails,
    UnpreparedDetails,
    RateLimitDetails,
]

_DETAILS_OF: dict[int, type[Any]] = {
    UNAVAILABLE: UnavailableDetails,
    WRITE_TIMEOUT: WriteTimeoutDetails,
    READ_TIMEOUT: ReadTimeoutDetails,
    READ_FAILURE: ReadFailureDetails,
    WRITE_FAILURE: WriteFailureDetails,
    FUNCTION_FAILURE: FunctionFailureDetails,
    CAS_WRITE_UNKNOWN: CasWriteUnknownDetails,
    ALREADY_EXISTS: AlreadyExistsDetails,
    UNPREPARED: UnpreparedDetails,
}
# field name -> how it travels; a field has the same notation wherever it occurs
_INT = (Reader.int32, p.write_int)
_STRING = (Reader.string, p.write_string)
_BOOLEAN = (Reader.boolean, p.write_byte)
_NOTATIONS: dict[str, tuple[Callable[[Reader], Any], Callable[[Any], bytes]]] = {
    "consistency": (Reader.consistency, p.write_short),
    "required": _INT,
    "alive": _INT,
    "received": _INT,
    "block_for": _INT,
    "failures": _INT,
    "write_type": _STRING,
    "data_present": _BOOLEAN,
    "keyspace": _STRING,
    "table": _STRING,
    "function": _STRING,
    "argument_types": (lambda reader: tuple(reader.string_list()), p.write_string_list),
    "statement_id": (Reader.short_bytes, p.write_short_bytes),
    "operation": (Reader.byte, p.write_byte),
    "rejected_by_coordinator": _BOOLEAN,
}


@dataclass(frozen=True)
class ErrorResponse:
    """ERROR: `details` is there for the codes that have any, and None for all others, known or not."""

    code: int
    message: str
    details: Details | None = None
    opcode: ClassVar[int] = OP_ERROR

    def encode_body(self) -> bytes:
        head = p.write_int(self.code) + p.write_string(self.message)
        if self.details is None:
            return head
        pairs = zip(self.details._fields, self.details)
        return head + b"".join([_NOTATIONS[name][1](value) for name, value in pairs])

    @classmethod
    def decode(cls, reader: Reader, rate_limit_code: int | None = None) -> ErrorResponse:
        code, message = reader.int32(), reader.string()
        details = RateLimitDetails if code == rate_limit_code else _DETAILS_OF.get(code)
        if details is None:
            return cls(code, message)
        return cls(code, message, details(*[_NOTATIONS[name][0](reader) for name in details._fields]))

"""Values of the types without parameters: encode and decode functions by type, and varint lengths.

Decode functions get at least one byte, except those of text, ascii and blob. Sources: native_protocol_v4.spec,
section 6; durations and their [vint]s: native_protocol_v5.spec, sections 3 and 6.
"""

from __future__ import annotations

import datetime
import decimal
import struct
from typing import Any, Callable, NamedTuple
from uuid import UUID

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.primitives import Reader, address_from_bytes, address_to_bytes, decode_utf8, encode_utf8

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_DATE_CENTRE = 1 << 31  # a date's days are counted from here
_DAY_NS = 86_400_000_000_000
# 4300 digits: beyond them Python refuses to turn ints into text, which PyPy's decimal does, and takes ever longer.
MAX_UNSCALED_BYTES = 1784


class Duration(NamedTuple):
    """A duration: three counts of one sign that are not converted into each other."""

    months: int
    days: int
    nanoseconds: int


Codec = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]


def _packed(layout: str, check: Callable[[Any], Any]) -> Codec:
    packer = struct.Struct(layout)

    def decode(cell: bytes) -> Any:
        if len(cell) != packer.size:
            raise ProtocolError(f"{len(cell)} bytes where a value has {packer.size}")
        return packer.unpack(cell)[0]

    return lambda value: packer.pack(check(value)), decode


def _same(value: Any) -> Any:
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WireValueError(f"{value!r} is neither True nor False")
    return value


def _timestamp_ms(value: Any) -> int:
    if not isinstance(value, datetime.datetime):
        return int(value)
    moment = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
    return (moment - _EPOCH) // datetime.timedelta(milliseconds=1)


def _time_ns(value: Any) -> int:
    if isinstance(value, datetime.time):
        seconds = (value.hour * 60 + value.minute) * 60 + value.second
        return (seconds * 1_000_000 + value.microsecond) * 1000
    if not 0 <= value < _DAY_NS:
        raise WireValueError(f"{value} ns is outside a day")
    return int(value)


def _encode_date(value: Any) -> bytes:
    days = value.toordinal() - _EPOCH_DAY if isinstance(value, datetime.date) else value
    return struct.pack(">I", days + _DATE_CENTRE)


_decode_day = _packed(">I", _same)[1]


def _decode_date(cell: bytes) -> int:
    return int(_decode_day(cell)) - _DATE_CENTRE


def _encode_uuid(value: UUID) -> bytes:
    return value.bytes


def _decode_uuid(cell: bytes) -> UUID:
    if len(cell) != 16:
        raise ProtocolError(f"{len(cell)} bytes where a uuid has 16")
    return UUID(bytes=cell)


def _encode_blob(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise WireValueError(f"a {type(value).__name__} where bytes are wanted")
    return bytes(value)


def _encode_ascii(value: str) -> bytes:
    return value.encode("ascii")


def _decode_ascii(cell: bytes) -> str:
    if not cell.isascii():
        raise ProtocolError("ascii text with a byte above 127")
    return cell.decode("ascii")


def _encode_varint(value: int) -> bytes:
    bits = (value if value >= 0 else ~value).bit_length()
    return value.to_bytes(bits // 8 + 1, "big", signed=True)


def _decode_varint(cell: bytes) -> int:
    return int.from_bytes(cell, "big", signed=True)


def _encode_decimal(value: Any) -> bytes:
    """[int scale][varint unscaled]: unscaled * 10 ** -scale."""
    number = decimal.Decimal(value)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise WireValueError(f"{number} is no finite decimal")
    unscaled = _encode_varint(int(decimal.Decimal((sign, digits, 0))))
    if len(unscaled) > MAX_UNSCALED_BYTES:
        raise WireValueError(f"a decimal of {len(digits)} digits")
    return struct.pack(">i", -exponent) + unscaled


def _decode_decimal(cell: bytes) -> decimal.Decimal:
    if not 4 < len(cell) <= 4 + MAX_UNSCALED_BYTES:
        raise ProtocolError(f"{len(cell)} bytes where a decimal has 5 to {4 + MAX_UNSCALED_BYTES}")
    scale = struct.unpack_from(">i", cell)[0]
    sign, digits, _ = decimal.Decimal(_decode_varint(cell[4:])).as_tuple()
    return decimal.Decimal((sign, digits, -scale))


def write_uvint(number: int) -> bytes:
    """[unsigned vint]: as many leading one bits as bytes follow the first."""
    bits = number.bit_length()
    if bits > 64:
        raise WireValueError(f"{number} does not fit a [vint]")
    extra = max(bits - 1, 0) // 7
    if extra >= 8:  # the ninth bit of room that the rule would need is not there
        return b"\xff" + number.to_bytes(8, "big")
    mark = 0xFF00 >> extra & 0xFF
    return (number | mark << 8 * extra).to_bytes(extra + 1, "big")


def read_uvint(reader: Reader) -> int:
    """[unsigned vint] where the reader stands."""
    first = reader.byte()
    extra = 8 - (first ^ 0xFF).bit_length()
    return int.from_bytes(bytes((first & 0xFF >> extra,)) + reader.take(extra, "[vint]"), "big")


def _encode_duration(value: Any) -> bytes:
    months, days, nanoseconds = value
    numbers = (months, days, nanoseconds)
    if min(numbers) < 0 < max(numbers):
        raise WireValueError(f"{value} has parts of both signs")
    limits = zip(numbers, (31, 31, 63))
    if not all(-(1 << bits) <= number < 1 << bits for number, bits in limits):
        raise WireValueError(f"{value} is too long")
    return b"".join([write_uvint(number << 1 ^ number >> 63) for number in numbers])


def _decode_duration(cell: bytes) -> Duration:
    reader = Reader(cell)
    numbers = [read_uvint(reader) for _ in range(3)]
    reader.finish()
    return Duration(*[number >> 1 ^ -(number & 1) for number in numbers])


NATIVE_CODECS: dict[t.NativeType, Codec] = {
    t.ASCII: (_encode_ascii, _decode_ascii),
    t.BIGINT: _packed(">q", _same),
    t.BLOB: (_encode_blob, bytes),
    t.BOOLEAN: _packed(">?", _boolean),
    t.COUNTER: _packed(">q", _same),
    t.DATE: (_encode_date, _decode_date),
    t.DECIMAL: (_encode_decimal, _decode_decimal),
    t.DOUBLE: _packed(">d", _same),
    t.DURATION: (_encode_duration, _decode_duration),
    t.FLOAT: _packed(">f", _same),
    t.INET: (address_to_bytes, address_from_bytes),
    t.INT: _packed(">i", _same),
    t.SMALLINT: _packed(">h", _same),
    t.TEXT: (encode_utf8, decode_utf8),
    t.TIME: _packed(">q", _time_ns),
    t.TIMESTAMP: _packed(">q", _timestamp_ms),
    t.TIMEUUID: (_encode_uuid, _decode_uuid),
    t.TINYINT: _packed(">b", _same),
    t.UUID: (_encode_uuid, _decode_uuid),
    t.VARINT: (_encode_varint, _decode_varint),
}

FIXED_BYTES: dict[t.NativeType, int] = {
    t.BIGINT: 8, t.BOOLEAN: 1, t.COUNTER: 8, t.DOUBLE: 8, t.FLOAT: 4, t.INT: 4, t.TIMESTAMP: 8,
    t.TIMEUUID: 16, t.UUID: 16,
}  # fmt: skip

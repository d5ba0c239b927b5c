"""The notations of the protocol (native_protocol_v4.spec, section 3): a bounds-checked reader, and writers.

A writer returns bytes, to be joined by its caller. Writers raise WireValueError for what a notation cannot hold; the
reader raises ProtocolError for everything that is not as it should be.
"""

from __future__ import annotations

import enum
import ipaddress
import struct
from typing import TYPE_CHECKING, NamedTuple, Optional, Union
from uuid import UUID

from cqlsurge.load.cql.errors import ProtocolError, WireValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SHORT = struct.Struct(">H")
_INT = struct.Struct(">i")
_LONG = struct.Struct(">q")

MAX_SHORT = 0xFFFF
MAX_INT = 0x7FFFFFFF


class Consistency(enum.IntEnum):
    """Consistency levels by their wire number."""

    ANY = 0x0
    ONE = 0x1
    TWO = 0x2
    THREE = 0x3
    QUORUM = 0x4
    ALL = 0x5
    LOCAL_QUORUM = 0x6
    EACH_QUORUM = 0x7
    SERIAL = 0x8
    LOCAL_SERIAL = 0x9
    LOCAL_ONE = 0xA


_CONSISTENCIES = {int(level): level for level in Consistency}


class Unset(enum.Enum):
    """The one member stands for a bound value that is left unset (wire length -2)."""

    UNSET = enum.auto()


UNSET = Unset.UNSET

Value = Union[bytes, None, Unset]
PayloadMap = dict[str, Optional[bytes]]


class Endpoint(NamedTuple):
    """An [inet]: the address as text, and the port."""

    address: str
    port: int


class Reader:
    """Reads one body from front to back."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return len(self.data) - self.position

    def take(self, count: int, what: str = "bytes") -> bytes:
        """The next `count` bytes."""
        start = self.position
        if not 0 <= count <= len(self.data) - start:
            raise ProtocolError(f"{what} of length {count} where {len(self.data) - start} bytes are left")
        self.position = start + count
        return self.data[start : start + count]

    def finish(self) -> None:
        """Nothing may be left."""
        if self.remaining:
            raise ProtocolError(f"{self.remaining} bytes too many at the end of the message")

    def byte(self) -> int:
        """[byte], unsigned."""
        position = self.position
        if position >= len(self.data):
            raise ProtocolError("the body ends inside a [byte]")
        self.position = position + 1
        return self.data[position]

    def short(self) -> int:
        """[short], unsigned."""
        return self._number(_SHORT, 2, "[short]")

    def int32(self) -> int:
        """[int], signed, 32 bits."""
        return self._number(_INT, 4, "[int]")

    def int64(self) -> int:
        """[long], signed, 64 bits."""
        return self._number(_LONG, 8, "[long]")

    def _number(self, layout: struct.Struct, size: int, what: str) -> int:
        position = self.position
        if len(self.data) - position < size:
            raise ProtocolError(f"the body ends inside {what}")
        self.position = position + size
        number: int = layout.unpack_from(self.data, position)[0]
        return number

    def count(self, what: str, item_bytes: int = 1) -> int:
        """An [int] that counts items of at least `item_bytes` each; more than can follow is refused at once."""
        count = self.int32()
        if not 0 <= count <= self.remaining // item_bytes:
            raise ProtocolError(f"{count} {what} announced where {self.remaining} bytes are left")
        return count

    def boolean(self) -> bool:
        """A [byte] that is a truth value."""
        return self.byte() != 0

    def string(self) -> str:
        """[string]: short length, UTF-8."""
        return decode_utf8(self.take(self.short(), "[string]"))

    def long_string(self) -> str:
        """[long string]: int length, UTF-8."""
        return decode_utf8(self.take(self.int32(), "[long string]"))

    def blob(self) -> bytes | None:
        """[bytes]: any negative length is null. Once for each cell of a result, hence in one piece."""
        data, start = self.data, self.position + 4
        if start > len(data):
            raise ProtocolError("the body ends inside [bytes]")
        length = _INT.unpack_from(data, start - 4)[0]
        if length < 0:
            self.position = start
            return None
        end = start + length
        if end > len(data):
            raise ProtocolError(f"[bytes] of length {length} where {len(data) - start} bytes are left")
        self.position = end
        return data[start:end]

    def value(self) -> Value:
        """[value]: [bytes] with -1 for null and -2 for unset."""
        length = self.int32()
        if length >= 0:
            return self.take(length, "[value]")
        if length == -1:
            return None
        if length == -2:
            return UNSET
        raise ProtocolError(f"a [value] of length {length}")

    def short_bytes(self) -> bytes:
        """[short bytes]."""
        return self.take(self.short(), "[short bytes]")

    def uuid(self) -> UUID:
        """[uuid]."""
        return UUID(bytes=self.take(16, "[uuid]"))

    def inet(self) -> Endpoint:
        """[inet]: address and port."""
        return Endpoint(address_from_bytes(self.take(self.byte(), "[inet]")), self.int32())

    def consistency(self) -> Consistency:
        """[consistency]."""
        number = self.short()
        level = _CONSISTENCIES.get(number)
        if level is None:
            raise ProtocolError(f"unknown consistency level 0x{number:04x}")
        return level

    def string_list(self) -> list[str]:
        """[string list]."""
        return [self.string() for _ in range(self.short())]

    def string_map(self) -> dict[str, str]:
        """[string map]."""
        return {self.string(): self.string() for _ in range(self.short())}

    def string_multimap(self) -> dict[str, list[str]]:
        """[string multimap]."""
        return {self.string(): self.string_list() for _ in range(self.short())}

    def bytes_map(self) -> PayloadMap:
        """[bytes map]."""
        return {self.string(): self.blob() for _ in range(self.short())}


def decode_utf8(data: bytes) -> str:
    """Text; ProtocolError where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"text that is not UTF-8 ({error.reason})") from None


def encode_utf8(text: str) -> bytes:
    """UTF-8; WireValueError for lone surrogates."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise WireValueError(f"text that cannot be UTF-8: {text[:40]!r}") from None


def address_from_bytes(data: bytes) -> str:
    """The text of an IPv4 or IPv6 address of 4 or 16 bytes."""
    if len(data) == 4:
        return str(ipaddress.IPv4Address(data))
    if len(data) == 16:
        return str(ipaddress.IPv6Address(data))
    raise ProtocolError(f"an address of {len(data)} bytes")


def address_to_bytes(address: str | ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    """4 or 16 bytes."""
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        raise WireValueError(f"{address!r} is no IP address") from None


def _bounded(count: int, limit: int, what: str) -> int:
    if not 0 <= count <= limit:
        raise WireValueError(f"{what} of {count}: the limit is {limit}")
    return count


def write_byte(number: int) -> bytes:
    """[byte]."""
    return bytes((_bounded(number, 0xFF, "[byte]"),))


def write_short(number: int) -> bytes:
    """[short]."""
    return _SHORT.pack(_bounded(number, MAX_SHORT, "[short]"))


def write_int(number: int) -> bytes:
    """[int]."""
    try:
        return _INT.pack(number)
    except struct.error:
        raise WireValueError(f"{number!r} does not fit an [int]") from None


def write_long(number: int) -> bytes:
    """[long]."""
    try:
        return _LONG.pack(number)
    except struct.error:
        raise WireValueError(f"{number!r} does not fit a [long]") from None


def write_string(text: str) -> bytes:
    """[string]."""
    return write_short_bytes(encode_utf8(text))


def write_long_string(text: str) -> bytes:
    """[long string]."""
    return write_bytes(encode_utf8(text))


def write_short_bytes(data: bytes) -> bytes:
    """[short bytes]."""
    return write_short(len(data)) + data


def write_bytes(data: bytes | None) -> bytes:
    """[bytes]; None is null."""
    if data is None:
        return b"\xff\xff\xff\xff"
    if len(data) > MAX_INT:
        raise WireValueError(f"[bytes] of {len(data)}: the limit is {MAX_INT}")
    return _INT.pack(len(data)) + data


def write_value(value: Value) -> bytes:
    """[value]."""
    return b"\xff\xff\xff\xfe" if isinstance(value, Unset) else write_bytes(value)


def write_inet(endpoint: tuple[str, int]) -> bytes:
    """[inet] of (address, port)."""
    address = address_to_bytes(endpoint[0])
    return write_byte(len(address)) + address + write_int(endpoint[1])


def write_string_list(texts: Sequence[str]) -> bytes:
    """[string list]."""
    return write_short(len(texts)) + b"".join(map(write_string, texts))


def write_string_map(mapping: Mapping[str, str]) -> bytes:
    """[string map]."""
    return _write_map(len(mapping), (write_string(key) + write_string(text) for key, text in mapping.items()))


def write_string_multimap(mapping: Mapping[str, Sequence[str]]) -> bytes:
    """[string multimap]."""
    return _write_map(len(mapping), (write_string(key) + write_string_list(texts) for key, texts in mapping.items()))


def write_bytes_map(mapping: Mapping[str, bytes | None]) -> bytes:
    """[bytes map]."""
    return _write_map(len(mapping), (write_string(key) + write_bytes(data) for key, data in mapping.items()))


def _write_map(count: int, items: Iterable[bytes]) -> bytes:
    return write_short(count) + b"".join(items)

"""Notations: bytes written out by hand, read back, and read from every shorter piece of them."""

from __future__ import annotations

import pytest
from wire_examples import A_UUID

from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.primitives import UNSET, Consistency, Endpoint, Reader

CASES = [
    (Reader.byte, p.write_byte, 255, "ff"),
    (Reader.short, p.write_short, 65535, "ffff"),
    (Reader.int32, p.write_int, -2, "fffffffe"),
    (Reader.int64, p.write_long, -2, "fffffffffffffffe"),
    (Reader.string, p.write_string, "h\u00e9", "000368c3a9"),
    (Reader.long_string, p.write_long_string, "ab", "000000026162"),
    (Reader.blob, p.write_bytes, b"", "00000000"),
    (Reader.blob, p.write_bytes, b"a", "0000000161"),
    (Reader.blob, p.write_bytes, None, "ffffffff"),
    (Reader.value, p.write_value, None, "ffffffff"),
    (Reader.value, p.write_value, UNSET, "fffffffe"),
    (Reader.value, p.write_value, b"a", "0000000161"),
    (Reader.short_bytes, p.write_short_bytes, b"ab", "00026162"),
    (Reader.uuid, lambda value: value.bytes, A_UUID, A_UUID.hex),
    (Reader.inet, p.write_inet, Endpoint("10.0.0.1", 9042), "040a00000100002352"),
    (Reader.inet, p.write_inet, Endpoint("::1", 1), "10" + "00" * 15 + "01" + "00000001"),
    (Reader.consistency, p.write_short, Consistency.LOCAL_ONE, "000a"),
    (Reader.string_list, p.write_string_list, ["a", ""], "00020001610000"),
    (Reader.string_map, p.write_string_map, {"a": "b"}, "0001000161000162"),
    (Reader.string_multimap, p.write_string_multimap, {"a": ["b"]}, "00010001610001000162"),
    (Reader.bytes_map, p.write_bytes_map, {"a": b"b", "c": None}, "00020001610000000162000163ffffffff"),
]


@pytest.mark.parametrize(("read", "write", "value", "expected"), CASES)
def test_there_and_back(read, write, value, expected):
    data = bytes.fromhex(expected)
    assert write(value) == data
    reader = Reader(data)
    assert read(reader) == value
    reader.finish()
    trailed = Reader(data + b"more")
    assert read(trailed) == value
    assert trailed.remaining == 4
    with pytest.raises(ProtocolError, match="4 bytes too many"):
        trailed.finish()


@pytest.mark.parametrize(("read", "write", "value", "expected"), CASES)
def test_too_short_at_every_byte(read, write, value, expected):
    data = bytes.fromhex(expected)
    for end in range(len(data)):
        with pytest.raises(ProtocolError):
            read(Reader(data[:end]))


@pytest.mark.parametrize(
    ("read", "data", "says"),
    [
        (Reader.long_string, "ffffffff", r"\[long string\] of length -1"),
        (Reader.value, "fffffffd", "length -3"),
        (Reader.inet, "05aabbccddee00000001", "address of 5 bytes"),
        (Reader.consistency, "000b", "consistency level 0x000b"),
        (Reader.string, "0001ff", "not UTF-8"),
        (Reader.string, "0003eda080", "not UTF-8"),
        (Reader.blob, "7fffffff", r"\[bytes\] of length 2147483647"),
    ],
)
def test_what_cannot_be(read, data, says):
    with pytest.raises(ProtocolError, match=says):
        read(Reader(bytes.fromhex(data)))


def test_any_negative_length_of_bytes_is_null():
    assert Reader(bytes.fromhex("80000000")).blob() is None


@pytest.mark.parametrize(("count", "fine"), [(0, True), (2, True), (3, False), (-1, False), (0x7FFFFFFF, False)])
def test_counts_are_bounded_by_what_can_follow(count, fine):
    reader = Reader(p.write_int(count) + bytes(8))
    if fine:
        assert reader.count("things", 4) == count
    else:
        with pytest.raises(ProtocolError, match=f"{count} things announced where 8 bytes are left"):
            reader.count("things", 4)


@pytest.mark.parametrize(
    ("write", "value"),
    [
        (p.write_byte, 256),
        (p.write_short, -1),
        (p.write_int, 1 << 31),
        (p.write_long, 1 << 63),
        (p.write_string, "x" * 65536),
        (p.write_string, "\ud800"),
        (p.write_inet, ("nowhere", 1)),
        (p.write_string_list, [""] * 65536),
    ],
)
def test_what_a_notation_cannot_hold(write, value):
    with pytest.raises(WireValueError):
        write(value)

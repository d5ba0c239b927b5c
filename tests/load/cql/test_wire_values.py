"""Values: cells written out by hand, any value of any type there and back, cells and values that cannot be."""

from __future__ import annotations

import datetime
import decimal
import ipaddress
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_examples import ADDRESS, COLUMNS, ROW, VALUES
from wire_strategies import TYPES, values

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.natives import Duration, read_uvint, write_uvint
from cqlsurge.load.cql.primitives import Reader
from cqlsurge.load.cql.values import decode_row, decode_value, encode_value, fixed_bytes

UTC = datetime.UTC


@pytest.mark.parametrize(("cql_type", "value", "cell"), VALUES)
def test_cells(cql_type, value, cell):
    assert encode_value(cql_type, value).hex() == cell
    assert decode_value(cql_type, bytes.fromhex(cell)) == value


def test_a_row():
    assert decode_row([column.type for column in COLUMNS], ROW) == tuple(value for _, value, _ in VALUES)
    with pytest.raises(ProtocolError, match="1 cells for 2 columns"):
        decode_row([t.INT, t.INT], [None])


@given(st.data())
def test_any_value_of_any_type_there_and_back(data):
    cql_type = data.draw(TYPES)
    value = data.draw(values(cql_type))
    cell = encode_value(cql_type, value)
    if not cell and cql_type not in {t.TEXT, t.ASCII, t.BLOB} and not isinstance(cql_type, t.CustomType):
        assert decode_value(cql_type, cell) is None
    else:
        assert decode_value(cql_type, cell) == value


@given(TYPES, st.binary(max_size=40))
def test_any_cell_gives_a_value_or_the_one_error(cql_type, cell):
    try:
        value = decode_value(cql_type, cell)
    except ProtocolError:
        return
    if value is not None and "time" not in str(cql_type):  # a time outside its day can be read, not written
        encode_value(cql_type, value)


@pytest.mark.parametrize("cql_type", [t.INT, t.UUID, ADDRESS, t.ListType(t.INT), t.VectorType(t.INT, 1)])
def test_null_and_empty_are_none(cql_type):
    assert encode_value(cql_type, None) is None
    assert decode_value(cql_type, None) is None
    assert decode_value(cql_type, b"") is None


@pytest.mark.parametrize(
    ("cql_type", "value", "same_as"),
    [
        (t.TIMESTAMP, datetime.datetime(1970, 1, 1, 0, 0, 1, 999), 1000),
        (t.TIMESTAMP, datetime.datetime(1970, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), 0),
        (t.TIMESTAMP, datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (t.DATE, datetime.date(1970, 1, 2), 1),
        (t.TIME, datetime.time(0, 0, 1, 1), 1_000_001_000),
        (t.INET, ipaddress.ip_address("::1"), "::1"),
        (t.DECIMAL, 5, decimal.Decimal(5)),
        (t.MapType(t.INT, t.INT), [(1, 2)], {1: 2}),
        (ADDRESS, ("x", None), {"street": "x", "numbers": None}),
        (t.SetType(t.INT), [1], {1}),
        (t.BLOB, bytearray(b"a"), b"a"),
        (t.DURATION, (1, 2, 3), Duration(1, 2, 3)),
    ],
)
def test_other_python_values_that_are_taken(cql_type, value, same_as):
    assert encode_value(cql_type, value) == encode_value(cql_type, same_as)
    assert decode_value(cql_type, encode_value(cql_type, value)) == same_as


def test_collections_inside_sets_and_keys_are_hashable():
    nested = t.MapType(t.MapType(t.INT, t.ListType(t.INT)), t.SetType(t.SetType(t.VectorType(ADDRESS, 1))))
    value = {((1, (2, 3)),): {frozenset({(("x", frozenset({4})),)})}}
    assert decode_value(nested, encode_value(nested, value)) == value


def test_fields_that_are_missing_take_no_memory():
    wide = t.UserType("k", "u", tuple([(f"f{number}", t.INT) for number in range(10_000)]))
    cell = encode_value(t.ListType(wide), [(None,)] * 1000)
    assert decode_value(t.ListType(wide), cell) == [{"f0": None}] * 1000
    assert decode_value(t.TupleType((t.INT, t.INT)), encode_value(t.TupleType((t.INT, t.INT)), (1,))) == (1,)


def test_user_types_that_changed_since():
    older, newer = t.UserType("k", "u", (("a", t.INT),)), t.UserType("k", "u", (("a", t.INT), ("b", t.TEXT)))
    assert decode_value(newer, encode_value(older, {"a": 1})) == {"a": 1}
    assert decode_value(older, encode_value(newer, {"a": 1, "b": "x"})) == {"a": 1}


@pytest.mark.parametrize(
    ("cql_type", "value"),
    [
        (t.INT, 1 << 31), (t.INT, "1"), (t.INT, 1.5), (t.TINYINT, 128), (t.BOOLEAN, 1), (t.TEXT, b"x"),
        (t.TEXT, "\ud800"), (t.ASCII, "\u00e9"), (t.BLOB, "x"), (t.BLOB, 5), (t.UUID, "x"),
        (t.FLOAT, 1e300), (t.DATE, 1 << 31),
        (t.TIME, -1), (t.TIME, 86_400_000_000_000), (t.DECIMAL, decimal.Decimal("NaN")), (t.DECIMAL, "x"),
        (t.VARINT, 1.5),
        (t.DECIMAL, decimal.Decimal((0, (1,), (1 << 31) + 1))), (t.INET, "x"), (t.DURATION, (1, -1, 0)),
        (t.DURATION, (1 << 31, 0, 0)), (t.DURATION, 5), (t.ListType(t.INT), "12"), (t.ListType(t.INT), 5),
        (t.MapType(t.INT, t.INT), [1]), (t.TupleType((t.INT,)), (1, 2)), (ADDRESS, {"nosuch": 1}),
        (t.VectorType(t.INT, 2), [1]), (t.VectorType(t.INT, 1), [None]), (t.CustomType("x"), "x"),
        (t.TIMESTAMP, "x"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(cql_type, value):
    with pytest.raises(WireValueError):
        encode_value(cql_type, value)


@pytest.mark.parametrize(
    ("cql_type", "cell"),
    [
        (t.INT, "0102"), (t.UUID, "01"), (t.BOOLEAN, "0101"), (t.TEXT, "ff"), (t.ASCII, "80"), (t.INET, "0102"),
        (t.DECIMAL, "00000001"), (t.DURATION, "0102"), (t.DURATION, "01020304"), (t.DURATION, "ff0102"),
        (t.ListType(t.INT), "00000002" "00000000"), (t.ListType(t.INT), "ffffffff"), (t.ListType(t.INT), "7fffffff"),
        (t.ListType(t.INT), "00000000" "00"), (t.ListType(t.INT), "00000001" "00000002" "0001"),
        (t.MapType(t.INT, t.INT), "00000001" "00000000"), (t.TupleType((t.INT,)), "00000004" "00000001" "00"),
        (t.VectorType(t.INT, 2), "00000001"), (t.VectorType(t.INT, 1), "0000000100"), (t.VectorType(t.TEXT, 1), "0561"),
        (t.VectorType(t.TEXT, 1 << 29), "0161"),
    ],
)  # fmt: skip
def test_cells_that_cannot_be(cql_type, cell):
    with pytest.raises(ProtocolError):
        decode_value(cql_type, bytes.fromhex(cell))


def test_floats_that_are_no_numbers():
    assert math.isnan(decode_value(t.FLOAT, struct.pack(">f", math.nan)))
    assert decode_value(t.DOUBLE, encode_value(t.DOUBLE, -math.inf)) == -math.inf


def test_decimals_keep_their_scale_and_are_bounded():
    for text in ("1.00", "1E+5", "-0.0000000001", "1E+2147483648", "1E-2147483647"):
        number = decimal.Decimal(text)
        assert decode_value(t.DECIMAL, encode_value(t.DECIMAL, number)).as_tuple() == number.as_tuple()
    with pytest.raises(ProtocolError, match="5 to 1788"):
        decode_value(t.DECIMAL, bytes(1789))
    longest = decode_value(t.DECIMAL, b"\0\0\0\1" + b"\x7f" * 1784)
    assert len(longest.as_tuple().digits) == 4296
    assert decode_value(t.DECIMAL, encode_value(t.DECIMAL, longest)) == longest
    with pytest.raises(WireValueError):
        encode_value(t.DECIMAL, decimal.Decimal("1" * 4400))


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (0, "00"), (127, "7f"), (128, "8080"), (16383, "bfff"), (16384, "c04000"), ((1 << 21) - 1, "dfffff"),
        ((1 << 56) - 1, "feffffffffffffff"), (1 << 56, "ff0100000000000000"), ((1 << 64) - 1, "ff" + "ff" * 8),
    ],
)  # fmt: skip
def test_vints(number, data):
    assert write_uvint(number).hex() == data
    assert read_uvint(Reader(bytes.fromhex(data))) == number


@given(st.integers(0, (1 << 64) - 1))
def test_any_vint(number):
    reader = Reader(write_uvint(number))
    assert read_uvint(reader) == number
    reader.finish()


def test_a_vint_has_64_bits():
    with pytest.raises(WireValueError):
        write_uvint(1 << 64)


def test_lengths_inside_vectors():
    assert fixed_bytes(t.VectorType(t.VectorType(t.FLOAT, 3), 2)) == 24
    assert fixed_bytes(t.VectorType(t.TEXT, 2)) is None
    assert [fixed_bytes(of) for of in (t.SMALLINT, t.TINYINT, t.DATE, t.TIME, t.BOOLEAN)] == [None, None, None, None, 1]

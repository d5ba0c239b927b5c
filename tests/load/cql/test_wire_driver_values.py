"""Agreement with scylla-driver: its types encode values to our cells and decode them, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_strategies import NATIVE, TEXT, values

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.natives import read_uvint, write_uvint
from cqlsurge.load.cql.primitives import Reader
from cqlsurge.load.cql.values import decode_value, encode_value

pytest.importorskip("cassandra.cqltypes", reason="scylla-driver is not installed")

from cassandra import cqltypes, marshal, util
from wire_driver import as_ours, as_theirs, their_type

# Compared apart below: the driver takes less of them, timestamps up to year 9999 and durations of 32 bits
LIMITED = frozenset({t.TIMESTAMP, t.DURATION})


@given(NATIVE.filter(lambda of: of not in LIMITED), st.data())
def test_native_values(cql_type, data):
    value = data.draw(values(cql_type))
    cell = encode_value(cql_type, value)
    assert their_type(cql_type).to_binary(as_theirs(cql_type, value), 4) == cell
    if cell or cql_type in (t.TEXT, t.ASCII, t.BLOB):
        assert as_ours(cql_type, their_type(cql_type).from_binary(cell, 4)) == decode_value(cql_type, cell)


@given(st.datetimes().map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)))
def test_timestamps(moment):
    cell = encode_value(t.TIMESTAMP, moment)
    assert cqltypes.DateType.to_binary(moment, 4) == cell
    assert cqltypes.DateType.from_binary(cell, 4) == moment


@given(st.tuples(*[st.integers(-(1 << 30), 0)] * 3) | st.tuples(*[st.integers(0, 1 << 30)] * 3))
def test_durations(parts):
    cell = encode_value(t.DURATION, parts)
    assert cqltypes.DurationType.to_binary(util.Duration(*parts), 4) == cell
    assert as_ours(t.DURATION, cqltypes.DurationType.from_binary(cell, 4)) == parts


@given(st.integers(0, (1 << 64) - 1))
def test_vints(number):
    data = write_uvint(number)
    assert marshal.uvint_pack(number) == data
    assert marshal.uvint_unpack(data) == (number, len(data))
    assert read_uvint(Reader(data)) == number


INNER = (t.INT, t.TEXT, t.UUID, t.DECIMAL, t.INET, t.DATE, t.BOOLEAN, t.SMALLINT)


@pytest.mark.parametrize(
    "cql_type",
    [
        *[kind(of) for kind in (t.ListType, t.SetType) for of in INNER],
        *[t.VectorType(of, 3) for of in INNER],
        *[t.MapType(of, t.ListType(t.DURATION)) for of in (t.INT, t.TEXT, t.UUID)],
        t.TupleType(INNER[:5]),
        t.ListType(t.ListType(t.VectorType(t.FLOAT, 2))),
        t.ListType(t.TupleType((t.INT, t.ListType(t.TEXT)))),
    ],
    ids=str,
)
@given(data=st.data())
def test_parametrised_values(cql_type, data):
    small = st.tuples(*[st.integers(0, 99)] * 3)
    if isinstance(cql_type, t.MapType):
        value = data.draw(st.dictionaries(values(cql_type.key, True), st.lists(small, max_size=2), max_size=3))
    else:
        value = data.draw(values(cql_type))
    theirs = their_type(cql_type)
    cell = encode_value(cql_type, value)
    if not isinstance(cql_type, t.SetType):  # the order of a set is Python's to choose
        assert theirs.to_binary(as_theirs(cql_type, value), 4) == cell
    back = decode_value(cql_type, theirs.to_binary(as_theirs(cql_type, value), 4))
    assert back == value
    read = as_ours(cql_type, theirs.from_binary(cell, 4))
    assert read == value or "" in flat(value)  # the driver reads an empty text inside a collection as it likes


def flat(value):
    if isinstance(value, (list, tuple, set, frozenset)):
        return [item for each in value for item in flat(each)]
    return [*flat(list(value)), *flat(list(value.values()))] if isinstance(value, dict) else [value]


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.none() | TEXT)
def test_user_type_values(number, text):
    # The driver takes a name whose hex has digits alone for a number.
    ours = t.UserType("shop", "kl", (("a", t.INT), ("b", t.TEXT)))
    theirs = their_type(ours)
    cell = encode_value(ours, {"a": number, "b": text})
    assert theirs.to_binary((number, text), 4) == cell
    assert tuple(theirs.from_binary(cell, 4)) == (number, text)

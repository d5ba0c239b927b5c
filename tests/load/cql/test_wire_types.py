"""Types: CQL text, class names and wire options, each there and back; texts that are no type; depth."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from wire_examples import ADDRESS
from wire_strategies import TYPES

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.primitives import Reader
from cqlsurge.load.cql.type_names import MARSHAL, class_of_type, parse_type, type_of_class
from cqlsurge.load.cql.type_options import read_type, write_type

PAIR = t.TupleType((t.INT, t.TEXT))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int", t.INT),
        (" Varchar ", t.TEXT),
        ("list<int>", t.ListType(t.INT)),
        ("frozen<set<uuid>>", t.SetType(t.UUID)),
        ("map<text, frozen<list<int>>>", t.MapType(t.TEXT, t.ListType(t.INT))),
        ("tuple<int,text>", PAIR),
        ("frozen < tuple < int , text > >", PAIR),
        ("vector<float, 3>", t.VectorType(t.FLOAT, 3)),
        ("list<frozen<address>>", t.ListType(ADDRESS)),
        ("shop.address", ADDRESS),
        ('"shop"."address"', ADDRESS),
        ("'com.example.Odd'", t.CustomType("com.example.Odd")),
        (f"'{MARSHAL}Int32Type'", t.INT),
    ],
)
def test_type_text(text, expected):
    assert parse_type(text, {"address": ADDRESS}) == expected


def test_quoted_names_keep_their_case():
    odd = t.UserType("k", 'A"b', ())
    assert parse_type('"A""b"', {'A"b': odd}) == odd
    with pytest.raises(WireValueError, match="'Int' is no type"):
        parse_type('"Int"')


@pytest.mark.parametrize(
    "text",
    [
        "", "integer", "list", "list<>", "list<int", "list<int>>", "list<int,int>", "map<int>", "int int", "<int>",
        "int>",
        "vector<float>", "vector<float, x>", "vector<float, 0>", "vector<float, 99999999999>", "frozen<int, int>",
        "tuple<>", "a.b.c", "int;", "'unclosed", "nosuch<int>", "vector<float, \u0663>",
        "'org.apache.cassandra.db.marshal.ListType('",
    ],
)  # fmt: skip
def test_texts_that_are_no_type(text):
    with pytest.raises(WireValueError):
        parse_type(text)


def test_depth_is_bounded_in_text_classes_and_options():
    depth = t.MAX_TYPE_DEPTH
    fine, deep = depth, depth + 1
    assert parse_type("list<" * fine + "int" + ">" * fine)
    assert type_of_class(f"{MARSHAL}ListType(" * fine + "Int32Type" + ")" * fine)
    assert read_type(Reader(b"\x00\x20" * fine + b"\x00\x09"))
    with pytest.raises(WireValueError, match="32 levels"):
        parse_type("list<" * deep + "int" + ">" * deep)
    with pytest.raises(ProtocolError, match="32 levels"):
        type_of_class("FrozenType(" * deep + "Int32Type" + ")" * deep)
    with pytest.raises(ProtocolError, match="32 levels"):
        read_type(Reader(b"\x00\x20" * deep + b"\x00\x09"))
    custom = ("FrozenType(" * fine + "Int32Type" + ")" * fine).encode()
    with pytest.raises(ProtocolError, match="32 levels"):
        read_type(Reader(b"\x00\x20" + b"\x00\x00" + len(custom).to_bytes(2, "big") + custom))


@pytest.mark.parametrize(
    ("cql_type", "name"),
    [
        (t.INT, "Int32Type"),
        (t.TIMESTAMP, "TimestampType"),
        (t.MapType(t.TEXT, t.BLOB), f"MapType({MARSHAL}UTF8Type,{MARSHAL}BytesType)"),
        (t.VectorType(t.FLOAT, 3), f"VectorType({MARSHAL}FloatType , 3)"),
        (t.UserType("ks", "t", (("f", t.INT),)), f"UserType(ks,74,66:{MARSHAL}Int32Type)"),
    ],
)
def test_class_names(cql_type, name):
    assert class_of_type(cql_type) == MARSHAL + name
    assert type_of_class(MARSHAL + name) == cql_type
    assert type_of_class(f"{MARSHAL}FrozenType({MARSHAL}{name})") == cql_type


def test_reversed_and_old_class_names():
    assert type_of_class(f"{MARSHAL}ReversedType({MARSHAL}DateType)") == t.TIMESTAMP
    assert type_of_class("com.example.Odd(with, arguments)") == t.CustomType("com.example.Odd(with, arguments)")
    inner = type_of_class(f"{MARSHAL}ListType(com.example.Odd)")
    assert inner == t.ListType(t.CustomType("com.example.Odd"))


@pytest.mark.parametrize(
    "name",
    [
        "ListType", "ListType(", "ListType()", "ListType(Int32Type", "ListType(Int32Type))", "ListType(Odd(x))",
        "MapType(Int32Type)", "VectorType(FloatType,-1)", "VectorType(FloatType)", "UserType(ks,zz)", "UserType(ks,ff)",
        "UserType(ks,74,66=>Int32Type)", "TupleType()",
    ],
)  # fmt: skip
def test_class_names_that_cannot_be(name):
    with pytest.raises(ProtocolError):
        type_of_class(MARSHAL + name)


@pytest.mark.parametrize(
    ("cql_type", "option"),
    [
        (t.INT, "0009"),
        (t.TEXT, "000d"),
        (t.MapType(t.INT, t.SetType(t.UUID)), "002100090022000c"),
        (PAIR, "003100020009000d"),
        (t.UserType("k", "t", (("f", t.INT),)), "003000016b00017400010001660009"),
    ],
)
def test_option_bytes(cql_type, option):
    assert write_type(cql_type).hex() == option
    assert read_type(Reader(bytes.fromhex(option))) == cql_type


def test_options_of_other_versions_are_read():
    assert read_type(Reader(b"\x00\x0a")) == t.TEXT
    assert read_type(Reader(b"\x00\x15")) == t.DURATION
    assert write_type(t.DURATION) == b"\x00\x00" + b"\x00\x2c" + f"{MARSHAL}DurationType".encode()


@given(TYPES)
def test_any_type_there_and_back(cql_type):
    reader = Reader(write_type(cql_type))
    assert read_type(reader) == cql_type
    reader.finish()
    assert type_of_class(class_of_type(cql_type)) == cql_type


@given(TYPES)
def test_the_text_of_a_type_parses_to_it(cql_type):
    users = user_types(cql_type)
    assume(not {*users} & {*t.NATIVE_TYPES, "varchar"})
    assert str(parse_type(str(cql_type), users)) == str(cql_type)


def user_types(cql_type):
    """Those inside a type, by name."""
    if isinstance(cql_type, t.UserType):
        inner = [of for _, of in cql_type.fields]
    elif isinstance(cql_type, t.TupleType):
        inner = cql_type.elements
    elif isinstance(cql_type, (t.NativeType, t.CustomType)):
        inner = []
    else:
        inner = [of for of in vars(cql_type).values() if not isinstance(of, int)]
    found = {cql_type.name: cql_type} if isinstance(cql_type, t.UserType) else {}
    return {name: of for each in map(user_types, inner) for name, of in each.items()} | found

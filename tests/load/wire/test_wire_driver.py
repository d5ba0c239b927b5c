"""Agreement with scylla-driver: its messages and types encode to our bytes and decode from them, both ways."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wire_examples import COLUMNS, ERRORS, RESPONSES, ROW, STATEMENT_ID
from wire_strategies import BYTES, CONSISTENCY, LONG, NATIVE, TEXT, errors, values

from cqlsurge.load.wire import requests as rq
from cqlsurge.load.wire import server_errors as se
from cqlsurge.load.wire import types as t
from cqlsurge.load.wire.compression import Compressor, lz4_support
from cqlsurge.load.wire.envelope import open_frame, seal_frame
from cqlsurge.load.wire.events import ClientRoutesChange, SchemaChangeEvent, StatusChange, TopologyChange
from cqlsurge.load.wire.extensions import TABLETS_PAYLOAD, Extensions, Replica, Sharding, TabletRange, encode_tablet
from cqlsurge.load.wire.frames import CLIENT, SERVER, FrameDecoder
from cqlsurge.load.wire.natives import read_uvint, write_uvint
from cqlsurge.load.wire.primitives import UNSET, Reader
from cqlsurge.load.wire.responses import AuthChallenge, Authenticate, AuthSuccess, Ready, Supported
from cqlsurge.load.wire.results import Column, Prepared, Rows, SchemaChangeResult, SetKeyspace, Void
from cqlsurge.load.wire.schema_change import SchemaChange
from cqlsurge.load.wire.type_names import class_of_type, type_of_class
from cqlsurge.load.wire.values import decode_value, encode_value

protocol = pytest.importorskip("cassandra.protocol", reason="scylla-driver is not installed")
cqltypes = pytest.importorskip("cassandra.cqltypes")
marshal = pytest.importorskip("cassandra.marshal")
util = pytest.importorskip("cassandra.util")
features_of = pytest.importorskip("cassandra.protocol_features").ProtocolFeatures
query = pytest.importorskip("cassandra.query")

# The pure one: the compiled one wants column parsers around it; messages are the same classes.
HANDLER = protocol._ProtocolHandler
FEATURES = features_of(rate_limit_error=se.SCYLLA_RATE_LIMIT_ERROR)
VALUES = st.lists(st.none() | BYTES | st.just(UNSET), max_size=4)


def theirs_of(message, stream=5, **around):
    """Our message as the driver reads it."""
    frame = FrameDecoder(CLIENT).feed(seal_frame(message.opcode, message.encode_body(), stream, **around))[0]
    compressor = around.get("compressor")
    inflate = compressor.decompress if compressor else None
    return HANDLER.decode_message(4, FEATURES, {}, stream, frame.flags, frame.opcode, frame.body, inflate, None)


def their_bytes(message, stream=5, compressor=None):
    return HANDLER.encode_message(message, stream, 4, compressor, False, FEATURES)


def agree(theirs, ours, **around):
    """Bytes equal, and their bytes are our message."""
    data = their_bytes(theirs)
    assert data == seal_frame(ours.opcode, ours.encode_body(), 5, **around)
    assert rq.decode_request(FrameDecoder(SERVER).feed(data)[0]) == ours


def their_values(bound):
    return None if bound is None else [protocol._UNSET_VALUE if value is UNSET else value for value in bound]


@given(st.dictionaries(TEXT.filter(lambda key: key != "CQL_VERSION"), TEXT, max_size=3))
def test_startup(options):
    agree(protocol.StartupMessage("3.0.0", options), rq.Startup({**options, "CQL_VERSION": "3.0.0"}))


@given(TEXT, BYTES, st.lists(TEXT, max_size=3))
def test_small_requests(text, token, names):
    agree(protocol.OptionsMessage(), rq.Options())
    agree(protocol.PrepareMessage(text), rq.Prepare(text))
    agree(protocol.AuthResponseMessage(token), rq.AuthResponse(token))
    agree(protocol.RegisterMessage(names), rq.Register(tuple(names)))


# The driver leaves out what is false for Python: page size 0, serial consistency ANY, an empty paging state.
OPTIONS = st.fixed_dictionaries(
    {
        "consistency": CONSISTENCY,
        "serial_consistency": st.none() | CONSISTENCY.filter(bool),
        "page_size": st.none() | st.integers(1, (1 << 31) - 1),
        "paging_state": st.none() | st.binary(min_size=1, max_size=9),
        "timestamp_us": st.none() | st.integers(0, (1 << 63) - 1),
    }
)


def in_their_words(options):
    names = {
        "consistency": "consistency_level",
        "serial_consistency": "serial_consistency_level",
        "page_size": "fetch_size",
        "timestamp_us": "timestamp",
    }
    return {names.get(name, name): value for name, value in options.items()}


@given(TEXT, BYTES, st.none() | VALUES, OPTIONS)
def test_query_and_execute(text, statement_id, bound, options):
    parameters = rq.QueryParameters(values=None if bound is None else tuple(bound), **options)
    words = in_their_words(options)
    agree(protocol.QueryMessage(text, query_params=their_values(bound), **words), rq.Query(text, parameters))
    agree(protocol.ExecuteMessage(statement_id, their_values(bound), **words), rq.Execute(statement_id, parameters))


@given(
    st.lists(st.tuples(TEXT | BYTES, VALUES), max_size=3),
    st.sampled_from(rq.BatchType),
    CONSISTENCY,
    st.none() | CONSISTENCY.filter(bool),
    st.none() | st.integers(0, (1 << 63) - 1),
)
def test_batch(statements, kind, consistency, serial, timestamp_us):
    theirs = [(isinstance(statement, bytes), statement, their_values(bound)) for statement, bound in statements]
    message = protocol.BatchMessage(query.BatchType(kind.name, kind.value), theirs, consistency, serial, timestamp_us)
    ours = tuple([rq.BatchStatement(statement, tuple(bound)) for statement, bound in statements])
    agree(message, rq.Batch(ours, kind, consistency, serial, timestamp_us))


def test_tracing_and_payload_of_a_request():
    theirs = protocol.QueryMessage("x", 1)
    theirs.tracing, theirs.custom_payload = True, {"k": b"v", "n": None}
    agree(theirs, rq.Query("x"), tracing=True, payload={"k": b"v", "n": None})


def test_skip_metadata_is_the_flag_that_they_know():
    ours = rq.QueryParameters(values=(), skip_metadata=True)
    assert ours.flags == protocol._VALUES_FLAG | protocol._SKIP_METADATA_FLAG


@pytest.mark.skipif(lz4_support().block is None, reason=lz4_support().reason)
def test_lz4():
    connection = pytest.importorskip("cassandra.connection")
    if "lz4" not in connection.locally_supported_compressions:
        pytest.skip("this driver has no LZ4")
    compress, decompress = connection.locally_supported_compressions["lz4"]
    compressor = Compressor()
    frame = FrameDecoder(SERVER).feed(their_bytes(protocol.QueryMessage("x" * 500, 1), compressor=compress))[0]
    assert rq.decode_request(frame, compressor) == rq.Query("x" * 500)
    assert decompress(compressor.compress(b"y" * 500)) == b"y" * 500
    assert theirs_of(SetKeyspace("z" * 500), compressor=compressor).new_keyspace == "z" * 500


def test_small_responses():
    assert isinstance(theirs_of(Ready()), protocol.ReadyMessage)
    assert theirs_of(Authenticate("auth")).authenticator == "auth"
    assert theirs_of(AuthChallenge(b"\xff")).challenge == b"\xff"
    assert theirs_of(AuthSuccess(b"token")).token == "token"
    supported = theirs_of(Supported({"CQL_VERSION": ["3.0.0"], "A": ["b", "c"]}))
    assert (supported.cql_versions, supported.options) == (["3.0.0"], {"A": ["b", "c"]})


def test_results_without_rows():
    assert theirs_of(Void()).kind == protocol.RESULT_KIND_VOID
    assert theirs_of(SetKeyspace("shop")).new_keyspace == "shop"
    changed = theirs_of(SchemaChangeResult(SchemaChange("CREATED", "TABLE", "shop", "things")))
    expected = {"change_type": "CREATED", "target_type": "TABLE", "keyspace": "shop", "table": "things"}
    assert changed.schema_change_event == expected


def test_around_a_response():
    import uuid

    trace = uuid.uuid4()
    read = theirs_of(Void(), tracing_id=trace, warnings=("w",), payload={"k": b"v"})
    assert (read.trace_id, read.warnings, read.custom_payload) == (trace, ["w"], {"k": b"v"})


def our_columns(theirs):
    """Their column metadata as ours."""
    return tuple([Column(*column[:3], our_type(column[3])) for column in theirs])


def our_type(theirs):
    if issubclass(theirs, cqltypes.VectorType):  # whose own class name lacks the parameters
        return t.VectorType(our_type(theirs.subtype), theirs.vector_size)
    name = theirs.cass_parameterized_type(full=True)
    return type_of_class(name.replace("VarcharType", "UTF8Type"))  # VarcharType is a class of the driver only


# The driver writes no class name of a user type, nor of a class that it does not know.
PLAIN = tuple(column for column in COLUMNS if not isinstance(column.type, (t.UserType, t.CustomType)))


def test_rows():
    keep = [COLUMNS.index(column) for column in PLAIN]
    row = tuple(ROW[at] for at in keep)
    read = theirs_of(Rows.of(PLAIN, [row, (None,) * len(row)], b"more"))
    assert our_columns(read.column_metadata) == PLAIN
    assert read.paging_state == b"more"
    assert read.column_names == [column.name for column in PLAIN]
    assert read.parsed_rows[1] == (None,) * len(row)
    for column, cell, value in zip(PLAIN, row, read.parsed_rows[0], strict=True):
        assert as_ours(column.type, value) == decode_value(column.type, cell)


def test_prepared():
    two_tables = (Column("k", "a", "x", t.INT), Column("k", "b", "y", t.TEXT))
    for bound, result in ((PLAIN, two_tables), (two_tables, None), ((), ())):
        read = theirs_of(Prepared(STATEMENT_ID, bound, (0, 3), result))
        assert (read.query_id, read.pk_indexes) == (STATEMENT_ID, [0, 3])
        assert our_columns(read.bind_metadata) == bound
        assert (None if read.column_metadata is None else our_columns(read.column_metadata)) == result


@pytest.mark.parametrize("marked", [True, False])
def test_the_lwt_mark(marked):
    extensions = Extensions(Sharding(1, 2), 19042, rate_limit_code=0xF000, lwt_mask=0x80000000, tablets_routing=True)
    features = features_of.parse_from_supported(extensions.to_supported())
    message = Prepared(STATEMENT_ID, flags=extensions.lwt_mask if marked else 0)
    body = message.encode_body()
    read = HANDLER.decode_message(4, features, {}, 0, 0, message.opcode, body, None, None)
    assert read.is_lwt is marked


def test_extensions():
    extensions = Extensions(Sharding(1, 2), 19042, 19142, 0xF000, 0x80000000, True)
    features = features_of.parse_from_supported(extensions.to_supported())
    sharding = features.sharding_info
    assert (features.shard_id, sharding.shards_count, sharding.sharding_ignore_msb) == (1, 2, 12)
    assert (sharding.shard_aware_port, sharding.shard_aware_port_ssl) == (19042, 19142)
    assert (features.rate_limit_error, features.tablets_routing_v1) == (0xF000, True)
    options = {}
    features.add_startup_options(options)
    assert options == extensions.startup_options(tablets_routing=True)


@given(LONG, LONG, st.lists(st.builds(Replica, st.uuids(), st.integers(0, 200)), max_size=3).map(tuple))
def test_the_tablet_payload(first, last, replicas):
    of = cqltypes.lookup_casstype("TupleType(LongType, LongType, ListType(TupleType(UUIDType, Int32Type)))")
    cell = encode_tablet(TabletRange(first, last, replicas))
    assert of.from_binary(cell, 4) == (first, last, list(replicas))
    assert of.to_binary((first, last, list(replicas)), 4) == cell
    assert theirs_of(Void(), payload={TABLETS_PAYLOAD: cell}).custom_payload == {TABLETS_PAYLOAD: cell}


def test_events():
    where = (("10.0.0.1", 9042), ("2001:db8::1", 9142))
    for node in where:
        assert theirs_of(StatusChange("UP", node), -1).event_args == {"change_type": "UP", "address": node}
        assert theirs_of(TopologyChange("NEW_NODE", node), -1).event_args == {
            "change_type": "NEW_NODE",
            "address": node,
        }
    routes = theirs_of(ClientRoutesChange("UPDATE_NODES", ("c",), ("h", "i"))).event_args
    assert routes == {"change_type": "UPDATE_NODES", "connection_ids": ["c"], "host_ids": ["h", "i"]}
    changed = theirs_of(SchemaChangeEvent(SchemaChange("DROPPED", "FUNCTION", "k", "f", ("int",)))).event_args
    assert (changed["function"].name, changed["function"].argument_types) == ("f", ["int"])
    types = {type(message).event_type for message in RESPONSES if hasattr(message, "event_type")}
    assert types == protocol.known_event_types


THEIR_NAMES = {
    "required": "required_replicas",
    "alive": "alive_replicas",
    "received": "received_responses",
    "block_for": "required_responses",
    "data_present": "data_retrieved",
    "argument_types": "arg_types",
    "operation": "op_type",
}


@given(st.sampled_from(ERRORS) | errors())
def test_errors(error):
    code, details = error.code, error.details
    if code == se.SCYLLA_RATE_LIMIT_ERROR:
        assume(details.operation in (0, 1))
    read = theirs_of_error(error)
    assert (read.code, read.message) == (code, error.message)
    if code == se.UNPREPARED:
        assert read.info == details.statement_id
    elif details is not None and code != se.CAS_WRITE_UNKNOWN:  # which the driver does not know
        ours = {THEIR_NAMES.get(name, name): value for name, value in details._asdict().items()}
        theirs = {name: read.info[name] for name in ours}
        if code == se.SCYLLA_RATE_LIMIT_ERROR:
            theirs["op_type"] = theirs["op_type"].value
        if "arg_types" in ours:
            ours["arg_types"] = list(ours["arg_types"])
        if "write_type" in ours:
            ours["write_type"] = protocol.WriteType.name_to_value[ours["write_type"]]
        assert theirs == ours


def theirs_of_error(error):
    details = error.details
    if isinstance(details, (se.WriteTimeoutDetails, se.WriteFailureDetails)):
        assume(details.write_type in protocol.WriteType.name_to_value)
    return theirs_of(error)


def test_every_code_that_they_know_is_ours_too():
    ours = {error.code for error in ERRORS} - {se.SCYLLA_RATE_LIMIT_ERROR, se.CAS_WRITE_UNKNOWN}
    # 0x4321 stands for the negotiated rate limit there, 0x8000 is DataStax Enterprise's
    assert set(protocol.error_classes) - {0x4321, 0x8000} == ours


def as_ours(cql_type, value):
    """A value of the driver as we give it."""
    if value is None:
        return None
    if cql_type == t.TIMESTAMP:
        return cqltypes.int64_unpack(cqltypes.DateType.serialize(value, 4))
    if cql_type == t.DATE:
        return value.days_from_epoch
    if cql_type == t.TIME:
        return value.nanosecond_time
    if cql_type == t.INET:
        return str(ipaddress.ip_address(value))
    if cql_type == t.DURATION:
        return (value.months, value.days, value.nanoseconds)
    if isinstance(cql_type, (t.ListType, t.VectorType)):
        return [as_ours(cql_type.element, item) for item in value]
    if isinstance(cql_type, t.SetType):
        return {as_ours(cql_type.element, item) for item in value}
    if isinstance(cql_type, t.MapType):
        return {as_ours(cql_type.key, key): as_ours(cql_type.value, item) for key, item in value.items()}
    if isinstance(cql_type, t.TupleType):
        return tuple([as_ours(of, item) for of, item in zip(cql_type.elements, value, strict=True)])
    return value


def as_theirs(cql_type, value):
    if cql_type == t.DATE:
        return util.Date(value)
    if cql_type == t.DURATION:
        return util.Duration(*value)
    if isinstance(cql_type, (t.ListType, t.VectorType, t.SetType)):
        return [as_theirs(cql_type.element, item) for item in value]
    if isinstance(cql_type, t.MapType):
        return {key: as_theirs(cql_type.value, item) for key, item in value.items()}
    return value


def their_type(cql_type):
    return cqltypes.lookup_casstype(class_of_type(cql_type))


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


def test_opening_their_frames_costs_nothing_when_plain():
    frame = FrameDecoder(SERVER).feed(their_bytes(protocol.OptionsMessage()))[0]
    assert open_frame(frame).frame is frame

"""Agreement with scylla-driver: its messages encode to our bytes and decode from them, both ways."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wire_examples import COLUMNS, ERRORS, RESPONSES, ROW, STATEMENT_ID
from wire_strategies import BYTES, CONSISTENCY, LONG, TEXT, errors

from cqlsurge.load.cql import requests as rq
from cqlsurge.load.cql import server_errors as se
from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.compression import Compressor, lz4_support
from cqlsurge.load.cql.envelope import open_frame, seal_frame
from cqlsurge.load.cql.events import ClientRoutesChange, SchemaChangeEvent, StatusChange, TopologyChange
from cqlsurge.load.cql.extensions import TABLETS_PAYLOAD, Extensions, Replica, Sharding, TabletRange, encode_tablet
from cqlsurge.load.cql.frames import CLIENT, SERVER, FrameDecoder
from cqlsurge.load.cql.primitives import UNSET
from cqlsurge.load.cql.responses import AuthChallenge, Authenticate, AuthSuccess, Ready, Supported
from cqlsurge.load.cql.results import Column, Prepared, Rows, SchemaChangeResult, SetKeyspace, Void
from cqlsurge.load.cql.schema_change import SchemaChange
from cqlsurge.load.cql.values import decode_value

protocol = pytest.importorskip("cassandra.protocol", reason="scylla-driver is not installed")
cqltypes = pytest.importorskip("cassandra.cqltypes")
wire_driver = pytest.importorskip("wire_driver")
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
    return tuple([Column(*column[:3], wire_driver.our_type(column[3])) for column in theirs])


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
        assert wire_driver.as_ours(column.type, value) == decode_value(column.type, cell)


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


def test_opening_their_frames_costs_nothing_when_plain():
    frame = FrameDecoder(SERVER).feed(their_bytes(protocol.OptionsMessage()))[0]
    assert open_frame(frame).frame is frame

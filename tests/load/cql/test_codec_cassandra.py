"""The codec against a real Cassandra, over a plain blocking socket: all types, and each message that it will send."""

from __future__ import annotations

import socket
import time

import pytest
from wire_examples import ADDRESS, VALUES

from cqlsurge.load.cql import frames
from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.compression import Compressor, lz4_support
from cqlsurge.load.cql.envelope import open_frame, seal_frame
from cqlsurge.load.cql.events import SchemaChangeEvent
from cqlsurge.load.cql.extensions import Extensions
from cqlsurge.load.cql.frames import CLIENT, FrameDecoder
from cqlsurge.load.cql.primitives import UNSET, Consistency
from cqlsurge.load.cql.requests import (
    Batch,
    BatchStatement,
    Execute,
    Options,
    Prepare,
    Query,
    QueryParameters,
    Register,
    Startup,
)
from cqlsurge.load.cql.responses import Ready, Supported, decode_response
from cqlsurge.load.cql.results import Prepared, Rows, SchemaChangeResult, SetKeyspace, Void
from cqlsurge.load.cql.schema_change import SchemaChange
from cqlsurge.load.cql.server_errors import (
    ALREADY_EXISTS,
    INVALID,
    PROTOCOL_ERROR,
    SYNTAX_ERROR,
    UNPREPARED,
    AlreadyExistsDetails,
    ErrorResponse,
    UnpreparedDetails,
)
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.values import decode_row, encode_value

pytestmark = pytest.mark.cassandra
KEYSPACE = "wire_codec"
# One column of each type; no user types, which must be created first, no classes of one's own, and no list with a null
# in it, which the protocol can carry and the server refuses.
TYPED = [
    (of, value)
    for of, value, _ in VALUES
    if of not in (t.COUNTER, ADDRESS) and not isinstance(of, t.CustomType) and value != [1, None]
] + [(t.ListType(t.INT), [1, 2])]


class Client:
    """One connection; `ask` sends a request and waits for its answer."""

    def __init__(self, host, port, compressor=None):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.decoder = FrameDecoder(CLIENT)
        self.compressor = compressor
        self.events = []
        self.last = None
        options = {"CQL_VERSION": "3.0.0", **({"COMPRESSION": "lz4"} if compressor else {})}
        assert self.ask(Startup(options)) == Ready()

    def ask(self, request, **around):
        self.send(request, **around)
        return self.receive()

    def send(self, request, **around):
        message = seal_frame(request.opcode, request.encode_body(), 7, compressor=self.compressor, **around)
        self.socket.sendall(message)

    def receive(self, until=lambda frame: frame.stream == 7):
        while True:
            data = self.socket.recv(65536)
            assert data, "the server hung up"
            for frame in self.decoder.feed(data):
                self.last = open_frame(frame, self.compressor)
                message = decode_response(frame, self.compressor)
                if frame.stream == frames.EVENT_STREAM:
                    self.events.append(message)
                if until(frame):
                    return message

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module")
def ground(cassandra):
    """A keyspace with a table of all types; (host, port)."""
    client = Client(cassandra.host, cassandra.port)
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    client.ask(Query(f"DROP KEYSPACE IF EXISTS {KEYSPACE}"))
    created = client.ask(Query(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {replication}"))
    assert created == SchemaChangeResult(SchemaChange("CREATED", "KEYSPACE", KEYSPACE))
    columns = ", ".join(f"c{number} {of}" for number, (of, _) in enumerate(TYPED))
    assert isinstance(
        client.ask(Query(f"CREATE TABLE {KEYSPACE}.typed (id int PRIMARY KEY, {columns})")), SchemaChangeResult
    )
    assert isinstance(
        client.ask(Query(f"CREATE TABLE {KEYSPACE}.kv (k int, v text, PRIMARY KEY (k))")), SchemaChangeResult
    )
    client.close()
    yield cassandra.host, cassandra.port
    client = Client(cassandra.host, cassandra.port)
    client.ask(Query(f"DROP KEYSPACE {KEYSPACE}"))
    client.close()


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.skipif(not lz4_support().block, reason="no LZ4"))])
def client(ground, request):
    found = Client(*ground, Compressor() if request.param else None)
    yield found
    found.close()


def test_supported_has_nothing_of_scylladb(client):
    supported = client.ask(Options())
    assert isinstance(supported, Supported)
    assert "lz4" in supported.options["COMPRESSION"]
    assert Extensions.from_supported(supported.options) == Extensions()


def test_all_types_come_back_as_they_went(client):
    names = ", ".join(f"c{number}" for number in range(len(TYPED)))
    marks = ", ".join("?" * len(TYPED))
    prepared = client.ask(Prepare(f"INSERT INTO {KEYSPACE}.typed (id, {names}) VALUES (?, {marks})"))
    assert isinstance(prepared, Prepared)
    assert (prepared.pk_indexes, prepared.result_columns) == ((0,), None)
    assert [column.type for column in prepared.columns] == [t.INT, *(of for of, _ in TYPED)]
    cells = [encode_value(of, value) for of, value in [(t.INT, 1), *TYPED]]
    bound = QueryParameters(Consistency.ONE, tuple(cells), timestamp_us=time.time_ns() // 1000)
    assert client.ask(Execute(prepared.statement_id, bound)) == Void()
    rows = client.ask(Query(f"SELECT {names} FROM {KEYSPACE}.typed WHERE id = 1"))
    assert isinstance(rows, Rows)
    assert decode_row([column.type for column in rows.columns], rows.rows[0]) == tuple(value for _, value in TYPED)
    assert list(rows.rows[0]) == cells[1:]


def test_null_unset_names_and_no_metadata(client):
    names = QueryParameters(values=(b"\0\0\0\5", None), names=("k", "v"))
    assert client.ask(Query(f"INSERT INTO {KEYSPACE}.kv (k, v) VALUES (:k, :v)", names)) == Void()
    insert = client.ask(Prepare(f"INSERT INTO {KEYSPACE}.kv (k, v) VALUES (?, ?)"))
    assert client.ask(Execute(insert.statement_id, QueryParameters(values=(b"\0\0\0\6", UNSET)))) == Void()
    select = client.ask(Prepare(f"SELECT v FROM {KEYSPACE}.kv WHERE k = ?"))
    assert [column.name for column in select.result_columns] == ["v"]
    lean = QueryParameters(values=(b"\0\0\0\5",), skip_metadata=True)
    assert client.ask(Execute(select.statement_id, lean)) == Rows(1, [(None,)])


def test_batches_and_pages(client):
    insert = client.ask(Prepare(f"INSERT INTO {KEYSPACE}.kv (k, v) VALUES (?, ?)"))
    statements = [
        BatchStatement(insert.statement_id, (number.to_bytes(4, "big"), b"v" * 100)) for number in range(100, 109)
    ]
    text = BatchStatement(f"INSERT INTO {KEYSPACE}.kv (k, v) VALUES (109, 'v')")
    assert client.ask(Batch((*statements, text), timestamp_us=5)) == Void()
    seen, state = 0, None
    while True:
        page = client.ask(Query(f"SELECT * FROM {KEYSPACE}.kv", QueryParameters(page_size=4, paging_state=state)))
        seen, state = seen + len(page.rows), page.paging_state
        assert len(page.rows) <= 4
        if state is None:
            break
    assert seen >= 10


def test_lightweight_transactions_and_use(client):
    query = f"INSERT INTO {KEYSPACE}.kv (k, v) VALUES (7, 'x') IF NOT EXISTS"
    applied = client.ask(Query(query, QueryParameters(Consistency.QUORUM, serial_consistency=Consistency.SERIAL)))
    assert (applied.columns[0].name, applied.columns[0].type) == ("[applied]", t.BOOLEAN)
    assert client.ask(Query(f"USE {KEYSPACE}")) == SetKeyspace(KEYSPACE)


def test_tracing(client):
    assert isinstance(client.ask(Query(f"SELECT * FROM {KEYSPACE}.kv WHERE k = 1"), tracing=True), Rows)
    assert client.last.tracing_id is not None


def test_warnings(client):
    text = "".join(f"INSERT INTO {KEYSPACE}.kv (k, v) VALUES ({key}, '{'x' * 1000}');" for key in range(20))
    assert client.ask(Query(f"BEGIN UNLOGGED BATCH {text} APPLY BATCH")) == Void()
    assert any("atch" in warning for warning in client.last.warnings)


@pytest.mark.parametrize(
    ("query", "code", "details"),
    [
        ("SELEC", SYNTAX_ERROR, None),
        ("SELECT * FROM nosuch.kv", INVALID, None),
        (f"CREATE TABLE {KEYSPACE}.kv (k int PRIMARY KEY)", ALREADY_EXISTS, AlreadyExistsDetails(KEYSPACE, "kv")),
    ],
)
def test_errors(client, query, code, details):
    error = client.ask(Query(query))
    assert isinstance(error, ErrorResponse)
    assert (error.code, error.details) == (code, details)


def test_unprepared(client):
    error = client.ask(Execute(b"sixteen bytes id"))
    assert (error.code, error.details) == (UNPREPARED, UnpreparedDetails(b"sixteen bytes id"))


def test_events_and_user_types(client):
    assert client.ask(Register(("TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"))) == Ready()
    client.ask(Query(f"DROP TYPE IF EXISTS {KEYSPACE}.address"))
    created = client.ask(Query(f"CREATE TYPE {KEYSPACE}.address (street text, numbers frozen<set<int>>)"))
    change = SchemaChange("CREATED", "TYPE", KEYSPACE, "address")
    assert created == SchemaChangeResult(change)
    while SchemaChangeEvent(change) not in client.events:
        client.receive(until=lambda frame: frame.stream == frames.EVENT_STREAM)
    client.ask(Query(f"CREATE TABLE IF NOT EXISTS {KEYSPACE}.people (id int PRIMARY KEY, home address)"))
    insert = client.ask(Prepare(f"INSERT INTO {KEYSPACE}.people (id, home) VALUES (1, ?)"))
    of = insert.columns[0].type
    assert of == t.UserType(KEYSPACE, "address", ADDRESS.fields)
    assert parse_type("frozen<address>", {"address": of}) == of
    home = {"street": "x", "numbers": {1, 2}}
    assert client.ask(Execute(insert.statement_id, QueryParameters(values=(encode_value(of, home),)))) == Void()
    rows = client.ask(Query(f"SELECT home FROM {KEYSPACE}.people"))
    assert decode_row([of], rows.rows[0]) == (home,)
    client.ask(Query(f"DROP TABLE {KEYSPACE}.people"))


def test_a_broken_frame_is_answered_with_a_protocol_error(client):
    client.socket.sendall(seal_frame(frames.OP_QUERY, b"\0\0\0\5", 7))
    assert client.receive().code == PROTOCOL_ERROR


def test_a_version_that_it_does_not_know_is_answered(ground):
    with socket.create_connection(ground, timeout=30) as connection:
        connection.sendall(seal_frame(frames.OP_OPTIONS, b"", 3, version=0x42))
        decoder = FrameDecoder(CLIENT, versions=(3, 4, 5))
        received = []
        while not received:
            received = decoder.feed(connection.recv(65536))
        assert decode_response(received[0]).code == PROTOCOL_ERROR

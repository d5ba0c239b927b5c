"""One connection without a socket: a client and a server codec wired back to back in memory.

How: requests are encoded, answered by a Connection of a Cluster, and the answers decoded by the client's half.
"""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqlsurge.load.cql import requests as q
from cqlsurge.load.cql import responses as r
from cqlsurge.load.cql import server_errors as e
from cqlsurge.load.cql.compression import Compressor, lz4_support
from cqlsurge.load.cql.envelope import open_frame, seal_frame
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.extensions import TABLETS_ROUTING, Extensions, decode_tablet
from cqlsurge.load.cql.frames import CLIENT, FLAG_COMPRESSED, SERVER, FrameDecoder, encode_frame
from cqlsurge.load.cql.primitives import Consistency
from cqlsurge.load.cql.results import Prepared, Rows, SetKeyspace, Void
from cqlsurge.simulator.cluster import Cluster, Credentials
from cqlsurge.simulator.connection import Connection, Peer
from cqlsurge.simulator.inject.faults import ERRORS
from cqlsurge.simulator.topology import make_topology

KS = "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': %d}"
TABLE = "CREATE TABLE ks.kv (key uuid PRIMARY KEY, value blob)"
INSERT = "INSERT INTO ks.kv (key, value) VALUES (?, ?)"
SELECT = "SELECT key, value FROM ks.kv WHERE key = ?"


class Pair:
    """Client and server halves of one connection."""

    def __init__(self, cluster: Cluster, node: int = 0, shard: int = 0) -> None:
        self.cluster = cluster
        self.server = Connection(cluster, Peer("127.0.0.1", 50000, cluster.topology.nodes[node], shard))
        cluster.connections[self.server] = self.events = []
        cluster.connections[self.server] = self.events.append
        self.compressor = None

    def frame(self, message):
        """The response frame to a request, not opened."""
        sent = seal_frame(message.opcode, message.encode_body(), 7, compressor=self.compressor)
        (request,) = FrameDecoder(SERVER).feed(sent)
        (response,) = FrameDecoder(CLIENT).feed(self.server.answer(request).frame)
        assert response.stream == 7
        return response

    def ask(self, message):
        return r.decode_response(self.frame(message), self.compressor, rate_limit_code=0xF000)

    def start(self, **options):
        assert self.ask(q.Startup({"CQL_VERSION": "3.0.0", **options})) == r.Ready()
        return self

    def query(self, text, *values, **parameters):
        return self.ask(q.Query(text, q.QueryParameters(values=values or None, **parameters)))

    def execute(self, prepared, *values, **parameters):
        return q.Execute(prepared.statement_id, q.QueryParameters(values=values, **parameters))


def make_cluster(nodes=3, shards=4, factor=1, **options):
    scylla = options.pop("scylla", True)
    cluster = Cluster(make_topology(nodes, shards, 9042, 19042 if scylla else None, scylla=scylla), **options)
    pair = Pair(cluster)
    if cluster.credentials is None:
        pair.start()
        pair.query(KS % factor)
        pair.query(TABLE)
    return cluster


@pytest.fixture
def pair():
    return Pair(make_cluster()).start()


def test_supported_tells_of_shards():
    extensions = Extensions.from_supported(Pair(make_cluster(), node=1, shard=3).ask(q.Options()).options)
    assert extensions.sharding is not None
    assert (extensions.sharding.shard, extensions.sharding.nr_shards, extensions.shard_aware_port) == (3, 4, 19042)
    assert (extensions.rate_limit_code, extensions.lwt_mask) == (0xF000, 0x80000000)
    assert extensions.tablets_routing


def test_like_cassandra_leaves_scylla_out():
    assert Extensions.from_supported(Pair(make_cluster(scylla=False)).ask(q.Options()).options) == Extensions()


def test_startup_comes_first():
    answer = Pair(make_cluster()).ask(q.Query("SELECT * FROM system.local"))
    assert (answer.code, "STARTUP" in answer.message) == (e.PROTOCOL_ERROR, True)


def test_write_and_read(pair):
    insert, select = pair.ask(q.Prepare(INSERT)), pair.ask(q.Prepare(SELECT))
    assert isinstance(insert, Prepared)
    key = bytes(range(16))
    assert pair.ask(pair.execute(insert, key, b"value")) == Void()
    rows = pair.ask(pair.execute(select, key))
    assert isinstance(rows, Rows)
    assert rows.rows == [(key, b"value")]
    assert [column.name for column in rows.columns] == ["key", "value"]
    assert pair.ask(pair.execute(select, key, skip_metadata=True)).columns is None


def test_values_by_name(pair):
    key = bytes(16)
    pair.ask(q.Query(INSERT, q.QueryParameters(values=(b"v", key), names=("value", "key"))))
    assert pair.query(SELECT, key).rows == [(key, b"v")]


def test_use_and_batches(pair):
    assert pair.query("USE ks") == SetKeyspace("ks")
    insert = pair.ask(q.Prepare("INSERT INTO kv (key, value) VALUES (?, ?)"))
    statements = (
        q.BatchStatement(insert.statement_id, (bytes(16), b"1")),
        q.BatchStatement("INSERT INTO kv (key, value) VALUES (?, ?)", (bytes(15) + b"\1", b"2")),
    )
    assert pair.ask(q.Batch(statements)) == Void()
    assert sorted(pair.query("SELECT value FROM kv").rows) == [(b"1",), (b"2",)]


def test_errors_of_statements(pair):
    assert pair.query("SELEKT").code == e.SYNTAX_ERROR
    assert pair.query("SELECT * FROM ks.nowhere").code == e.INVALID
    exists = pair.query(TABLE)
    assert (exists.code, exists.details) == (e.ALREADY_EXISTS, e.AlreadyExistsDetails("ks", "kv"))
    assert pair.query(INSERT, bytes(16)).code == e.INVALID
    assert pair.query(INSERT, bytes(3), b"").code == e.INVALID


def test_a_node_knows_only_what_it_was_told(pair):
    insert = pair.ask(q.Prepare(INSERT))
    other = Pair(pair.cluster, node=1).start()
    answer = other.ask(other.execute(insert, bytes(16), b""))
    assert (answer.code, answer.details.statement_id) == (e.UNPREPARED, insert.statement_id)
    assert other.ask(q.Prepare(INSERT)).statement_id == insert.statement_id
    assert other.ask(other.execute(insert, bytes(16), b"")) == Void()


@pytest.mark.parametrize("version", [5, 3, 66])
def test_other_versions_get_a_v4_protocol_error(pair, version):
    with pytest.raises(ProtocolError) as caught:
        FrameDecoder(SERVER).feed(encode_frame(0x01, b"", 9, version=version))
    answer = pair.server.protocol_error(caught.value, caught.value.stream)
    (frame,) = FrameDecoder(CLIENT).feed(answer.frame)
    assert (frame.version, frame.stream, answer.close) == (4, 9, True)
    response = r.decode_response(frame)
    assert (response.code, "unsupported protocol version" in response.message) == (e.PROTOCOL_ERROR, True)


def test_requests_are_judged_by_their_place():
    cluster = make_cluster()
    key = b"0123456789abcdef"
    node, shard = cluster.executor.schema.table("ks", "kv").placement.owners(_token(key))[0]
    for place in ((node, shard), (node, (shard + 1) % 4), ((node + 1) % 3, shard)):
        pair = Pair(cluster, *place).start()
        insert = pair.ask(q.Prepare(INSERT))
        pair.ask(pair.execute(insert, key, b""))
    total = cluster.counts.state()["total"]
    assert (total["right"], total["wrong_shard"], total["wrong_node"]) == (1, 1, 1)


def test_misrouted_requests_tell_of_the_tablet():
    cluster = make_cluster(tablets=True)
    key = b"0123456789abcdef"
    placement = cluster.executor.schema.table("ks", "kv").placement
    node, shard = placement.owners(_token(key))[0]
    for place, asked, told in (((node, shard), True, False), ((node, 1 - shard % 2), True, True)):
        pair = Pair(cluster, *place)
        pair.start(**({TABLETS_ROUTING: ""} if asked else {}))
        frame = pair.frame(pair.execute(pair.ask(q.Prepare(INSERT)), key, b""))
        tablet = decode_tablet(open_frame(frame).payload)
        assert (tablet is not None) == told
        if tablet:
            assert tablet == placement.tablet(_token(key))
            assert tablet.first_token < _token(key) <= tablet.last_token
    silent = Pair(cluster, (node + 1) % 3, shard).start()
    frame = silent.frame(silent.execute(silent.ask(q.Prepare(INSERT)), key, b""))
    assert decode_tablet(open_frame(frame).payload) is None


def test_tablets_move_on_command():
    cluster = make_cluster(tablets=True)
    placement = cluster.executor.schema.table("ks", "kv").placement
    before = list(placement.tablets.replica_sets)
    assert cluster.move_tablets(5) == 5
    after = placement.tablets.replica_sets
    assert [len(replicas) for replicas in after] == [len(replicas) for replicas in before]
    assert 1 <= sum(old != new for old, new in zip(before, after, strict=True)) <= 5


def _token(key):
    from cqlsurge.load.routing.murmur3 import token

    return token(key)


def test_credentials():
    pair = Pair(make_cluster(credentials=Credentials("user", "secret")))
    assert isinstance(pair.ask(q.Startup()), r.Authenticate)
    assert pair.ask(q.Query("SELECT * FROM system.local")).code == e.PROTOCOL_ERROR
    wrong = pair.ask(q.AuthResponse(b"\0user\0wrong"))
    assert wrong.code == e.BAD_CREDENTIALS
    assert "wrong" not in wrong.message
    assert isinstance(pair.ask(q.AuthResponse(b"\0user\0secret")), r.AuthSuccess)
    assert isinstance(pair.query("SELECT * FROM system.local"), Rows)


def test_events_reach_those_who_registered(pair):
    assert pair.ask(q.Register(("SCHEMA_CHANGE", "STATUS_CHANGE"))) == r.Ready()
    deaf = Pair(pair.cluster).start()
    deaf.query("CREATE TABLE ks.x (k int PRIMARY KEY)")
    pair.cluster.set_up(pair.cluster.topology.nodes[1], up=False)
    events = [r.decode_response(frame) for frame in FrameDecoder(CLIENT).feed(b"".join(pair.events))]
    assert [event.event_type for event in events] == ["SCHEMA_CHANGE", "STATUS_CHANGE"]
    assert (events[1].change, events[1].node) == ("DOWN", ("127.0.0.2", 9042))
    assert deaf.events == []


def test_too_few_replicas_up():
    cluster = make_cluster(nodes=3, factor=3)
    pair = Pair(cluster).start()
    cluster.set_up(cluster.topology.nodes[2], up=False)
    cluster.set_up(cluster.topology.nodes[1], up=False)
    assert pair.query(INSERT, bytes(16), b"", consistency=Consistency.ONE) == Void()
    refused = pair.query(INSERT, bytes(16), b"", consistency=Consistency.QUORUM)
    assert refused.details == e.UnavailableDetails(Consistency.QUORUM, 2, 1)


@pytest.mark.skipif(not lz4_support().block, reason="no LZ4 here")
def test_compression(pair):
    pair = Pair(pair.cluster).start(COMPRESSION="lz4")
    pair.compressor = Compressor()
    frame = pair.frame(q.Query("SELECT * FROM system_schema.columns"))
    assert frame.flags & FLAG_COMPRESSED
    assert isinstance(r.decode_response(frame, pair.compressor), Rows)


def test_unknown_compression_is_refused():
    assert Pair(make_cluster()).ask(q.Startup({"COMPRESSION": "zip"})).code == e.PROTOCOL_ERROR


@pytest.mark.parametrize("name", ERRORS)
def test_each_error_on_command(name):
    pair = Pair(make_cluster()).start(SCYLLA_RATE_LIMIT_ERROR="")
    insert = pair.ask(q.Prepare(INSERT))
    pair.cluster.faults.add(f"{name}:count=1")
    answer = pair.ask(pair.execute(insert, bytes(16), b""))
    assert (answer.code, isinstance(answer, e.ErrorResponse)) == (ERRORS[name], True)
    assert pair.query(SELECT, bytes(16)).rows == []
    assert pair.ask(pair.execute(insert, bytes(16), b"")) == Void()


def test_rate_limit_without_the_extension_is_a_config_error(pair):
    pair.cluster.faults.add("rate_limit")
    assert pair.query(INSERT, bytes(16), b"").code == e.CONFIG_ERROR


def test_faults_leave_system_tables_alone(pair):
    pair.cluster.faults.add("overloaded")
    assert isinstance(pair.query("SELECT * FROM system.local"), Rows)
    pair.cluster.faults.add("overloaded:op=all")
    assert pair.query("SELECT * FROM system.local").code == e.OVERLOADED


FUZZED = make_cluster()


@settings(max_examples=300, deadline=None)
@given(opcode=st.integers(0, 20), flags=st.integers(0, 15), body=st.binary(max_size=80), started=st.booleans())
def test_garbage_gets_an_answer(opcode, flags, body, started):
    """Whatever a whole frame holds, the outcome is one response frame."""
    pair = Pair(FUZZED)
    if started:
        pair.start()
    frame = struct.pack(">BBhBi", 4, flags, 3, opcode, len(body)) + body
    try:
        (request,) = FrameDecoder(SERVER).feed(frame)
    except ProtocolError:
        return
    (response,) = FrameDecoder(CLIENT).feed(pair.server.answer(request).frame)
    assert response.stream == 3
    r.decode_response(response)

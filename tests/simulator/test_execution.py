"""Statements on the store, in memory: rows, times, conditions, collections, schema changes and their errors.

How: an Executor without sockets; cells are decoded with the codec that has tests of its own.
"""

from __future__ import annotations

import decimal
import uuid

import pytest

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.results import Rows, SchemaChangeResult, Void
from cqlsurge.load.cql.values import decode_value, encode_value
from cqlsurge.simulator.execution.executor import Executor
from cqlsurge.simulator.execution.request import Context
from cqlsurge.simulator.schema import SchemaError
from cqlsurge.simulator.topology import make_topology

KS = "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 2}"
WIDE = "CREATE TABLE w (a int, b text, s int static, l list<int>, m map<text, int>, PRIMARY KEY (a, b))"


class Shell:
    """Runs statements at a clock of its own and gives rows as Python values."""

    def __init__(self, **options):
        self.topology = make_topology(3, 2, 9042, 19042, scylla=options.pop("scylla", True))
        self.executor = Executor(self.topology, **options)
        self.now_us = 1_000_000
        self(KS)

    def run(self, text, *values, **options):
        self.now_us += 10
        context = Context(self.topology.nodes[0], self.now_us, "ks", values, **options)
        return self.executor.run(self.executor.compiled(text, "ks"), context).message

    def __call__(self, text, *values, **options):
        message = self.run(text, *values, **options)
        if not isinstance(message, Rows):
            return message
        types = [column.type for column in message.columns]
        return [tuple(decode_value(of, cell) for of, cell in zip(types, row, strict=True)) for row in message.rows]


@pytest.fixture
def shell():
    return Shell()


@pytest.fixture
def wide(shell):
    shell(WIDE)
    return shell


def test_insert_select_update_delete(wide):
    wide("INSERT INTO w (a, b, l) VALUES (1, 'x', [1])")
    wide("UPDATE w SET l = l + [2], m = {'k': 1} WHERE a = 1 AND b = 'y'")
    assert wide("SELECT b, l, m FROM w WHERE a = 1") == [("x", [1], None), ("y", [2], {"k": 1})]
    wide("DELETE m FROM w WHERE a = 1 AND b = 'y'")
    wide("DELETE FROM w WHERE a = 1 AND b = 'x'")
    assert wide("SELECT b, l, m FROM w WHERE a = 1") == [("y", [2], None)]
    wide("DELETE FROM w WHERE a = 1")
    assert wide("SELECT * FROM w") == []


def test_the_later_write_wins_whatever_the_order(wide):
    wide("INSERT INTO w (a, b, l) VALUES (1, 'x', [2]) USING TIMESTAMP 200")
    wide("INSERT INTO w (a, b, l) VALUES (1, 'x', [1]) USING TIMESTAMP 100")
    assert wide("SELECT l, writetime(l) FROM w WHERE a = 1") == [([2], 200)]
    wide("DELETE FROM w USING TIMESTAMP 150 WHERE a = 1 AND b = 'x'")
    assert wide("SELECT l FROM w WHERE a = 1") == [([2],)]
    wide("DELETE FROM w USING TIMESTAMP 200 WHERE a = 1 AND b = 'x'")
    assert wide("SELECT l FROM w WHERE a = 1") == []


def test_a_clients_timestamp_counts(wide):
    wide("INSERT INTO w (a, b) VALUES (1, 'x')", timestamp_us=5)
    wide("DELETE FROM w WHERE a = 1 AND b = 'x'", timestamp_us=4)
    assert wide("SELECT b FROM w") == [("x",)]


def test_time_to_live(wide):
    wide("INSERT INTO w (a, b, l) VALUES (1, 'x', [1]) USING TTL 60")
    assert wide("SELECT ttl(l) FROM w WHERE a = 1") == [(59,)]
    wide.now_us += 60_000_000
    assert wide("SELECT b FROM w WHERE a = 1") == []


def test_order_and_limits(wide):
    for a in (1, 2):
        for b in "cab":
            wide(f"INSERT INTO w (a, b) VALUES ({a}, '{b}')")
    assert [b for (b,) in wide("SELECT b FROM w WHERE a = 1")] == ["a", "b", "c"]
    assert [b for (b,) in wide("SELECT b FROM w WHERE a = 1 ORDER BY b DESC LIMIT 2")] == ["c", "b"]
    assert wide("SELECT b FROM w WHERE a = 1 AND b > 'a' AND b <= 'b'") == [("b",)]
    assert len(wide("SELECT b FROM w PER PARTITION LIMIT 1")) == 2
    assert wide("SELECT count(*) FROM w") == [(6,)]
    assert wide("SELECT DISTINCT a FROM w WHERE a IN (2, 1, 3)") == [(2,), (1,)]


def test_statics_belong_to_the_partition(wide):
    wide("INSERT INTO w (a, s) VALUES (1, 7)")
    assert wide("SELECT a, b, s FROM w") == [(1, None, 7)]
    wide("INSERT INTO w (a, b) VALUES (1, 'x')")
    assert wide("SELECT a, b, s FROM w") == [(1, "x", 7)]


def test_pages_cover_everything_once(shell):
    shell("CREATE TABLE n (k int PRIMARY KEY)")
    for key in range(25):
        shell(f"INSERT INTO n (k) VALUES ({key})")
    found, state = [], None
    while True:
        message = shell.run("SELECT k FROM n", page_size=7, paging_state=state)
        found += [decode_value(t.INT, cell) for (cell,) in message.rows]
        state = message.paging_state
        if state is None:
            break
    assert sorted(found) == list(range(25))


def test_token_ranges_divide_the_rows(shell):
    shell("CREATE TABLE n (k int PRIMARY KEY)")
    for key in range(50):
        shell(f"INSERT INTO n (k) VALUES ({key})")
    lower = shell("SELECT k FROM n WHERE token(k) <= 0")
    upper = shell("SELECT k FROM n WHERE token(k) > 0")
    assert sorted(lower + upper) == [(key,) for key in range(50)]
    assert lower
    assert upper
    (first,) = shell("SELECT k FROM n LIMIT 1")
    assert shell(f"SELECT k FROM n WHERE token(k) <= token({first[0]})") == [first]
    following = shell("SELECT k FROM n WHERE token(k) > token(?) LIMIT 1", encode_value(t.INT, first[0]))
    assert following == shell("SELECT k FROM n LIMIT 2")[1:]


def test_conditions(wide):
    insert = "INSERT INTO w (a, b, l) VALUES (1, 'x', [1]) IF NOT EXISTS"
    assert wide(insert) == [(True, None, None, None, None, None)]
    assert wide(insert) == [(False, 1, "x", None, [1], None)]
    assert wide("UPDATE w SET l = [2] WHERE a = 1 AND b = 'x' IF l = [3]") == [(False, [1])]
    assert wide("UPDATE w SET l = [2] WHERE a = 1 AND b = 'x' IF l = [1]") == [(True, [1])]
    assert wide("DELETE FROM w WHERE a = 1 AND b = 'z' IF EXISTS")[0][0] is False
    assert wide("SELECT l FROM w") == [([2],)]


def test_cassandra_answers_conditions_more_briefly():
    shell = Shell(scylla=False)
    shell(WIDE)
    assert shell("INSERT INTO w (a, b) VALUES (1, 'x') IF NOT EXISTS") == [(True,)]


def test_elements_of_collections(wide):
    wide("UPDATE w SET l = [1, 2], m['k'] = 1 WHERE a = 1 AND b = 'x'")
    wide("UPDATE w SET l[1] = ?, m[?] = 2 WHERE a = 1 AND b = 'x'", b"\0\0\0\7", b"other")
    assert wide("SELECT l, m FROM w") == [([1, 7], {"k": 1, "other": 2})]
    wide("UPDATE w SET m['k'] = null WHERE a = 1 AND b = 'x'")
    assert wide("SELECT m FROM w") == [({"other": 2},)]
    with pytest.raises(SchemaError, match="out of bound"):
        wide("UPDATE w SET l[2] = 1 WHERE a = 1 AND b = 'x'")


def test_counters(shell):
    shell("CREATE TABLE c (k int PRIMARY KEY, n counter)")
    shell("UPDATE c SET n = n + 5 WHERE k = 1")
    shell("UPDATE c SET n = n - 2 WHERE k = 1")
    assert shell("SELECT n FROM c") == [(3,)]


def test_user_types_and_bound_collections(shell):
    shell("CREATE TYPE home (street text, number int)")
    shell("CREATE TABLE p (k int PRIMARY KEY, h frozen<home>, q set<int>)")
    numbers = encode_value(t.SetType(t.INT), {4, 5})
    shell("INSERT INTO p (k, h, q) VALUES (1, {street: 'a', number: 2}, ?)", numbers)
    assert shell("SELECT h, q FROM p WHERE k = 1") == [({"street": "a", "number": 2}, {4, 5})]


def test_batches(wide):
    answer = wide(
        "BEGIN BATCH INSERT INTO w (a, b) VALUES (?, 'x'); UPDATE w SET s = 3 WHERE a = 1; APPLY BATCH", b"\0\0\0\1"
    )
    assert isinstance(answer, Void)
    assert wide("SELECT a, b, s FROM w") == [(1, "x", 3)]


def test_markers_and_routing_indexes(shell):
    shell("CREATE TABLE r (a int, b uuid, c int, v blob, PRIMARY KEY ((a, b), c))")
    node = shell.topology.nodes[0]
    prepared = shell.executor.prepare("INSERT INTO r (v, c, b, a) VALUES (?, ?, ?, ?)", "ks", node, mark_lwt=True)
    assert prepared.pk_indexes == (3, 2)
    assert [(column.name, str(column.type)) for column in prepared.columns] == [
        ("v", "blob"), ("c", "int"), ("b", "uuid"), ("a", "int"),
    ]  # fmt: skip
    assert prepared.flags == 0
    partly = shell.executor.prepare("SELECT v FROM r WHERE a = ? AND b = ? LIMIT ?", "ks", node, mark_lwt=True)
    assert partly.pk_indexes == (0, 1)
    assert partly.columns[2].name == "[limit]"
    conditional = shell.executor.prepare("DELETE FROM r WHERE a=? AND b=? AND c=? IF EXISTS", "ks", node, mark_lwt=True)
    assert conditional.flags == 0x80000000
    assert shell.executor.prepare("SELECT v FROM r WHERE a = 1 AND b = ?", "ks", node, mark_lwt=True).pk_indexes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT * FROM nowhere", "unconfigured table"),
        ("SELECT * FROM no.t", "does not exist"),
        ("SELECT z FROM w", "Unrecognized name z"),
        ("INSERT INTO w (a) VALUES (1)", "Missing mandatory PRIMARY KEY part b"),
        ("INSERT INTO w (b) VALUES ('x')", "Missing mandatory PRIMARY KEY part a"),
        ("INSERT INTO w (a, b) VALUES ('x', 'x')", "Invalid string constant"),
        ("INSERT INTO w (a, b) VALUES (null, 'x')", "null or unset"),
        ("UPDATE w SET l = [1] WHERE b = 'x'", "partition key parts are missing"),
        ("UPDATE w SET l = [1] WHERE a = 1", "clustering keys are missing"),
        ("UPDATE w SET a = 1 WHERE a = 1 AND b = 'x'", "PRIMARY KEY part a"),
        ("UPDATE w SET s = s + 1 WHERE a = 1", "non counter"),
        ("CREATE TABLE w (a int PRIMARY KEY)", "already existing"),
        ("CREATE TABLE x (a frob PRIMARY KEY)", "Unknown type"),
        ("CREATE TABLE x (a int)", "No PRIMARY KEY"),
        ("CREATE TABLE system.x (a int PRIMARY KEY)", "not user-modifiable"),
        ("DROP TABLE x", "non existing"),
        ("CREATE KEYSPACE k WITH replication = {'class': 'Frob'}", "replication strategy class"),
        ("CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc9': 1}", "dc9"),
        ("INSERT INTO system.local (key) VALUES ('x')", "cannot be modified"),
    ],
)
def test_what_cannot_be_is_an_error(wide, text, message):
    with pytest.raises(SchemaError, match=message):
        wide(text)


def test_schema_changes_are_told(shell):
    created = shell("CREATE TABLE x (k int PRIMARY KEY)")
    assert isinstance(created, SchemaChangeResult)
    assert (created.change.change, created.change.target, created.change.name) == ("CREATED", "TABLE", "x")
    assert isinstance(shell("CREATE TABLE IF NOT EXISTS x (k int PRIMARY KEY)"), Void)
    assert shell("ALTER TABLE x ADD v int").change.change == "UPDATED"
    assert shell("DROP TABLE x").change.change == "DROPPED"
    assert isinstance(shell("DROP TABLE IF EXISTS x"), Void)
    assert shell("DROP KEYSPACE ks").change.target == "KEYSPACE"


def test_prepared_statements_follow_the_schema(shell):
    shell("CREATE TABLE x (k int PRIMARY KEY)")
    node = shell.topology.nodes[0]
    statement_id = shell.executor.prepare("SELECT * FROM x", "ks", node, mark_lwt=False).statement_id
    shell("ALTER TABLE x ADD v int")
    assert len(shell.executor.prepared(node, statement_id).result) == 2
    shell("DROP TABLE x")
    assert shell.executor.prepared(node, statement_id) is None, "forgotten: a client prepares it again, and is told"
    assert shell.executor.prepared(shell.topology.nodes[1], statement_id) is None


def test_system_tables_tell_of_the_cluster():
    shell = Shell(tablets=True)
    shell("CREATE TABLE kv (key uuid PRIMARY KEY, value blob)")
    (local,) = shell("SELECT host_id, data_center, rack, tokens FROM system.local WHERE key = 'local'")
    assert local[:3] == (shell.topology.nodes[0].host_id, "datacenter1", "rack1")
    assert local[3] == {str(token) for token in shell.topology.nodes[0].tokens}
    assert {peer for (peer,) in shell("SELECT peer FROM system.peers")} == {"127.0.0.2", "127.0.0.3"}
    rows = shell("SELECT last_token, replicas, tablet_count FROM system.tablets")
    table = shell.executor.schema.table("ks", "kv")
    assert len(rows) == rows[0][2] == 16
    assert [(last, tuple(replicas)) for last, replicas, _ in rows] == [
        (last, tuple(replicas))
        for last, replicas in zip(
            table.placement.tablets.last_tokens, table.placement.tablets.replica_sets, strict=True
        )
    ]
    columns = shell("SELECT column_name, kind, type FROM system_schema.columns WHERE keyspace_name = 'ks'")
    assert columns == [("key", "partition_key", "uuid"), ("value", "regular", "blob")]
    (made,) = shell("SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'ks'")
    assert made[0] == {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "datacenter1": "2"}


EVERY_TYPE = {
    "ascii": ("'a'", "a"),
    "bigint": ("-5", -5),
    "blob": ("0x00ff", b"\0\xff"),
    "boolean": ("true", True),
    "date": ("'1970-01-03'", 2),
    "decimal": ("1.50", decimal.Decimal("1.50")),
    "double": ("2.5", 2.5),
    "duration": ("1mo2d3ns", (1, 2, 3)),
    "float": ("0.5", 0.5),
    "inet": ("'::1'", "::1"),
    "int": ("7", 7),
    "smallint": ("8", 8),
    "text": ("'caf\u00e9'", "caf\u00e9"),
    "time": ("'00:00:01.5'", 1_500_000_000),
    "timestamp": ("'1970-01-01 00:00:01+0000'", 1000),
    "timeuuid": ("13814000-1dd2-11b2-8080-808080808080", uuid.UUID("13814000-1dd2-11b2-8080-808080808080")),
    "tinyint": ("9", 9),
    "uuid": ("00000000-0000-4000-8000-000000000001", uuid.UUID("00000000-0000-4000-8000-000000000001")),
    "varint": ("123456789012345678901234567890", 123456789012345678901234567890),
    "vector<float, 2>": ("[1, 2]", [1.0, 2.0]),
    "tuple<int, text>": ("(3, 'x')", (3, "x")),
    "list<int>": ("[2, 1]", [2, 1]),
    "set<text>": ("{'b', 'a'}", {"a", "b"}),
    "map<text, int>": ("{'a': 1}", {"a": 1}),
}


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_constants_of_every_type_come_back(shell, name):
    text, value = EVERY_TYPE[name]
    shell(f"CREATE TABLE one (k int PRIMARY KEY, v {name})")
    shell(f"INSERT INTO one (k, v) VALUES (1, {text})")
    assert shell("SELECT v FROM one") == [(value,)]

"""The null server: the hot loop's answers equal the ordinary ones byte for byte, and real clients can use it.

How: frames go through `answer_frames` and through an ordinary connection in memory; then a process is asked over TCP,
on this interpreter and on PyPy.
"""

from __future__ import annotations

import ast
import random
import subprocess
import sys

import pytest
from simulated import ROOT, simulated

from cqlsurge.load.cql import requests as q
from cqlsurge.load.cql import responses as r
from cqlsurge.load.cql.extensions import TABLETS_ROUTING
from cqlsurge.load.cql.frames import CLIENT, SERVER, FrameDecoder, encode_frame
from cqlsurge.load.cql.primitives import UNSET
from cqlsurge.load.cql.results import Void
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.simulator.cluster import Cluster
from cqlsurge.simulator.connection import Connection, Peer
from cqlsurge.simulator.null.executor import NullExecutor
from cqlsurge.simulator.null.fast import RIGHT, WORDS, WRONG_NODE, WRONG_SHARD, answer_frames, fast_statement
from cqlsurge.simulator.null.general import GeneralStatement
from cqlsurge.simulator.null.values import NullValues
from cqlsurge.simulator.topology import make_topology

KS = "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 2}"
TABLE = "CREATE TABLE ks.kv (key uuid PRIMARY KEY, value blob)"
STATEMENTS = [
    "INSERT INTO ks.kv (key, value) VALUES (?, ?)",
    "SELECT key, value FROM ks.kv WHERE key = ?",
    "SELECT * FROM ks.kv WHERE key = ?",
    "SELECT value FROM ks.kv WHERE key = ?",
    "DELETE FROM ks.kv WHERE key = ?",
]
OTHER_STATEMENTS = [
    "SELECT value, key FROM ks.kv WHERE key = ?",
    "UPDATE ks.kv SET value = ? WHERE key = ?",
]


class Both:
    """The hot loop and an ordinary connection over the same null cluster."""

    def __init__(self, blob_size=100, seed=None, tablets=False, node=0, shard=0, nodes=3, shards=4):
        self.cluster = Cluster(make_topology(nodes, shards, 9042, 19042), tablets=tablets)
        self.values = NullValues(blob_size, seed)
        self.cluster.executor = NullExecutor(self.cluster.topology, self.values, tablets=tablets)
        self.server = Connection(self.cluster, Peer("127.0.0.1", 50000, self.cluster.topology.nodes[node], shard))
        self.ask(q.Startup({"CQL_VERSION": "3.0.0", **({TABLETS_ROUTING: ""} if tablets else {})}))
        self.ask(q.Query(KS))
        self.ask(q.Query(TABLE))
        self.statements = {}

    def slow(self, data):
        """The ordinary answers to some frames."""
        return b"".join(self.server.answer(frame).frame for frame in FrameDecoder(SERVER).feed(data))

    def ask(self, message):
        (frame,) = FrameDecoder(CLIENT).feed(self.slow(encode_frame(message.opcode, message.encode_body(), 1)))
        return r.decode_response(frame)

    def prepare(self, text):
        statement_id = self.ask(q.Prepare(text)).statement_id
        ready = self.cluster.executor.prepared(self.server.peer.node, statement_id)
        word = WORDS.unpack_from(statement_id)[0]
        self.statements[word] = fast_statement(ready, self.server, self.values)
        return statement_id, self.statements[word]

    def fast(self, data):
        out = []
        used, counted = answer_frames(
            data, self.statements, self.values, out, lambda frame: out.append(self.slow(frame))
        )
        return b"".join(out), used, counted


def executes(statement_id, text, count=40, seed=3):
    """Frames with random keys, stream ids and flags."""
    draw = random.Random(seed)
    frames = []
    for _ in range(count):
        key = draw.randbytes(16)
        values = {"I": (key, draw.randbytes(50)), "U": (draw.randbytes(50), key)}.get(text[0], (key,))
        parameters = q.QueryParameters(
            values=values, skip_metadata=draw.random() < 0.5, timestamp_us=5 if draw.random() < 0.5 else None
        )
        frames.append(encode_frame(0x0A, q.Execute(statement_id, parameters).encode_body(), draw.randrange(1 << 15)))
    return b"".join(frames)


@pytest.mark.parametrize("text", STATEMENTS)
@pytest.mark.parametrize(("blob_size", "seed"), [(100, None), (100, 7), (16, 7), (3, 7), (0, None)])
@pytest.mark.parametrize("tablets", [False, True])
def test_the_hot_loop_answers_as_the_ordinary_connection(text, blob_size, seed, tablets):
    both = Both(blob_size, seed, tablets)
    statement_id, fast = both.prepare(text)
    assert fast is not None
    data = executes(statement_id, text)
    answered, used, _ = both.fast(data)
    assert used == len(data)
    assert answered == both.slow(data)


@pytest.mark.parametrize("tablets", [False, True])
@pytest.mark.parametrize("text", OTHER_STATEMENTS)
def test_statements_of_any_shape_are_answered_as_the_ordinary_connection_does(text, tablets):
    both = Both(tablets=tablets)
    statement_id, fast = both.prepare(text)
    assert isinstance(fast, GeneralStatement)
    data = executes(statement_id, text)
    answered, used, counted = both.fast(data)
    assert used == len(data)
    assert answered == both.slow(data)
    assert tablets or sum(counted[:3]) == sum(counted[3:]) == 40


def test_keys_of_several_columns_and_values_left_out():
    both = Both()
    both.ask(q.Query("CREATE TYPE ks.place (street text, zip int)"))
    both.ask(
        q.Query(
            "CREATE TABLE ks.wide (a text, b int, c timestamp, d frozen<place>, e blob, f map<text, int>,"
            " PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC)"
        )
    )
    draw = random.Random(5)
    insert, fast = both.prepare("INSERT INTO ks.wide (a, b, c, d, e, f) VALUES (?, ?, ?, ?, ?, ?)")
    read, _ = both.prepare("SELECT f, e, b, a, c FROM ks.wide WHERE a = ? AND b = ? AND c >= ? LIMIT 20")
    assert isinstance(fast, GeneralStatement)
    frames = []
    for stream in range(60):
        key = (draw.randbytes(draw.randrange(1, 30)), draw.randbytes(4), draw.randbytes(8))
        rest = (None, UNSET, draw.randbytes(draw.randrange(40)))
        statement_id, values = (read, key) if stream % 3 == 0 else (insert, key + rest)
        parameters = q.QueryParameters(values=values, skip_metadata=draw.random() < 0.5, page_size=100)
        frames.append(encode_frame(0x0A, q.Execute(statement_id, parameters).encode_body(), stream))
    data = b"".join(frames)
    answered, used, counted = both.fast(data)
    assert used == len(data)
    assert answered == both.slow(data)
    assert counted[3:] == [20, 40]


def test_conditions_are_not_answered_from_nothing():
    both = Both()
    assert both.prepare("INSERT INTO ks.kv (key, value) VALUES (?, ?) IF NOT EXISTS")[1] is None


def test_cut_anywhere_the_frames_are_the_same():
    both = Both(nodes=1, shards=1)
    statement_id, _ = both.prepare(STATEMENTS[0])
    data = executes(statement_id, STATEMENTS[0], count=3)
    whole, _, _ = both.fast(data)
    for cut in range(len(data)):
        first, used, _ = both.fast(data[:cut])
        rest, left, _ = both.fast(data[used:])
        assert (first + rest, used + left) == (whole, len(data))


@pytest.mark.parametrize("tablets", [False, True])
def test_places_are_judged_as_the_ordinary_connection_does(tablets):
    for node, shard in ((0, 0), (1, 3), (2, 2)):
        both = Both(tablets=tablets, node=node, shard=shard)
        statement_id, fast = both.prepare(STATEMENTS[0])
        fast.tells = False
        data = executes(statement_id, STATEMENTS[0], count=300)
        _, _, counted = both.fast(data)
        before = vars(both.server.counts).copy()
        both.slow(data)
        after = vars(both.server.counts)
        names = {RIGHT: "right", WRONG_SHARD: "wrong_shard", WRONG_NODE: "wrong_node"}
        assert counted[:3] == [after[name] - before[name] for name in names.values()]
        assert min(counted[:3]) > 0


def test_values_are_those_of_a_run_with_the_seed():
    workload = KeyValue(seed=42, keyspace="ks", table="kv", mode="read", keys=100, blob_size=100)
    values = NullValues(100, 42)
    for partition in range(100):
        assert values.value(workload.routing_key(partition)) == workload.value(partition)


def use(server):
    workload = KeyValue(seed=5, keyspace="ks", table="kv", mode="read", keys=50, blob_size=1000)
    with server.client() as client:
        client.make_table()
        insert, select = client.prepare(STATEMENTS[0]), client.prepare(STATEMENTS[1])
        for _ in range(2):
            for partition in range(50):
                key = workload.routing_key(partition)
                assert client.execute(insert.statement_id, key, b"ignored") == Void()
                assert client.execute(select.statement_id, key).rows == [(key, workload.value(partition))]
        batch = q.Batch((q.BatchStatement(insert.statement_id, (bytes(16), b"")),) * 3)
        assert client.ask(batch) == Void()
        assert len(client.query("SELECT * FROM system.local").rows) == 1
        assert client.execute(bytes(16), bytes(16)).code == 0x2500
        for stream in range(1000):
            client.send(q.Execute(select.statement_id, q.QueryParameters(values=(key,))), stream)
        assert [client.frame().stream for _ in range(1000)] == list(range(1000))
        client.socket.sendall(bytes.fromhex("050000030100000000"))
        assert r.decode_response(client.frame()).code == 0x000A
        with pytest.raises(ConnectionError):
            client.frame()
    total = server.get()["total"]
    assert (total["write"], total["read"], total["batch"]) == (100, 1100, 1)
    server.post("reset")
    assert server.get()["total"]["read"] == 0


def test_the_process():
    with simulated("--null", "--seed=5") as server:
        use(server)


@pytest.mark.pypy
def test_the_process_on_pypy(pypy):
    with simulated("--null", "--seed=5", python=str(pypy)) as server:
        use(server)


def test_it_ends_with_standard_input():
    with simulated("--null", "--until-stdin-closes", stdin=subprocess.PIPE) as server:
        server.process.stdin.close()
        assert server.process.wait(20) == 0


@pytest.mark.pypy
def test_the_command_goes_on_in_pypy(pypy, tmp_path):
    """The command line crosses to PyPy whole."""
    code = "import sys; from cqlsurge.cli.main import main; sys.exit(main())"
    options = ["--null", "--nodes=2", "--blob-size=7", f"--ready-file={tmp_path}/r", f"--control-file={tmp_path}/c"]
    command = [sys.executable, "-c", code, "simulate", *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        line = process.stderr.readline().decode()
        assert "2 nodes" in line
        executable = subprocess.run(
            ["readlink", f"/proc/{process.pid}/exe"], capture_output=True, text=True, check=False
        ).stdout
        process.terminate()
        assert process.wait(20) == 0
    assert not executable or "pypy" in executable


def test_what_pypy_39_imports_is_python_39():
    """The null server must start on the oldest PyPy that the command may find."""
    for path in (ROOT / "cqlsurge" / "simulator").rglob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))

"""Nanoseconds that the null server's loop takes for an answer, sockets apart, on each interpreter at hand.

    uv run benchmarks/null_answers.py             every interpreter found
    pypy3.11 benchmarks/null_answers.py --here    this interpreter only

Each figure is the least of several rounds over 4096 frames in one buffer, joining of the answers included.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0] = ROOT

INTERPRETERS = ("pypy3.11", "pypy3.10", "pypy3")
FRAMES = 4096
BLOB_BYTES = 1000
ROUNDS = 150
STATEMENTS = {
    "write": "INSERT INTO ks.kv (key, value) VALUES (?, ?)",
    "read": "SELECT key, value FROM ks.kv WHERE key = ?",
}


def prepared(nodes, shards, seed):
    """A null cluster with the table, and a connection to its first shard."""
    from cqlsurge.load.cql import requests as q
    from cqlsurge.load.cql.frames import SERVER, FrameDecoder, encode_frame
    from cqlsurge.simulator.cluster import Cluster
    from cqlsurge.simulator.connection import Connection, Peer
    from cqlsurge.simulator.null.executor import NullExecutor
    from cqlsurge.simulator.null.values import NullValues
    from cqlsurge.simulator.topology import make_topology

    cluster = Cluster(make_topology(nodes, shards, 9042, 19042))
    values = NullValues(BLOB_BYTES, seed)
    cluster.executor = NullExecutor(cluster.topology, values)
    connection = Connection(cluster, Peer("127.0.0.1", 50000, cluster.topology.nodes[0], 0))
    replication = "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    for message in (
        q.Startup(),
        q.Query(f"CREATE KEYSPACE ks WITH replication = {replication}"),
        q.Query("CREATE TABLE ks.kv (key uuid PRIMARY KEY, value blob)"),
    ):
        (frame,) = FrameDecoder(SERVER).feed(encode_frame(message.opcode, message.encode_body()))
        connection.answer(frame)
    return connection, values


def execute_frames(statement_id, kind):
    """One buffer of EXECUTE frames with random keys."""
    from cqlsurge.load.cql.frames import OP_EXECUTE, encode_frame
    from cqlsurge.load.cql.requests import Execute, QueryParameters

    draw = random.Random(1)
    frames = []
    for stream in range(FRAMES):
        key = draw.randbytes(16)
        bound = (key, bytes(BLOB_BYTES)) if kind == "write" else (key,)
        body = Execute(statement_id, QueryParameters(values=bound, skip_metadata=True)).encode_body()
        frames.append(encode_frame(OP_EXECUTE, body, stream))
    return b"".join(frames)


def measure(kind, nodes, shards, seed):
    from cqlsurge.simulator.null.fast import WORDS, answer_frames, fast_statement

    connection, values = prepared(nodes, shards, seed)
    executor, node = connection.cluster.executor, connection.peer.node
    statement_id = executor.prepare(STATEMENTS[kind], None, node, mark_lwt=False).statement_id
    statement = fast_statement(executor.prepared(node, statement_id), connection, values)
    statements = {WORDS.unpack_from(statement_id)[0]: statement}
    data = execute_frames(statement_id, kind)
    best_ns = 1e18
    for _ in range(ROUNDS):
        out = []
        started = time.perf_counter_ns()
        answer_frames(data, statements, values, out, out.append)
        b"".join(out)
        best_ns = min(best_ns, time.perf_counter_ns() - started)
    return best_ns / FRAMES


def measure_here():
    figures = [
        f"{kind} {nodes}x{shards}{' seeded' if seed else ''} {measure(kind, nodes, shards, seed):.0f}"
        for nodes, shards in ((1, 1), (3, 8))
        for kind, seed in (("write", None), ("read", None), ("read", 7))
    ]
    print(f"{sys.implementation.name} {sys.version.split()[0]}: ns per answer: {', '.join(figures)}")


def main():
    if "--here" in sys.argv:
        measure_here()
        return 0
    found = {os.path.realpath(path): path for name in INTERPRETERS if (path := shutil.which(name))}
    for path in {sys.executable: sys.executable, **found}.values():
        subprocess.run([path, os.path.abspath(__file__), "--here"], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())

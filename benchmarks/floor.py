"""The floor: the wire engine's traffic from a bare loop, with no features, on this interpreter.

The same keys, frames, routes and answers as `wire`, as lists of parts that are joined for each send; no deadlines, no
latencies, no counts by target, no retries, nothing that could go wrong is looked at. What the engine costs above this
is what its features cost. Reads a job as JSON from standard input ({target, workload, operations, concurrency}) and
prints one line of JSON; `wire_null.py` and `wire_cassandra.py` run it.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import struct
import sys
import time
from bisect import bisect_left
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cqlsurge.load.cql.frames import CLIENT, FrameDecoder, encode_frame
from cqlsurge.load.engines.contract import Target
from cqlsurge.load.engines.wire.handshake import handshake
from cqlsurge.load.routing.murmur3 import token_of_halves
from cqlsurge.load.routing.ring import Node, Ring, strategy_from_options
from cqlsurge.load.routing.sharding import shard_of_token
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.load.workload.mixing import INTOP

KEY = struct.Struct("<qq" if INTOP else "<QQ")
LONG = struct.Struct(">q")
HEADS = [struct.pack(">BBH", 4, 0, sid) for sid in range(32768)]


class Conn:
    """A socket, its free stream ids and the parts that wait for it."""

    def __init__(self, sock, ids, slots):
        self.sock, self.write_id, self.read_id = sock, *ids
        self.free = list(range(slots))
        self.parts: list[bytes] = []
        self.rest = b""
        self.size = 0


def connect(target, node, shard, statements, slots):
    """A connection to a shard, after its handshake; the source port chooses the shard."""
    sock = socket.socket()
    port = node.port
    if node.shards and node.shard_aware_port:
        port = node.shard_aware_port
        for mine in range(40000 + (shard - 40000) % node.shards, 49000, node.shards):
            try:
                sock.bind(("0.0.0.0", mine))
                break
            except OSError:
                continue
    sock.connect((node.address, port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    steps, decoder = handshake(target, statements), FrameDecoder(CLIENT)
    request = next(steps)
    while True:
        sock.sendall(encode_frame(request.opcode, request.encode_body()))
        frames = []
        while not frames:
            frames = decoder.feed(sock.recv(65536))
        try:
            request = steps.send(frames[0])
        except StopIteration as done:
            sock.setblocking(False)
            return Conn(sock, done.value.statement_ids, slots)


def connect_all(target, statements, slots):
    """(tokens, connections by place on the ring and shard)."""
    lanes = {
        node.host_id: [connect(target, node, shard, statements, slots) for shard in range(max(1, node.shards))]
        for node in target.nodes
    }
    ring = Ring({Node(node.host_id, node.dc, node.rack): node.tokens for node in target.nodes})
    sets = ring.replica_sets(strategy_from_options(target.replication))
    return ring.tokens, [[lanes[replica.name] for replica in each] for each in sets], lanes


class Floor:
    """The bare loop; `run` may be called again."""

    def __init__(self, target, workload, concurrency):
        self.workload, self.concurrency = workload, concurrency
        statements = [kind.statement for kind in workload.kinds]
        self.tokens, self.places, lanes = connect_all(target, statements, min(32768, concurrency))
        self.shards = target.nodes[0].shards
        self.ignore_msb = target.nodes[0].ignore_msb
        self.conns = [conn for each in lanes.values() for conn in each]
        self.by_fd = {conn.sock.fileno(): conn for conn in self.conns}
        self.poller = select.epoll()
        for fd in self.by_fd:
            self.poller.register(fd, select.EPOLLIN)
        size = workload.blob_size
        behind = len(self.conns[0].write_id)
        self.write_head = struct.pack(">Bi", 10, 2 + behind + 5 + 20 + 4 + size + 8)
        self.read_head = struct.pack(">Bi", 10, 2 + behind + 5 + 20)
        self.write_mid = struct.pack(">HBHi", 6, 0x23, 2, 16)
        self.read_mid = struct.pack(">HBHi", 6, 0x03, 1, 16)
        self.value_length = struct.pack(">i", size)
        self.wakes = 0

    def run(self, first, operations):
        """Operations first to first + operations."""
        number, end, done, in_flight = first, first + operations, 0, 0
        while done < operations:
            count = min(self.concurrency - in_flight, end - number)
            if count:
                self.issue(number, count)
                number += count
                in_flight += count
            events = self.poller.poll(1)
            self.wakes += bool(events)
            for fd, _ in events:
                got = receive(self.by_fd[fd])
                done += got
                in_flight -= got

    def issue(self, number, count):
        """Plans, routes and sends `count` operations."""
        workload, tokens, places, shards = self.workload, self.tokens, self.places, self.shards
        pool, tail = workload.pool, workload.tail_size
        single = self.conns[0] if len(self.conns) == 1 else None
        stamp = LONG.pack(time.time_ns() // 1000)
        for operation in range(number, number + count):
            kind, partition, _ = workload.locate(operation)
            first, second = workload.halves(partition)
            if single is not None:
                conn = single
            else:
                token = token_of_halves(first, second)
                at = bisect_left(tokens, token)
                replicas = places[at if at < len(places) else 0]
                lane = replicas[operation % len(replicas)]
                conn = lane[shard_of_token(token, shards, self.ignore_msb)] if shards > 1 else lane[0]
            sid = conn.free.pop()
            key = KEY.pack(first, second)
            if kind:
                conn.parts += (HEADS[sid], self.read_head, b"\0\x10", conn.read_id, self.read_mid, key)
                conn.size += 60
            else:
                offset = workload.pool_offset(second)
                conn.parts += (
                    HEADS[sid], self.write_head, b"\0\x10", conn.write_id, self.write_mid, key, self.value_length, key,
                    pool[offset : offset + tail], stamp,
                )  # fmt: skip
                conn.size += 88 + tail
            if conn.size > 65536:
                flush(conn)
        for conn in self.conns:
            if conn.parts:
                flush(conn)


def flush(conn):
    """Sends all that waits, however long it takes."""
    data = b"".join(conn.parts)
    conn.parts.clear()
    conn.size = 0
    while data:
        try:
            sent = conn.sock.send(data)
        except BlockingIOError:
            select.select([], [conn.sock], [])
            continue
        data = data[sent:] if sent < len(data) else b""


def receive(conn):
    """Takes answers; how many."""
    data = conn.rest + conn.sock.recv(1 << 18)
    start, end, done, free = 0, len(data), 0, conn.free
    while end - start >= 9:
        past = start + 9 + (data[start + 5] << 24 | data[start + 6] << 16 | data[start + 7] << 8 | data[start + 8])
        if past > end:
            break
        assert data[start + 4] == 8
        free.append(data[start + 2] << 8 | data[start + 3])
        done += 1
        start = past
    conn.rest = data[start:]
    return done


def main():
    """One job."""
    job = json.load(sys.stdin)
    workload = KeyValue(**job["workload"])
    floor = Floor(Target.from_json(job["target"]), workload, job["concurrency"])
    operations = job["operations"]
    warm = operations // 4
    floor.run(0, warm)
    floor.wakes = 0
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    floor.run(warm, operations)
    after, took_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    user_us = (after.ru_utime - before.ru_utime) / operations * 1e6
    system_us = (after.ru_stime - before.ru_stime) / operations * 1e6
    figures = {"user_us": user_us, "system_us": system_us, "ops_s": operations / took_s}
    print(json.dumps({**figures, "ops_per_wake": operations / max(1, floor.wakes)}))


if __name__ == "__main__":
    main()

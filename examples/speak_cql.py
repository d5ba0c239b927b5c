"""CQL without a driver: frames are made from one template, many go out with one send, answers are told by their header.

python examples/speak_cql.py [ADDRESS] [COUNT]

Standard library only, any Python 3. One connection, one statement, no retries, no time limits: what that costs and what
it leaves out is in docs/best-practices.md#speaking-cql-yourself.
"""

import socket
import struct
import sys
import time

CONCURRENCY = 100
VALUE = bytes(1000)
HEADER = struct.Struct(">BBhBi")  # version, flags, stream, opcode, length of the body
ERROR, STARTUP, QUERY, PREPARE, EXECUTE, LOCAL_ONE = 0, 1, 7, 9, 10, 10


def ask(sock, opcode, body):
    """One request, one answer: the body of the answer."""
    sock.sendall(HEADER.pack(4, 0, 0, opcode, len(body)) + body)
    answer = sock.recv(9, socket.MSG_WAITALL)
    size = HEADER.unpack(answer)[4]
    body = sock.recv(size, socket.MSG_WAITALL) if size else b""
    if answer[4] == ERROR:
        raise RuntimeError(body[6:].decode(errors="replace"))
    return body


def query(sock, text):
    """A statement without values."""
    return ask(sock, QUERY, struct.pack(">i", len(text)) + text.encode() + struct.pack(">hb", LOCAL_ONE, 0))


def load(sock, statement_id, count):
    """Writes rows 0 to count - 1. Only the stream and the key differ from frame to frame."""
    before = struct.pack(">h", 16) + statement_id + struct.pack(">hBhi", LOCAL_ONE, 0x01, 2, 16)  # 0x01: values follow
    after = struct.pack(">i", len(VALUE)) + VALUE
    length = len(before) + 16 + len(after)
    pack, free, sent, answered, received = HEADER.pack, list(range(CONCURRENCY)), 0, 0, b""
    while answered < count:
        frames = []
        while free and sent < count:
            key = sent.to_bytes(16, "big")
            frames += pack(4, 0, free.pop(), EXECUTE, length), before, key, after
            sent += 1
        sock.sendall(b"".join(frames))
        received += sock.recv(65536)
        at, end = 0, len(received)
        while at + 9 <= end:
            _version, _flags, stream, opcode, size = HEADER.unpack_from(received, at)
            if at + 9 + size > end:
                break
            if opcode == ERROR:
                raise RuntimeError(received[at + 15 : at + 9 + size].decode(errors="replace"))
            free.append(stream)
            answered += 1
            at += 9 + size
        received = received[at:]


def main():
    """Connects, warms up with a quarter of the rows, measures."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9042"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    host, _, port = address.partition(":")
    sock = socket.create_connection((host, int(port or 9042)))
    ask(sock, STARTUP, struct.pack(">hh", 1, 11) + b"CQL_VERSION" + struct.pack(">h", 5) + b"3.0.0")
    query(
        sock,
        "CREATE KEYSPACE IF NOT EXISTS examples WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}",
    )
    query(sock, "CREATE TABLE IF NOT EXISTS examples.kv (key uuid PRIMARY KEY, value blob)")
    insert = b"INSERT INTO examples.kv (key, value) VALUES (?, ?)"
    statement_id = ask(sock, PREPARE, struct.pack(">i", len(insert)) + insert)[6:22]
    load(sock, statement_id, count // 4)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    load(sock, statement_id, count)
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    print(f"{count / took_s:,.0f} ops/s, {cpu_s * 1e6 / count:.1f} us of CPU per operation")


if __name__ == "__main__":
    main()

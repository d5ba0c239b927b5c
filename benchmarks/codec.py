"""What the codec costs: ns per frame for encode and decode, on the interpreter that runs this file.

    python benchmarks/codec.py [--seconds 0.3]      also pypy3.11, pypy3: standard library only

Each line is the best of five rounds, in process CPU time, after a warm-up as long as a round. `template` is what a hot
loop pays for the pieces of a frame that `ExecuteTemplate` leaves to do, put together by `b"".join`.
"""

from __future__ import annotations

import argparse
import platform
import struct
import sys
import time
from pathlib import Path

sys.path.pop(0)  # this folder: its files must not stand before the standard library's of the same name
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.compression import Compressor, lz4_support
from cqlsurge.load.cql.envelope import seal_frame
from cqlsurge.load.cql.frames import CLIENT, SERVER, FrameDecoder
from cqlsurge.load.cql.primitives import Consistency
from cqlsurge.load.cql.requests import (
    Batch,
    BatchStatement,
    BatchType,
    Execute,
    Query,
    QueryParameters,
    decode_request,
)
from cqlsurge.load.cql.responses import decode_response
from cqlsurge.load.cql.results import Column, Rows, Void
from cqlsurge.load.cql.server_errors import UNPREPARED, ErrorResponse, UnpreparedDetails
from cqlsurge.load.cql.template import execute_template
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.values import decoder, encoder

ROUNDS = 5
STATEMENT_ID = bytes(range(16))
KEY = bytes(range(16))
BLOB = bytes(range(250)) * 4
NESTED = parse_type("map<text, frozen<list<int>>>")
NESTED_VALUE = {"a": [1, 2, 3], "b": [4]}


def messages():
    """Name and message: a write and a read of the usual workload, and their neighbours."""
    columns = (Column("test", "kv", "key", t.UUID), Column("test", "kv", "value", t.BLOB))
    write = QueryParameters(Consistency.LOCAL_QUORUM, (KEY, BLOB), skip_metadata=True, timestamp_us=1)
    read = QueryParameters(Consistency.LOCAL_QUORUM, (KEY,), skip_metadata=True)
    statements = tuple([BatchStatement(STATEMENT_ID, (KEY, BLOB)) for _ in range(10)])
    return [
        ("EXECUTE, write of 16 + 1000 bytes", Execute(STATEMENT_ID, write)),
        ("EXECUTE, read by 16 bytes", Execute(STATEMENT_ID, read)),
        ("QUERY, 40 characters", Query("SELECT key, value FROM kv WHERE key = ?", read)),
        ("BATCH of 10 writes", Batch(statements, BatchType.UNLOGGED)),
        ("RESULT Void", Void()),
        ("RESULT Rows, 1 x 1000 bytes, no metadata", Rows(1, [(BLOB,)])),
        ("RESULT Rows, 1 x 2, metadata", Rows.of(columns, [(KEY, BLOB)])),
        ("RESULT Rows, 100 x 2, no metadata", Rows(2, [(KEY, KEY)] * 100)),
        ("ERROR Unprepared", ErrorResponse(UNPREPARED, "prepare it", UnpreparedDetails(STATEMENT_ID))),
    ]


def ns_each(action, seconds):
    """CPU ns of one call: the best round."""
    count = 1
    while True:
        start = time.process_time()
        repeat(action, count)
        taken = time.process_time() - start
        if taken > seconds / 10:
            break
        count *= 2
    count = max(1, int(count * seconds / taken))
    repeat(action, count)
    best = min(timed(action, count) for _ in range(ROUNDS))
    return best / count * 1e9


def timed(action, count):
    start = time.process_time()
    repeat(action, count)
    return time.process_time() - start


def repeat(action, count):
    for _ in range(count):
        action()


def message_lines(seconds):
    for name, message in messages():
        data = seal_frame(message.opcode, message.encode_body(), 1)
        request = data[0] < 0x80
        decode = decode_request if request else decode_response
        role = SERVER if request else CLIENT
        frame = FrameDecoder(role).feed(data)[0]
        yield name, len(data), sealing(message), lambda decode=decode, frame=frame: decode(frame)
    yield from stream_lines(seconds)


def sealing(message):
    return lambda: seal_frame(message.opcode, message.encode_body(), 1)


def stream_lines(seconds):
    """Frames out of a stream, as `recv` gives it: 64 KiB at once, so the last frame is cut."""
    for name, message in (("VOID", Void()), ("Rows of 1000 bytes", Rows(1, [(BLOB,)]))):
        data = seal_frame(message.opcode, message.encode_body(), 1)
        chunk = (data * (65536 // len(data) + 1))[:65536]
        yield f"frames of 64 KiB of {name}, undecoded", len(data), None, feeding(chunk, 65536 / len(data))


def feeding(chunk, frames_each):
    def feed():
        FrameDecoder(CLIENT).feed(chunk)

    feed.frames_each = frames_each
    return feed


def part_lines():
    """Parts: the template of a hot loop, values, LZ4."""
    template = execute_template(STATEMENT_ID, Consistency.LOCAL_QUORUM, 2, timestamp=True)
    size, pack = struct.Struct(">i").pack, struct.Struct(">q").pack
    body_bytes = template.fixed_body_bytes + 8 + len(KEY) + len(BLOB)
    first = template.head[4:5] + size(body_bytes) + template.head[9:] + size(len(KEY))
    second = size(len(BLOB))

    def join():
        return b"".join((b"\x04\x00\x00\x01", first, KEY, second, BLOB, pack(1)))

    yield "template, write of 16 + 1000 bytes", len(join()), join, None
    for of, value in ((t.INT, 5), (t.TEXT, "twelve chars"), (NESTED, NESTED_VALUE)):
        encode, decode = encoder(of), decoder(of)
        cell = encode(value)
        yield f"value of {of}", len(cell), lambda e=encode, v=value: e(v), lambda d=decode, c=cell: d(c)
    if lz4_support().block is not None:
        compressor = Compressor()
        packed = compressor.compress(BLOB)
        yield "LZ4 of 1000 bytes", len(BLOB), lambda: compressor.compress(BLOB), lambda: compressor.decompress(packed)


def cell(action, seconds):
    if action is None:
        return "-"
    return f"{ns_each(action, seconds) / getattr(action, 'frames_each', 1):.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=0.1, help="of one round")
    seconds = parser.parse_args().seconds
    lz4 = lz4_support()
    print(f"{platform.python_implementation()} {platform.python_version()}; LZ4: {lz4.name or lz4.reason}\n")
    print("| what | bytes | encode ns | decode ns |\n| --- | ---: | ---: | ---: |")
    for name, size, encode, decode in [*message_lines(seconds), *part_lines()]:
        print(f"| {name} | {size} | {cell(encode, seconds)} | {cell(decode, seconds)} |", flush=True)


if __name__ == "__main__":
    main()

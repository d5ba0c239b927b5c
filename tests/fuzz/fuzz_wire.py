"""Fuzz the codec in both roles: `python tests/fuzz/fuzz_wire.py --seconds 600 [--seed 7]`.

Invariant: whatever bytes come in, in whatever pieces, the outcome is a message, "need more", or ProtocolError; never
another exception, never more memory than the bytes and the frame limit account for. And what was read as a message can
be written, and reads the same again.

How: seeds are the valid frames of every message, with and without an envelope. Each round mutates one (or some) of
them, with a liking for lengths and counts, and feeds it to a decoder of each role in random pieces; cells and types are
fed to the value codec likewise. The seed of a round reproduces it: a failure prints it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import uuid
from pathlib import Path

try:
    import tracemalloc
except ImportError:  # PyPy has none, and fuzzes without watching memory
    tracemalloc = None

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "load" / "cql")]

from wire_examples import REQUESTS, RESPONSES, VALUES  # noqa: E402

from cqlsurge.load.cql import extensions, frames  # noqa: E402
from cqlsurge.load.cql.compression import Compressor, lz4_support  # noqa: E402
from cqlsurge.load.cql.envelope import open_frame, seal_frame  # noqa: E402
from cqlsurge.load.cql.errors import ProtocolError  # noqa: E402
from cqlsurge.load.cql.frames import CLIENT, SERVER, FrameDecoder  # noqa: E402
from cqlsurge.load.cql.primitives import Reader  # noqa: E402
from cqlsurge.load.cql.requests import decode_request  # noqa: E402
from cqlsurge.load.cql.responses import Supported, decode_response  # noqa: E402
from cqlsurge.load.cql.results import Rows  # noqa: E402
from cqlsurge.load.cql.server_errors import SCYLLA_RATE_LIMIT_ERROR  # noqa: E402
from cqlsurge.load.cql.type_options import read_type, write_type  # noqa: E402
from cqlsurge.load.cql.types import MAX_TYPE_DEPTH  # noqa: E402
from cqlsurge.load.cql.values import decode_value, encode_value  # noqa: E402

LIMIT_BYTES = 1 << 18
# Numbers that lengths and counts go wrong at.
ODD_INTS = (
    0,
    1,
    2,
    3,
    4,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    1 << 20,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
)
COMPRESSOR = Compressor(LIMIT_BYTES) if lz4_support().block else None
# What a round may hold at once: the frame, its inflated body, and what is made of their bytes (an empty cell of
# 4 bytes becomes a reference of 8 in a tuple of 56; an empty text of 2 a reference in a list).
MEMORY_BYTES = 256 * LIMIT_BYTES


TABLET = extensions.TabletRange(-1, 1, (extensions.Replica(uuid.UUID(int=2), 3),))
PAYLOAD = {extensions.TABLETS_PAYLOAD: extensions.encode_tablet(TABLET), "none": None}
SCYLLA = extensions.Extensions(extensions.Sharding(1, 2), 19042, 19142, 0xF000, 1 << 31, True, "host")


def seeds() -> list[bytes]:
    """Valid frames of every message: plain, in a full envelope, compressed."""
    found = []
    for message in [*REQUESTS, *RESPONSES, Supported(SCYLLA.to_supported())]:
        opcode, body = message.opcode, message.encode_body()
        found.append(seal_frame(opcode, body, 1))
        found.append(seal_frame(opcode, body, 2, payload=PAYLOAD, compressor=COMPRESSOR))
        if opcode in frames.RESPONSE_OPCODES:
            found.append(seal_frame(opcode, body, 3, tracing_id=uuid.UUID(int=1), warnings=("careful",)))
    return found


FRAMES = seeds()
CELLS = [(cql_type, bytes.fromhex(cell)) for cql_type, _, cell in VALUES]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A few changes of a piece of bytes."""
    changed = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(changed) + 1)
        change = rng.randrange(8)
        if change == 0:
            changed[at : at + rng.randrange(5)] = b""
        elif change == 1:
            changed[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif change == 2 and changed:
            changed[at % len(changed)] ^= 1 << rng.randrange(8)
        elif change == 3:
            changed[at : at + 4] = rng.choice(ODD_INTS).to_bytes(4, "big")
        elif change == 4:
            changed[at : at + 2] = (rng.choice(ODD_INTS) & 0xFFFF).to_bytes(2, "big")
        elif change == 5:
            start = rng.randrange(len(changed) + 1)
            changed[at:at] = changed[start : start + rng.randrange(64)] * rng.choice((1, 2, 50))
        elif change == 6:
            other = rng.choice(FRAMES)
            changed[at:at] = other[rng.randrange(len(other)) :]
        else:
            del changed[at:]
    return bytes(changed[:LIMIT_BYTES])


def with_true_length(data: bytes) -> bytes:
    """The frame with the length that its body has, so that the body itself is reached."""
    return data[:5] + max(len(data) - frames.HEADER_BYTES, 0).to_bytes(4, "big") + data[frames.HEADER_BYTES :]


def pieces(data: bytes, rng: random.Random) -> list[bytes]:
    size = rng.choice((1, 2, 7, 64, len(data) or 1))
    return [data[at : at + size] for at in range(0, len(data), size)]


def feed(role: str, data: bytes, rng: random.Random) -> int:
    """Feed bytes to a role, and read its frames; the number of messages."""
    decoder = FrameDecoder(role, LIMIT_BYTES)
    read = 0
    for piece in pieces(data, rng):
        try:
            received = decoder.feed(piece)
        except ProtocolError as error:
            received = error.frames
        for frame in received:
            read += check_message(frame)
        assert decoder.buffered_bytes <= LIMIT_BYTES + frames.HEADER_BYTES
    return read


def decode(frame: frames.Frame) -> object:
    if frame.opcode in frames.REQUEST_OPCODES:
        return decode_request(frame, COMPRESSOR)
    return decode_response(frame, COMPRESSOR, SCYLLA_RATE_LIMIT_ERROR)


def check_message(frame: frames.Frame) -> int:
    """What reads as a message must be writable and read the same again; 1 where it was one."""
    try:
        message = decode(frame)
    except ProtocolError:
        return 0
    again = frames.Frame(frame.version, 0, frame.stream, message.opcode, message.encode_body())
    assert decode(again) == message, (frame, message)
    check_extensions(frame, message)
    if isinstance(message, Rows) and message.columns:
        for row in message.rows[:2]:
            for column, cell in zip(message.columns, row):  # noqa: B905 (3.9 has no strict)
                check_value(column.type, cell)
    return 1


def check_extensions(frame: frames.Frame, message: object) -> None:
    try:
        extensions.decode_tablet(open_frame(frame, COMPRESSOR).payload)
        if isinstance(message, Supported):
            extensions.Extensions.from_supported(message.options)
    except ProtocolError:
        return


def check_value(cql_type: object, cell: bytes | None) -> None:
    try:
        decode_value(cql_type, cell)
    except ProtocolError:
        return


def check_cell(rng: random.Random) -> None:
    """A mutated cell, read as its own type and as another; a mutated type."""
    cql_type, cell = rng.choice(CELLS)
    check_value(cql_type, mutate(cell, rng))
    check_value(rng.choice(CELLS)[0], mutate(cell, rng))
    nesting = b"\x00\x20" * rng.choice((0, 1, MAX_TYPE_DEPTH, MAX_TYPE_DEPTH + 1, 5000))
    try:
        found = read_type(Reader(nesting + mutate(write_type(cql_type), rng)))
    except ProtocolError:
        return
    assert read_type(Reader(write_type(found))) == found
    value = decode_value(found, None)
    assert encode_value(found, value) is None
    check_value(found, rng.randbytes(rng.randrange(64)))


def one_round(seed: int) -> int:
    """Everything that one seed stands for; the number of messages read."""
    rng = random.Random(seed)
    check_cell(rng)
    data = b"".join(mutate(rng.choice(FRAMES), rng) for _ in range(rng.choice((1, 1, 3))))
    if rng.random() < 0.7:
        data = with_true_length(data)
    return feed(SERVER, data, rng) + feed(CLIENT, data, rng)


class Failure(Exception):
    """A round that broke the invariant: its seed, and how."""


def run(seconds: float, seed: int, watch_every: int = 16) -> tuple[int, int]:
    """Rounds for some seconds: (rounds, messages read). Raises Failure with the seed of a round that fails."""
    end = time.monotonic() + seconds
    rounds = read = 0
    while time.monotonic() < end:
        # Watching memory makes all else slow: now and then is enough over time.
        watched = tracemalloc is not None and rounds % watch_every == 0
        if watched:
            tracemalloc.start()
        try:
            read += one_round(seed + rounds)
            assert not watched or tracemalloc.get_traced_memory()[1] < MEMORY_BYTES, "took too much memory"
        except Exception as error:
            raise Failure(f"seed {seed + rounds}: {type(error).__name__}: {error}") from error
        finally:
            if watched:
                tracemalloc.stop()
        rounds += 1
    return rounds, read


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=None, help="first seed; as default another one each time")
    options = parser.parse_args()
    seed = random.randrange(1 << 40) if options.seed is None else options.seed
    lz4 = lz4_support()
    print(f"seed {seed}, {options.seconds:g} s, LZ4: {lz4.name or lz4.reason}", flush=True)
    rounds, read = run(options.seconds, seed)
    print(f"{rounds} rounds, {read} messages read, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())

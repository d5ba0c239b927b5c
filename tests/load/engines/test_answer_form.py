"""The forms of plain answers, byte by byte, against the production codec and real LZ4.

How: results are sealed by the codec in every form that a server may choose; what is counted without opening them must
be what was put in. Walks over frames by guessed sizes are held against the sizes themselves.
"""

from __future__ import annotations

import itertools
import random
import struct
from typing import TYPE_CHECKING, Any
from uuid import UUID

import lz4.block
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqlsurge.load.cql.compression import Compressor
from cqlsurge.load.cql.envelope import seal_frame
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import FLAG_COMPRESSED, OP_RESULT, encode_frame
from cqlsurge.load.engines.wire.answer_form import ODD, VOID, first_bytes, plain_body, rows_in
from cqlsurge.load.engines.wire.buffers_python import Inbox
from cqlsurge.load.engines.wire.frame_walk import FEW_SIZES, FrameWalk

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPRESSOR = Compressor()
VOID_BODY = struct.pack(">i", 1)
ENVELOPES: list[dict[str, Any]] = [
    {},
    {"compressor": COMPRESSOR},
    {"warnings": ("Read 1000 live rows and 4711 tombstone cells", "again")},
    {"warnings": ("said " * 100,), "compressor": COMPRESSOR},
    {"tracing_id": UUID(int=7)},
]


def rows_body(cells: Sequence[bytes], rows: int, flags: int, paging_state: bytes = b"") -> bytes:
    """Rows without names as a server writes them, with these flags of the metadata."""
    state = struct.pack(">i", len(paging_state)) + paging_state if flags & 2 else b""
    row = b"".join(struct.pack(">i", len(cell)) + cell for cell in cells)
    return struct.pack(">iii", 2, flags, len(cells)) + state + struct.pack(">i", rows) + row * rows


def compressed(body: bytes) -> bytes:
    """A compressed frame, also where it does not get smaller: servers that negotiated LZ4 compress every answer."""
    block = struct.pack(">I", len(body)) + lz4.block.compress(body, store_size=False)
    return encode_frame(OP_RESULT, block, 5, FLAG_COMPRESSED)


def rows_of(frame: bytes) -> int:
    inbox = Inbox()
    inbox.view[7 : 7 + len(frame)] = frame
    return rows_in(inbox, 7, 7 + len(frame), COMPRESSOR)


@pytest.mark.parametrize("flags", [4, 5, 6, 7])
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_every_form_of_rows_is_counted(flags: int, envelope: dict[str, Any]) -> None:
    draw = random.Random(flags)
    for rows, columns, size in itertools.product((0, 1, 3, 30), (1, 2, 7), (0, 1, 16, 1000)):
        for cell in (bytes(size), draw.randbytes(size)):
            body = rows_body([cell] * columns, rows, flags, draw.randbytes(40))
            frame = seal_frame(OP_RESULT, body, 5, **envelope)
            assert rows_of(frame) == rows
            assert rows_of(compressed(body)) == rows
            inbox = Inbox()
            inbox.make_room(len(frame))
            inbox.view[: len(frame)] = frame
            assert plain_body(inbox, 0, len(frame), COMPRESSOR) == body


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_void_in_every_form(envelope: dict[str, Any]) -> None:
    assert rows_of(seal_frame(OP_RESULT, VOID_BODY, 5, **envelope)) == VOID
    # What Cassandra and ScyllaDB send where LZ4 is negotiated: 18 bytes.
    frame = compressed(VOID_BODY)
    assert frame.hex() == "8401000508000000090000000440" + "00000001"
    assert rows_of(frame) == VOID


def test_what_is_no_plain_success_is_odd() -> None:
    names = struct.pack(">iii", 2, 1, 1) + bytes(40)
    changed = struct.pack(">iii", 2, 12, 1) + bytes(40)
    odd = [names, changed, struct.pack(">i", 3) + b"\0\2ks", struct.pack(">iii", 2, 4, 1), b"\0\0\0", b"", b"\1\0\0\2"]
    odd.append(rows_body([b"x"], 0, 4)[:-4] + b"\xff\xff\xff\xff")
    odd.append(struct.pack(">iiii", 2, 6, 1, 1 << 30))
    for body in odd:
        assert rows_of(encode_frame(OP_RESULT, body, 5)) == ODD
        assert rows_of(compressed(body)) == ODD
    payload = {"tablets-routing-v1": b"what is to be learned from"}
    assert rows_of(seal_frame(OP_RESULT, VOID_BODY, 5, payload=payload)) == ODD
    good = compressed(rows_body([bytes(1000)], 1, 5))
    broken = bytearray(good)
    broken[13] = 0xF0  # literals that are not there
    assert [rows_of(bytes(each)) for each in (broken, good[:9], good[:12])] == [ODD] * 3
    inbox = Inbox()
    inbox.view[: len(good)] = good
    assert rows_in(inbox, 0, len(good), None) == ODD


@given(st.binary(max_size=300) | st.lists(st.sampled_from([b"\0\0\0", b"\1", b"abcdefgh"]), max_size=99).map(b"".join))
def test_the_first_bytes_are_those_of_the_whole(plain: bytes) -> None:
    block = struct.pack(">I", len(plain)) + lz4.block.compress(plain, store_size=False)
    for wanted in (0, 1, 4, 16, 33, 500):
        assert bytes(first_bytes(block, 0, len(block), wanted)) == plain[:wanted]


@given(st.binary(max_size=60), st.integers(0, 64))
def test_garbage_is_an_error_or_some_bytes(block: bytes, wanted: int) -> None:
    try:
        assert len(first_bytes(block, 0, len(block), wanted)) <= wanted
    except ProtocolError:
        pass


@pytest.mark.parametrize("variety", [1, 2, FEW_SIZES, 100])
def test_a_walk_finds_the_frames(variety: int) -> None:
    draw = random.Random(variety)
    sizes = draw.sample(range(4, 600), variety)
    walk = FrameWalk()
    for _ in range(40):
        frames = [encode_frame(OP_RESULT, bytes(draw.choice(sizes)), 1) for _ in range(draw.randrange(30))]
        data = b"?" + b"".join(frames)
        kept = len(data) - draw.randrange(12) if frames else len(data)
        wanted = [1]
        for frame in frames:
            if wanted[-1] + len(frame) <= kept:
                wanted.append(wanted[-1] + len(frame))
        found = list(walk.bounds(data, 1, kept))
        if found != wanted:  # a guess; the next time lengths are read
            walk.reads = True
            assert list(walk.bounds(data, 1, kept)) == wanted

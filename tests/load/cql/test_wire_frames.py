"""Frames: each case whole, byte by byte, and with trailing bytes; headers that cannot be right; memory."""

from __future__ import annotations

import struct

import pytest

from cqlsurge.load.cql import frames
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.frames import CLIENT, SERVER, Frame, FrameDecoder, encode_frame

QUERY = encode_frame(frames.OP_QUERY, b"body", 258, frames.FLAG_TRACING)
EMPTY = encode_frame(frames.OP_OPTIONS, b"", 0)
VOID = encode_frame(frames.OP_RESULT, struct.pack(">i", 1), 5)


def header(version: int, opcode: int = frames.OP_OPTIONS, length: int = 0, stream: int = 7) -> bytes:
    return struct.pack(">BBhBi", version, 0, stream, opcode, length)


def test_a_frame_is_these_bytes():
    assert QUERY.hex() == "040201020700000004" + b"body".hex()
    assert VOID.hex() == "84000005080000000400000001"
    assert encode_frame(frames.OP_EVENT, b"", frames.EVENT_STREAM).hex() == "8400ffff0c00000000"


@pytest.mark.parametrize("size", [1, 2, 3, 8, 9, 10, 13, 14, 1000])
def test_frames_in_pieces_of_any_size(size):
    data = QUERY + EMPTY + QUERY + EMPTY
    decoder = FrameDecoder(SERVER)
    got = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    query, empty = Frame(4, 2, 258, 7, b"body"), Frame(4, 0, 0, 5, b"")
    assert got == [query, empty, query, empty]
    assert decoder.buffered_bytes == 0


@pytest.mark.parametrize("kept", range(1, len(QUERY)))
def test_trailing_bytes_wait_for_the_rest(kept):
    decoder = FrameDecoder(SERVER)
    assert len(decoder.feed(QUERY + QUERY[:kept])) == 1
    assert decoder.buffered_bytes == kept
    assert len(decoder.feed(QUERY[kept:])) == 1


def test_nothing_fed_is_nothing_got():
    assert FrameDecoder(CLIENT).feed(b"") == []


@pytest.mark.parametrize(("role", "data"), [(SERVER, VOID), (CLIENT, QUERY)])
def test_wrong_direction(role, data):
    with pytest.raises(ProtocolError, match="wrong direction") as caught:
        FrameDecoder(role).feed(data)
    assert not caught.value.unsupported_version


@pytest.mark.parametrize("version", [0, 3, 5, 6, 0x41, 0x7F])
def test_another_version_tells_enough_for_an_answer(version):
    decoder = FrameDecoder(SERVER)
    with pytest.raises(ProtocolError, match=f"unsupported protocol version: {version}; supported: 4") as caught:
        decoder.feed(QUERY + header(version))
    error = caught.value
    assert error.unsupported_version
    assert (error.version, error.stream, error.opcode) == (version, 7, frames.OP_OPTIONS)
    assert [frame.opcode for frame in error.frames] == [frames.OP_QUERY]
    answer = encode_frame(frames.OP_ERROR, b"...", error.stream)
    assert FrameDecoder(CLIENT).feed(answer)[0].stream == 7


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_old_versions_have_a_shorter_header(version, size):
    data = struct.pack(">BBbBi", version, 0, 9, frames.OP_OPTIONS, 0)
    decoder = FrameDecoder(SERVER)
    start = (len(data) - 1) // size * size
    for at in range(0, start, size):
        assert decoder.feed(data[at : at + size]) == []
    with pytest.raises(ProtocolError) as caught:
        decoder.feed(data[start:])
    assert (caught.value.version, caught.value.stream, caught.value.opcode) == (version, 9, frames.OP_OPTIONS)


def test_a_server_may_take_more_versions():
    decoder = FrameDecoder(SERVER, versions=(4, 5))
    assert [frame.version for frame in decoder.feed(header(5) + header(4))] == [5, 4]


@pytest.mark.parametrize("length", [-1, -(1 << 31), 101, (1 << 31) - 1])
def test_a_length_is_judged_before_anything_is_kept(length):
    decoder = FrameDecoder(SERVER, max_frame_bytes=100)
    with pytest.raises(ProtocolError, match="the limit is 100") as caught:
        decoder.feed(header(4, length=length))
    assert caught.value.stream == 7
    assert decoder.buffered_bytes == 0


def test_the_limit_itself_is_fine():
    body = b"x" * 100
    assert FrameDecoder(SERVER, max_frame_bytes=100).feed(encode_frame(frames.OP_QUERY, body))[0].body == body


def test_after_an_error_there_is_no_way_back():
    decoder = FrameDecoder(SERVER)
    with pytest.raises(ProtocolError):
        decoder.feed(VOID)
    with pytest.raises(ProtocolError):
        decoder.feed(QUERY)


def test_a_large_body_in_small_pieces():
    body = bytes(range(256)) * 4096
    data = encode_frame(frames.OP_QUERY, body)
    decoder = FrameDecoder(SERVER)
    got = [frame for at in range(0, len(data), 1000) for frame in decoder.feed(data[at : at + 1000])]
    assert [frame.body for frame in got] == [body]


def test_our_own_mistakes():
    with pytest.raises(WireValueError, match="neither"):
        FrameDecoder("peer")
    with pytest.raises(WireValueError, match="268435457 bytes is more"):
        encode_frame(frames.OP_QUERY, bytes(frames.MAX_FRAME_BYTES + 1))

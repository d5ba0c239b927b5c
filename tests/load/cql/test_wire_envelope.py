"""Tracing ids, warnings, payloads and LZ4 around every message; a client and a server back to back in memory."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_examples import COLUMNS, REQUESTS, RESPONSES, ROW, STATEMENT_ID
from wire_strategies import TEXT, TEXTS, all_responses

from cqlsurge.load.cql import frames
from cqlsurge.load.cql.compression import Compressor, lz4_support
from cqlsurge.load.cql.envelope import open_frame, seal_frame
from cqlsurge.load.cql.errors import PROTOCOL_ERROR_CODE, ProtocolError
from cqlsurge.load.cql.frames import CLIENT, SERVER, Frame, FrameDecoder
from cqlsurge.load.cql.requests import Execute, Options, Prepare, Query, QueryParameters, Startup, decode_request
from cqlsurge.load.cql.responses import Ready, Supported, decode_response
from cqlsurge.load.cql.results import Prepared, Rows, SetKeyspace, Void
from cqlsurge.load.cql.server_errors import SCYLLA_RATE_LIMIT_ERROR, ErrorResponse, UnpreparedDetails

needs_lz4 = pytest.mark.skipif(lz4_support().block is None, reason=lz4_support().reason)
TRACE = uuid.UUID(int=5)
PAYLOAD = {"key": b"value", "none": None}


def only(decoder, data):
    (frame,) = decoder.feed(data)
    return frame


@pytest.mark.parametrize("message", RESPONSES, ids=lambda message: type(message).__name__)
@pytest.mark.parametrize("compressed", [False, pytest.param(True, marks=needs_lz4)])
def test_responses_with_all_around_them(message, compressed):
    compressor = Compressor() if compressed else None
    data = seal_frame(
        message.opcode,
        message.encode_body(),
        9,
        tracing_id=TRACE,
        warnings=("careful",) * 20,
        payload=PAYLOAD,
        compressor=compressor,
    )
    frame = only(FrameDecoder(CLIENT), data)
    assert bool(frame.flags & frames.FLAG_COMPRESSED) is compressed
    opened = open_frame(frame, compressor)
    plain = Frame(4, 0, 9, message.opcode, message.encode_body())
    assert opened == (plain, True, TRACE, ("careful",) * 20, PAYLOAD)
    assert decode_response(frame, compressor, SCYLLA_RATE_LIMIT_ERROR) == message


@pytest.mark.parametrize("message", REQUESTS, ids=lambda message: type(message).__name__)
def test_requests_with_tracing_and_payload(message):
    frame = only(FrameDecoder(SERVER), seal_frame(message.opcode, message.encode_body(), tracing=True, payload=PAYLOAD))
    opened = open_frame(frame)
    assert (opened.tracing, opened.tracing_id, opened.payload) == (True, None, PAYLOAD)
    assert decode_request(frame) == message


@given(
    all_responses(),
    st.none() | st.uuids(),
    TEXTS,
    st.none() | st.dictionaries(TEXT, st.none() | st.binary(max_size=9), max_size=3),
    st.booleans(),
)
def test_any_response_with_anything_around_it(message, tracing_id, warnings, payload, compressed):
    compressor = Compressor() if compressed and lz4_support().block else None
    body = message.encode_body()
    around = {"tracing_id": tracing_id, "warnings": warnings, "payload": payload, "compressor": compressor}
    frame = only(FrameDecoder(CLIENT), seal_frame(message.opcode, body, 1, **around))
    opened = open_frame(frame, compressor)
    assert opened.frame.body == body
    assert opened[1:] == (tracing_id is not None, tracing_id, warnings, payload)
    assert decode_response(frame, compressor, SCYLLA_RATE_LIMIT_ERROR) == message


def test_nothing_around_it_is_a_plain_frame():
    message = Query("x" * 100)
    assert seal_frame(message.opcode, message.encode_body(), 1)[1] == 0
    frame = Frame(4, 0, 1, message.opcode, message.encode_body())
    assert open_frame(frame).frame is frame


@needs_lz4
def test_the_opening_messages_and_what_does_not_shrink_go_out_plain():
    compressor = Compressor()
    options = Startup({"CQL_VERSION": "3.0.0", "LONG": "x" * 1000})
    assert seal_frame(options.opcode, options.encode_body(), compressor=compressor)[1] == 0
    assert seal_frame(frames.OP_RESULT, Void().encode_body(), compressor=compressor)[1] == 0
    assert seal_frame(frames.OP_QUERY, b"x" * 1000, compressor=compressor)[1] == frames.FLAG_COMPRESSED


def test_a_compressed_frame_without_compression():
    with pytest.raises(ProtocolError, match="without compression") as caught:
        decode_request(Frame(4, frames.FLAG_COMPRESSED, 8, frames.OP_QUERY, b"\0\0\0\1\0"))
    assert caught.value.stream == 8


def test_envelopes_cut_at_every_byte():
    data = seal_frame(frames.OP_READY, b"", tracing_id=TRACE, warnings=("w",), payload=PAYLOAD)
    frame = only(FrameDecoder(CLIENT), data)
    for end in range(len(frame.body)):
        with pytest.raises(ProtocolError):
            open_frame(frame._replace(body=frame.body[:end]))


class Server:
    """The server's half of a conversation: request in, response out; knows one keyspace and one statement."""

    def __init__(self):
        self.decoder = FrameDecoder(SERVER)
        self.prepared = False

    def receive(self, data):
        try:
            received = self.decoder.feed(data)
        except ProtocolError as error:
            good = b"".join(map(self.serve, error.frames))
            answer = ErrorResponse(PROTOCOL_ERROR_CODE, str(error))
            return good + seal_frame(answer.opcode, answer.encode_body(), error.stream)
        return b"".join(map(self.serve, received))

    def serve(self, frame):
        try:
            answer = self.answer(decode_request(frame))
        except ProtocolError as error:
            answer = ErrorResponse(PROTOCOL_ERROR_CODE, str(error))
        return seal_frame(answer.opcode, answer.encode_body(), frame.stream)

    def answer(self, request):
        if isinstance(request, Options):
            return Supported({"CQL_VERSION": ["3.0.0"]})
        if isinstance(request, Startup):
            return Ready()
        if isinstance(request, Prepare):
            self.prepared = True
            return Prepared(STATEMENT_ID, COLUMNS[:1], (0,), COLUMNS)
        if isinstance(request, Execute) and not self.prepared:
            return ErrorResponse(0x2500, "prepare it first", UnpreparedDetails(request.statement_id))
        if isinstance(request, Execute):
            rows = [ROW] * len(request.parameters.values)
            return Rows(len(COLUMNS), rows) if request.parameters.skip_metadata else Rows.of(COLUMNS, rows)
        return SetKeyspace("shop") if request.query == "USE shop" else Void()


class Pair:
    """A client and a server back to back; bytes cross in pieces of `size`."""

    def __init__(self, size):
        self.size = size
        self.server = Server()
        self.client = FrameDecoder(CLIENT)

    def ask(self, *requests):
        sent = b"".join(seal_frame(ask.opcode, ask.encode_body(), stream) for stream, ask in enumerate(requests))
        return self.cross(sent)

    def cross(self, sent):
        back = b"".join(self.server.receive(piece) for piece in self.pieces(sent))
        answers = {}
        for piece in self.pieces(back):
            answers.update({frame.stream: decode_response(frame) for frame in self.client.feed(piece)})
        return answers

    def pieces(self, data):
        return [data[at : at + self.size] for at in range(0, len(data), self.size)]


@pytest.mark.parametrize("size", [1, 11, 100_000])
def test_a_conversation(size):
    pair = Pair(size)
    assert pair.ask(Options(), Startup()) == {0: Supported({"CQL_VERSION": ["3.0.0"]}), 1: Ready()}
    bound = Execute(STATEMENT_ID, QueryParameters(values=(b"k", b"v")))
    answers = pair.ask(Query("USE shop"), bound, Prepare("SELECT"), Query("INSERT"))
    assert answers[0] == SetKeyspace("shop")
    assert answers[1].details == UnpreparedDetails(STATEMENT_ID)
    assert answers[2].result_columns == COLUMNS
    assert answers[3] == Void()
    lean = Execute(STATEMENT_ID, QueryParameters(values=(b"k",), skip_metadata=True))
    assert pair.ask(bound, lean) == {0: Rows.of(COLUMNS, [ROW, ROW]), 1: Rows(len(COLUMNS), [ROW])}


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_server_refuses_v5_in_a_frame_of_its_own_version(size):
    pair = Pair(size)
    v5 = seal_frame(frames.OP_OPTIONS, b"", 3, version=5)
    answers = pair.cross(seal_frame(frames.OP_OPTIONS, b"", 2) + v5)
    assert answers[2] == Supported({"CQL_VERSION": ["3.0.0"]})
    assert answers[3].code == PROTOCOL_ERROR_CODE
    assert "unsupported protocol version: 5; supported: 4" in answers[3].message


def test_a_server_answers_a_broken_request_on_its_stream():
    answers = Pair(1000).cross(seal_frame(frames.OP_QUERY, b"\0", 77))
    assert answers[77].code == PROTOCOL_ERROR_CODE

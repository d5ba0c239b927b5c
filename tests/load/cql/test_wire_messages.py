"""Every message of both roles: there and back, cut at every byte, with trailing bytes; then hypothesis does the same.

The bytes of some are written out by hand from the specification; test_wire_driver.py compares with scylla-driver.
"""

from __future__ import annotations

import pytest
import wire_strategies
from hypothesis import given
from hypothesis import strategies as st
from wire_examples import REQUESTS, RESPONSES, STATEMENT_ID

from cqlsurge.load.cql import frames
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.frames import CLIENT, SERVER, Frame, FrameDecoder, encode_frame
from cqlsurge.load.cql.primitives import Consistency, write_int
from cqlsurge.load.cql.requests import Batch, BatchStatement, Execute, Options, Query, QueryParameters, decode_request
from cqlsurge.load.cql.responses import decode_response
from cqlsurge.load.cql.results import Prepared, Rows, Void
from cqlsurge.load.cql.server_errors import SCYLLA_RATE_LIMIT_ERROR, ErrorResponse


def frame_of(message, extra=b""):
    return Frame(4, 0, 3, message.opcode, message.encode_body() + extra)


def decode(frame):
    if frame.opcode in frames.REQUEST_OPCODES:
        return decode_request(frame)
    return decode_response(frame, rate_limit_code=SCYLLA_RATE_LIMIT_ERROR)


def named(message):
    return type(message).__name__


@pytest.mark.parametrize("message", REQUESTS + RESPONSES, ids=named)
def test_there_and_back(message):
    assert decode(frame_of(message)) == message


@pytest.mark.parametrize("message", REQUESTS + RESPONSES, ids=named)
@pytest.mark.parametrize("size", [1, 7])
def test_through_a_decoder_in_small_pieces(message, size):
    role = SERVER if message.opcode in frames.REQUEST_OPCODES else CLIENT
    data = encode_frame(message.opcode, message.encode_body(), 3) * 2
    decoder = FrameDecoder(role)
    got = [decode(frame) for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    assert got == [message, message]


@pytest.mark.parametrize("message", REQUESTS, ids=named)
def test_requests_take_no_trailing_bytes(message):
    with pytest.raises(ProtocolError, match="1 bytes too many") as caught:
        decode(frame_of(message, b"\0"))
    assert (caught.value.stream, caught.value.version, caught.value.opcode) == (3, 4, message.opcode)


@pytest.mark.parametrize("message", RESPONSES, ids=named)
def test_clients_ignore_trailing_bytes(message):
    assert decode(frame_of(message, b"later additions")) == message


@pytest.mark.parametrize("message", REQUESTS + RESPONSES, ids=named)
def test_cut_at_every_byte(message):
    body = message.encode_body()
    for end in range(len(body)):
        with pytest.raises(ProtocolError) as caught:
            decode(Frame(4, 0, 3, message.opcode, body[:end]))
        assert caught.value.stream == 3


@given(st.one_of(wire_strategies.all_requests(), wire_strategies.all_responses()))
def test_any_message_there_and_back(message):
    assert decode(frame_of(message)) == message


def test_query_bytes():
    parameters = QueryParameters(Consistency.QUORUM, (b"\x01", None), page_size=5, timestamp_us=1)
    assert Query("ab", parameters).encode_body().hex() == (
        "00000002616200042500020000000101ffffffff000000050000000000000001"
    )


def test_batch_bytes():
    batch = Batch((BatchStatement("a", (b"x",)), BatchStatement(b"id")), consistency=Consistency.ONE, timestamp_us=2)
    assert batch.encode_body().hex() == ("00000200000000016100010000000178010002696400000001200000000000000002")


def test_the_smallest_answers():
    assert encode_frame(frames.OP_RESULT, Void().encode_body(), 1).hex() == "84000001080000000400000001"
    rows = Rows(1, [(b"v",)])
    assert rows.encode_body().hex() == "000000020000000500000001000000010000000176"


@pytest.mark.parametrize(
    ("opcode", "body", "says"),
    [
        (0x04, "", "opcode 0x04 is no request"),
        (frames.OP_READY, "", "opcode 0x02 is no request"),
        (frames.OP_QUERY, "00000000000180", "unknown query flags 0x80"),
        (frames.OP_QUERY, "00000000000140", "names of values without values"),
        (frames.OP_QUERY, "00000000006300", "unknown consistency level 0x0063"),
        (frames.OP_BATCH, "030000000100", "unknown batch type 3"),
        (frames.OP_BATCH, "00000102", "unknown kind 2 of a statement"),
        (frames.OP_BATCH, "000000000140", "unknown batch flags 0x40"),
    ],
)
def test_requests_that_cannot_be(opcode, body, says):
    with pytest.raises(ProtocolError, match=says):
        decode_request(Frame(4, 0, 0, opcode, bytes.fromhex(body)))


@pytest.mark.parametrize(
    ("opcode", "body", "says"),
    [
        (frames.OP_QUERY, "", "opcode 0x07 is no response"),
        (frames.OP_RESULT, "00000006", "unknown kind 6 of a RESULT"),
        (frames.OP_RESULT, "0000000200000004ffffffff00000000", "-1 columns"),
        (frames.OP_RESULT, "000000020000000400000001ffffffff", "-1 rows"),
        (frames.OP_RESULT, "0000000200000004000000007fffffff", "2147483647 rows of 0 cells"),
        (frames.OP_RESULT, "00000002000000047fffffff7fffffff", "2147483647 rows of 2147483647 cells"),
        (frames.OP_RESULT, "00000002000000000000000100000000000000ff", "type option 0x00ff"),
        (frames.OP_RESULT, "0000000500000003464f4f0000", "unknown target 'FOO'"),
        (frames.OP_EVENT, "0003464f4f", "unknown event type 'FOO'"),
    ],
)
def test_responses_that_cannot_be(opcode, body, says):
    with pytest.raises(ProtocolError, match=says):
        decode_response(Frame(4, 0, 0, opcode, bytes.fromhex(body)))


def test_types_nested_too_deep_end_in_the_one_error():
    column = "000000000000" + "0020" * 30_000
    body = bytes.fromhex("000000020000000000000001" + column)
    with pytest.raises(ProtocolError, match="nested more than 32 levels"):
        decode_response(Frame(4, 0, 0, frames.OP_RESULT, body))


def test_the_rate_limit_code_is_the_negotiated_one_only():
    body = write_int(0xF000) + b"\0\0" + b"\1\1"
    frame = Frame(4, 0, 0, frames.OP_ERROR, body)
    assert decode_response(frame) == ErrorResponse(0xF000, "")
    assert decode_response(frame, rate_limit_code=0xF000).details == (1, True)
    assert decode_response(frame, rate_limit_code=0x4321) == ErrorResponse(0xF000, "")


def test_an_unknown_error_code_is_still_an_error():
    assert decode_response(frame_of(ErrorResponse(0x7777, "new"))) == ErrorResponse(0x7777, "new")


def test_a_prepared_statement_keeps_its_flags():
    prepared = decode(frame_of(Prepared(STATEMENT_ID, flags=0x80000000)))
    assert prepared.flags & 0x80000000


@pytest.mark.parametrize(
    "message",
    [
        Execute(STATEMENT_ID, QueryParameters(names=("a",))),
        Execute(STATEMENT_ID, QueryParameters(values=(b"",), names=())),
        Execute(STATEMENT_ID, QueryParameters(values=(b"",) * 65536)),
        Execute(bytes(65536)),
        Query("x", QueryParameters(timestamp_us=1 << 63)),
        Rows(2, [(b"",)]),
        Rows(0, [()]),
    ],
)
def test_messages_that_the_protocol_cannot_carry(message):
    with pytest.raises(WireValueError):
        message.encode_body()


def test_options_are_empty():
    assert Options().encode_body() == b""

"""EXECUTE templates: frames put together as a hot loop does it equal those of Execute, byte for byte."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_strategies import BYTES, CONSISTENCY, INT, LONG

from cqlsurge.load.cql import template as tp
from cqlsurge.load.cql.errors import WireValueError
from cqlsurge.load.cql.frames import encode_frame
from cqlsurge.load.cql.primitives import Consistency
from cqlsurge.load.cql.requests import Execute, QueryParameters

CELLS = st.lists(st.binary(max_size=12), max_size=4)
OPTIONS = st.fixed_dictionaries(
    {"skip_metadata": st.booleans(), "page_size": st.none() | INT, "serial_consistency": st.none() | CONSISTENCY}
)
STREAM = st.integers(0, 32767)


def expected(statement_id, consistency, cells, options, stream, timestamp_us):
    parameters = QueryParameters(consistency, tuple(cells), timestamp_us=timestamp_us, **options)
    return encode_frame(Execute.opcode, Execute(statement_id, parameters).encode_body(), stream)


def patched(frame, stream, timestamp_us, timestamp_offset):
    struct.pack_into(">h", frame, tp.STREAM_OFFSET, stream)
    if timestamp_us is not None:
        struct.pack_into(">q", frame, timestamp_offset, timestamp_us)
    return bytes(frame)


@given(BYTES, CONSISTENCY, CELLS, OPTIONS, STREAM, st.none() | LONG)
def test_values_of_any_length(statement_id, consistency, cells, options, stream, timestamp_us):
    stamped = timestamp_us is not None
    template = tp.execute_template(statement_id, consistency, len(cells), timestamp=stamped, **options)
    bound = b"".join(struct.pack(">i", len(cell)) + cell for cell in cells)
    frame = bytearray(template.head + bound + template.tail)
    struct.pack_into(">i", frame, tp.LENGTH_OFFSET, template.fixed_body_bytes + len(bound))
    assert (template.timestamp_offset >= 0) is stamped
    at = len(frame) - len(template.tail) + template.timestamp_offset
    whole = patched(frame, stream, timestamp_us, at)
    assert whole == expected(statement_id, consistency, cells, options, stream, timestamp_us)


def test_the_offsets_of_the_usual_write():
    template = tp.execute_template(bytes(16), Consistency.LOCAL_QUORUM, 2, timestamp=True)
    # header 9, id 2 + 16, consistency 2, flags 1, count 2
    assert template.head.hex() == "040000000a000000000010" + "00" * 16 + "0006210002"
    assert (len(template.head), template.tail, template.timestamp_offset) == (32, bytes(8), 0)


def test_what_a_frame_cannot_hold():
    with pytest.raises(WireValueError):
        tp.execute_template(bytes(16), Consistency.ONE, 65536)

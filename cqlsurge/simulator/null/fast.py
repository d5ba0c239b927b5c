"""The null server's hot loop: EXECUTE frames of 16-byte keys answered by slices and tables.

Whatever is not of the one expected shape is handed to the ordinary connection, whose answers these equal byte for byte.
An EXECUTE body: short 16, id, consistency, flags, short n, then the values: the key's length at +32, the key at +36.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.frames import FLAG_COMPRESSED, HEADER_BYTES, OP_EXECUTE, OP_RESULT, encode_frame
from cqlsurge.load.cql.results import Rows
from cqlsurge.load.routing.murmur3 import token_of_halves
from cqlsurge.load.routing.sharding import shard_of_token
from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.null.executor import is_null
from cqlsurge.simulator.null.general import GeneralStatement
from cqlsurge.simulator.topology import IGNORE_MSB

if TYPE_CHECKING:
    from collections.abc import Callable

    from cqlsurge.simulator.connection import Connection
    from cqlsurge.simulator.execution.compiled import Compiled
    from cqlsurge.simulator.null.values import NullValues
    from cqlsurge.simulator.placement import Placement
    from cqlsurge.simulator.topology import SimulatedNode

WORDS = struct.Struct("<qq")
STREAMS = 1 << 15
READ, WRITE = 3, 4


def _for_each_stream(frame: bytes) -> list[bytes]:
    """The same response on every stream id, which stands in bytes 2 and 3."""
    start, rest = frame[:2], frame[4:]
    return [start + bytes((stream >> 8, stream & 0xFF)) + rest for stream in range(STREAMS)]


VOID = _for_each_stream(encode_frame(OP_RESULT, b"\0\0\0\1"))
#: the same where LZ4 was agreed on: an LZ4 block of four bytes is a token for four literals, and these
COMPRESSED_VOID = _for_each_stream(encode_frame(OP_RESULT, b"\0\0\0\4\x40\0\0\0\1", flags=FLAG_COMPRESSED))


RIGHT, WRONG_SHARD, WRONG_NODE = 0, 1, 2


class Judge:
    """Whether a shard of a node is a replica of a key, from the key's words."""

    def __init__(self, placement: Placement, node: SimulatedNode, shard: int) -> None:
        topology = placement.topology
        self.always = len(topology.nodes) == 1 and topology.shard_count == 1
        self._shard = shard
        self._shard_count = topology.shard_count
        self._tablets = placement.tablets
        self._ring = topology.ring
        ends = self._ring.tokens if placement.tablets is None else placement.tablets.last_tokens
        owners = [placement.owners(end) for end in ends]
        here = [any(owner == node.index for owner, _ in listed) for listed in owners]
        self._places = [RIGHT if there else WRONG_NODE for there in here]
        if placement.tablets is not None:
            exact = [(node.index, shard) in listed for listed in owners]
            self._places = [RIGHT if exact[at] else WRONG_SHARD if here[at] else WRONG_NODE for at in range(len(ends))]

    def place(self, first: int, second: int) -> int:
        """RIGHT, WRONG_SHARD or WRONG_NODE, of a key of 16 bytes by its words."""
        return self.place_of(token_of_halves(first, second))

    def place_of(self, token: int) -> int:
        """RIGHT, WRONG_SHARD or WRONG_NODE."""
        if self._tablets is not None:
            return self._places[self._tablets.index(token)]
        place = self._places[self._ring.index(token)]
        if place == RIGHT and shard_of_token(token, self._shard_count, IGNORE_MSB) != self._shard:
            return WRONG_SHARD
        return place


class FastStatement:
    """A prepared statement of the expected shape on one shard: `heads` is the start of each stream's answer.

    `tells`: a client in the wrong place is to be told of the tablet, which is not this loop's business.
    """

    def __init__(self, ready: Compiled, judge: Judge, values: NullValues, *, tells: bool, compressed: bool) -> None:
        self.kind = READ if isinstance(ready.statement, ast.Select) else WRITE
        self.judge = judge
        self.tells = tells
        self.voids = COMPRESSED_VOID if compressed else VOID
        names = [column.name for column in ready.result or ()]
        self.key_first = len(names) == 2
        self._plain = self._heads(None, len(names), values.blob_size) if self.kind == READ else []
        self._full = self._heads(ready.result, len(names), values.blob_size) if self.kind == READ else []

    def _heads(self, columns: object, count: int, blob_size: int) -> list[bytes]:
        """Frame header, metadata, row count and the first cell's length, for every stream id."""
        cells = (bytes(16), bytes(blob_size))[-count:]
        rows = Rows(count, [cells], columns)  # type: ignore[arg-type]
        frame = encode_frame(OP_RESULT, rows.encode_body())
        variable = len(cells[0]) + (4 + blob_size if count == 2 else 0)
        return _for_each_stream(frame[: len(frame) - variable])

    def heads(self, *, skip_metadata: bool) -> list[bytes]:
        return self._plain if skip_metadata else self._full


def fast_statement(
    ready: Compiled, connection: Connection, values: NullValues
) -> FastStatement | GeneralStatement | None:
    """What answers a statement on a whole partition key; None for any other.

    Rows that are to be compressed are none of this loop's business either.
    """
    if not is_null(ready) or ready.table is None or ready.table.placement is None:
        return None
    compressed = connection.features.compressor is not None
    if compressed and isinstance(ready.statement, ast.Select):
        return None
    placement = ready.table.placement
    judge = Judge(placement, connection.peer.node, connection.peer.shard)
    tells = connection.features.tablets and placement.tablets is not None
    if _is_key_value(ready):
        return FastStatement(ready, judge, values, tells=tells, compressed=compressed)
    return GeneralStatement(ready, judge, values, COMPRESSED_VOID if compressed else VOID, tells=tells)


def _is_key_value(ready: Compiled) -> bool:
    """Whether a statement has the quickest shape: one uuid key bound first, and key and blob or blob alone read."""
    if ready.pk_indexes != (0,) or ready.table is None or ready.markers[0].type not in (t.UUID, t.TIMEUUID):
        return False
    if isinstance(ready.statement, ast.Select):
        shown = [column.type for column in ready.result or ()]
        named = [column.name for column in ready.result or ()]
        key_name = ready.table.partition_key[0].name
        pair = len(shown) == 2 and named[0] == key_name and shown[1] == t.BLOB and len(ready.markers) == 1
        alone = shown == [t.BLOB] and len(ready.markers) == 1
        return pair or alone
    return True


def answer_frames(
    data: bytes,
    statements: dict[int, FastStatement | GeneralStatement | None],
    values: NullValues,
    out: list[bytes],
    slow: Callable[[bytes], None],
) -> tuple[int, list[int]]:
    """Answer the whole frames in `data`: bytes used, and how many were right, wrong, reads and writes (by constant).

    `statements` go by the first 8 bytes of their ids. `slow` gets each frame that is none of ours and adds its own
    answer to `out`.
    """
    at, end, counted = 0, len(data), [0, 0, 0, 0, 0]
    with_key = values.with_key
    cell_length = values.blob_size.to_bytes(4, "big")
    fixed_tail = values.filler if values.workload is None else None
    unpack = WORDS.unpack_from
    append = out.append
    while at + HEADER_BYTES <= end:
        length = data[at + 5] << 24 | data[at + 6] << 16 | data[at + 7] << 8 | data[at + 8]
        frame_at, at = at, at + HEADER_BYTES + length
        if at > end:
            at = frame_at
            break
        # version 4, no flags, EXECUTE, an id of 16 bytes
        if (
            length < 23
            or data[frame_at] != 4
            or data[frame_at + 1]
            or data[frame_at + 4] != OP_EXECUTE
            or data[frame_at + 9]
            or data[frame_at + 10] != 16
        ):
            slow(data[frame_at:at])
            continue
        statement = statements.get(unpack(data, frame_at + 11)[0])
        if isinstance(statement, GeneralStatement):
            answer_general(statement, data[frame_at:at], counted, append, slow)
            continue
        # values without names, the first of 16 bytes
        if (
            statement is None
            or length < 43
            or data[frame_at + 29] & 0x41 != 1
            or data[frame_at + 34]
            or data[frame_at + 35] != 16
        ):
            slow(data[frame_at:at])
            continue
        first, second = unpack(data, frame_at + 36)
        place = RIGHT if statement.judge.always else statement.judge.place(first, second)
        if place and statement.tells:
            slow(data[frame_at:at])
            continue
        counted[place] += 1
        counted[statement.kind] += 1
        stream = (data[frame_at + 2] & 0x7F) << 8 | data[frame_at + 3]
        if statement.kind == WRITE:
            append(statement.voids[stream])
            continue
        append(statement.heads(skip_metadata=data[frame_at + 29] & 2 != 0)[stream])
        key = data[frame_at + 36 : frame_at + 52]
        if statement.key_first:
            append(key)
            append(cell_length)
        if with_key:
            append(key)
        append(values.tail(second) if fixed_tail is None else fixed_tail)
    return at, counted


def answer_general(
    statement: GeneralStatement,
    frame: bytes,
    counted: list[int],
    append: Callable[[bytes], None],
    slow: Callable[[bytes], None],
) -> None:
    """Answers one EXECUTE frame, and counts it."""
    stream = (frame[2] & 0x7F) << 8 | frame[3]
    try:
        found = statement.answer(frame, stream)
    except (IndexError, ValueError, struct.error):
        found = None
    if found is None or (found[0] and statement.tells):
        slow(frame)
        return
    place, answer = found
    counted[place] += 1
    counted[READ if statement.reads else WRITE] += 1
    append(answer or statement.voids[stream])

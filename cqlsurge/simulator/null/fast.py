"""The null server's hot loop: EXECUTE frames of 16-byte keys answered by slices and tables.

Whatever is not of the one expected shape is handed to the ordinary connection, whose answers these equal byte for byte.
An EXECUTE body: short 16, id, consistency, flags, short n, then the values: the key's length at +32, the key at +36.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from cqlsurge.load.routing.murmur3 import token_of_halves
from cqlsurge.load.routing.sharding import shard_of_token
from cqlsurge.load.wire import types as t
from cqlsurge.load.wire.frames import HEADER_BYTES, OP_RESULT, encode_frame
from cqlsurge.load.wire.results import Rows
from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.null.executor import is_null
from cqlsurge.simulator.topology import IGNORE_MSB

if TYPE_CHECKING:
    from collections.abc import Callable

    from cqlsurge.simulator.execution.compiled import Compiled
    from cqlsurge.simulator.null.values import NullValues
    from cqlsurge.simulator.placement import Placement
    from cqlsurge.simulator.topology import SimulatedNode

WORDS = struct.Struct("<qq")
STREAMS = 1 << 15
READ, WRITE = 0, 1
_VOID_BODY = b"\0\0\0\1"
VOID = [encode_frame(OP_RESULT, _VOID_BODY, stream) for stream in range(STREAMS)]


class Judge:
    """Whether a shard of a node is a replica of a key, from the key's words."""

    def __init__(self, placement: Placement, node: SimulatedNode, shard: int) -> None:
        topology = placement.topology
        self.always = len(topology.nodes) == 1 and topology.shard_count == 1
        self._shard = shard
        self._shard_count = topology.shard_count
        self._tablets = placement.tablets
        self._ring = topology.ring
        if placement.tablets is not None:
            ends = placement.tablets.last_tokens
            self._here = [(node.index, shard) in placement.owners(end) for end in ends]
        else:
            self._here = [any(owner == node.index for owner, _ in placement.owners(end)) for end in self._ring.tokens]

    def right(self, first: int, second: int) -> bool:
        token = token_of_halves(first, second)
        if self._tablets is not None:
            return self._here[self._tablets.index(token)]
        if self._shard_count > 1 and shard_of_token(token, self._shard_count, IGNORE_MSB) != self._shard:
            return False
        return self._here[self._ring.index(token)]


class FastStatement:
    """A prepared statement of the expected shape on one shard: `heads` is the start of each stream's answer."""

    def __init__(self, ready: Compiled, judge: Judge, values: NullValues) -> None:
        self.kind = READ if isinstance(ready.statement, ast.Select) else WRITE
        self.judge = judge
        names = [column.name for column in ready.result or ()]
        self.key_first = len(names) == 2
        self._plain = self._heads(None, len(names), values.blob_size) if self.kind == READ else []
        self._full = self._heads(ready.result, len(names), values.blob_size) if self.kind == READ else []

    def _heads(self, columns: object, count: int, blob_size: int) -> list[bytes]:
        """Frame header, metadata, row count and the first cell's length, for every stream id."""
        cells = (bytes(16), bytes(blob_size))[-count:]
        rows = Rows(count, [cells], columns)  # type: ignore[arg-type]
        body = rows.encode_body()
        variable = len(cells[0]) + (4 + blob_size if count == 2 else 0)
        head = body[: len(body) - variable]
        length = len(body)
        return [
            encode_frame(OP_RESULT, b"", stream)[: HEADER_BYTES - 4] + length.to_bytes(4, "big") + head
            for stream in range(STREAMS)
        ]

    def heads(self, *, skip_metadata: bool) -> list[bytes]:
        return self._plain if skip_metadata else self._full


def fast_statement(ready: Compiled | None, node: SimulatedNode, shard: int, values: NullValues) -> FastStatement | None:
    """None where a statement has another shape: one uuid key bound first, and key and blob or blob alone read."""
    if ready is None or not is_null(ready) or ready.pk_indexes != (0,) or ready.table is None:
        return None
    if ready.table.placement is None or ready.markers[0].type not in (t.UUID, t.TIMEUUID):
        return None
    if isinstance(ready.statement, ast.Select):
        shown = [column.type for column in ready.result or ()]
        named = [column.name for column in ready.result or ()]
        key_name = ready.table.partition_key[0].name
        pair = len(shown) == 2 and named[0] == key_name and shown[1] == t.BLOB and len(ready.markers) == 1
        alone = shown == [t.BLOB] and len(ready.markers) == 1
        if not pair and not alone:
            return None
    return FastStatement(ready, Judge(ready.table.placement, node, shard), values)


def answer_frames(
    data: bytes,
    statements: dict[int, FastStatement | None],
    values: NullValues,
    out: list[bytes],
    slow: Callable[[bytes], None],
) -> tuple[int, int, int]:
    """Answer the whole frames in `data`: (bytes used, reads, writes answered here).

    `statements` go by the first 8 bytes of their ids. `slow` gets each frame that is none of ours and adds its own
    answer to `out`.
    """
    at = 0
    end = len(data)
    reads = writes = 0
    with_key = values.with_key
    cell_length = values.blob_size.to_bytes(4, "big")
    fixed_tail = values.filler if values.workload is None else None
    unpack = WORDS.unpack_from
    append = out.append
    while at + HEADER_BYTES <= end:
        length = data[at + 5] << 24 | data[at + 6] << 16 | data[at + 7] << 8 | data[at + 8]
        following = at + HEADER_BYTES + length
        if following > end:
            break
        # version 4, no flags, EXECUTE, an id of 16 bytes; values without names, the first of 16 bytes
        if (
            length >= 43
            and data[at] == 4
            and data[at + 1] == 0
            and data[at + 4] == 10
            and data[at + 9] == 0
            and data[at + 10] == 16
            and data[at + 29] & 0x41 == 1
            and data[at + 35] == 16
            and data[at + 34] == 0
        ):
            statement = statements.get(unpack(data, at + 11)[0])
            if statement is not None:
                first, second = unpack(data, at + 36)
                if statement.judge.always or statement.judge.right(first, second):
                    stream = (data[at + 2] & 0x7F) << 8 | data[at + 3]
                    if statement.kind == WRITE:
                        append(VOID[stream])
                        writes += 1
                    else:
                        append(statement.heads(skip_metadata=data[at + 29] & 2 != 0)[stream])
                        key = data[at + 36 : at + 52]
                        if statement.key_first:
                            append(key)
                            append(cell_length)
                        if with_key:
                            append(key)
                        append(values.tail(second) if fixed_tail is None else fixed_tail)
                        reads += 1
                    at = following
                    continue
        slow(data[at:following])
        at = following
    return at, reads, writes

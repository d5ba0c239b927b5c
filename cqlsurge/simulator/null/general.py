"""Answers to EXECUTE frames of any statement on a whole partition: no more is decoded than the key and what is shown.

They equal those of the ordinary connection byte for byte: a read finds one row, of the values bound to its columns,
blobs of the asked size, and null for all else.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.frames import OP_RESULT, RESPONSE, VERSION
from cqlsurge.load.cql.results import Rows
from cqlsurge.load.routing.keys import routing_key
from cqlsurge.load.routing.murmur3 import token
from cqlsurge.simulator.cql import ast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cqlsurge.simulator.execution.compiled import Compiled
    from cqlsurge.simulator.null.fast import Judge
    from cqlsurge.simulator.null.values import NullValues

_HEADER = struct.Struct(">BBHBi")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)
#: in an EXECUTE frame with an id of 16 bytes: the flags, the number of values, the first value
FLAGS_AT, COUNT_AT, VALUES_AT = 29, 30, 32
NAMES, SKIP_METADATA = 0x40, 0x02


class GeneralStatement:
    """A prepared statement on one shard. `reads`: it is answered with a row."""

    def __init__(
        self, ready: Compiled, judge: Judge, values: NullValues, voids: Sequence[bytes], *, tells: bool
    ) -> None:
        self.reads = isinstance(ready.statement, ast.Select)
        self.judge, self.tells = judge, tells
        #: the answer to a write, by stream id
        self.voids = voids
        self._values = values
        self._count = len(ready.markers)
        self._key = list(ready.pk_indexes)
        bound = {marker.name: index for index, marker in enumerate(ready.markers)}
        columns = ready.result or ()
        #: of each column shown: the index of the value bound to it, -1 for a blob, -2 for null
        self._shown = [bound.get(column.name, -1 if column.type == t.BLOB else -2) for column in columns]
        self._heads = [Rows(len(columns), [], named).encode_body()[:-4] + _LENGTH.pack(1) for named in (columns, None)]

    def answer(self, data: bytes, stream: int) -> tuple[int, bytes] | None:
        """(where the key belongs as the judge says, the answer; b"" for Void) to a frame; None where it is not ours.

        Raises IndexError, ValueError or struct.error for a body that is cut off, or a key that is too long.
        """
        flags = data[FLAGS_AT]
        if flags & NAMES or not flags & 1 or (data[COUNT_AT] << 8 | data[COUNT_AT + 1]) != self._count:
            return None
        at = VALUES_AT
        cells = []
        for _ in range(self._count):
            length = _LENGTH.unpack_from(data, at)[0]
            past = at + 4 + max(0, length)
            cells.append(data[at:past])
            at = past
        key = [cells[index][4:] for index in self._key]
        if not all(key) or at > len(data):
            return None
        place = 0 if self.judge.always else self.judge.place_of(token(routing_key(key)))
        if not self.reads:
            return place, b""
        body = [self._heads[1 if flags & SKIP_METADATA else 0]]
        for index in self._shown:
            if index >= 0:
                body.append(cells[index])
            elif index == -1:
                blob = self._values.value(key[0])
                body += [_LENGTH.pack(len(blob)), blob]
            else:
                body.append(_NULL)
        whole = b"".join(body)
        return place, _HEADER.pack(VERSION | RESPONSE, 0, stream, OP_RESULT, len(whole)) + whole

"""Many frames of one layout at once: of equal size as rows of a matrix, else put behind each other in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cqlsurge.load.compiled.graph import Node
from cqlsurge.load.compiled.layout import Data, Fixed, Segment, Slice
from cqlsurge.load.cql.template import TIMESTAMP_BYTES

Array = Any  # numpy.ndarray

#: what a frame shows, by node: arrays of one length, and lists of bytes objects
Columns = dict[Any, Array]

_FORMATS = {"W": "<u8", "Q": ">u8", "b": ">i1", "h": ">i2", "i": ">i4", "I": ">u4", "q": ">i8", "f": ">f4", "d": ">f8"}
STREAM, STAMP = "stream", "stamp"


class Strip:
    """Part of a layout that has always the same size: constants, holes, slices of fixed length.

    As rows of a matrix: `fill` makes the first so many rows from columns.
    """

    def __init__(self) -> None:
        self.bytes = b""
        self.fields: list[tuple[str, int, Node | str]] = []
        self.slices: list[tuple[int, Slice]] = []

    def add(self, segment: Fixed | Slice) -> None:
        """Puts a segment behind what is there."""
        at = len(self.bytes)
        if isinstance(segment, Slice):
            self.slices.append((at, segment))
            self.bytes += bytes(segment.length.args[0])
            return
        self.fields += [(_FORMATS[hole.format], at + offset, hole.node) for offset, hole in segment.holes]
        self.bytes += segment.bytes

    def open(self, rows: int) -> None:
        """Makes room for so many rows."""
        self.size = len(self.bytes)
        fields = [*self.fields, *[(f"V{each.length.args[0]}", at, each.offset) for at, each in self.slices]]
        names = [f"f{index}" for index in range(len(fields))]
        self.data = bytearray(self.bytes * rows)
        self.view = memoryview(self.data)
        dtype = np.dtype(
            {
                "names": names,
                "formats": [f for f, _, _ in fields],
                "offsets": [a for _, a, _ in fields],
                "itemsize": self.size,
            }
        )
        self.matrix: Array = np.frombuffer(self.data, dtype)
        self.rows: Array = np.frombuffer(self.data, f"V{self.size}")
        columns = [self.matrix[name] for name in names]
        self._holes = list(zip(columns, [node for _, _, node in self.fields]))
        self._pieces = [
            (column, each.offset, pool_pieces(each.pool, each.length.args[0]))
            for column, (_, each) in zip(columns[len(self.fields) :], self.slices)
        ]

    def fill(self, columns: Columns, count: int) -> None:
        """Makes the first `count` rows."""
        for column, node in self._holes:
            column[:count] = columns[node]
        for column, offset, pieces in self._pieces:
            column[:count] = pieces[offset.args[0] if offset.constant else columns[offset]]


_PIECES: dict[tuple[int, int], Any] = {}


def pool_pieces(pool: bytes, length: int) -> Array:
    """`pieces[offset]` are `length` bytes of the pool from there on, as one item."""
    known = _PIECES.get((id(pool), length))
    if known is None:
        array: Any = np.ndarray((len(pool) - length + 1,), f"V{length}", pool, strides=(1,))
        known = _PIECES[id(pool), length] = (pool, array)
    return known[1]


class Frames:
    """Up to `rows` frames of a layout; those of one `fill` lie behind each other in `view`, and end at `ends`.

    requests: bytes 2 and 3 are the stream id; stamped: the last 8 bytes are a timestamp.
    """

    def __init__(self, made: Sequence[Segment], rows: int, *, request: bool = False, stamped: bool = False) -> None:
        self.stamped = stamped
        self._parts: list[Strip | Slice | Data] = []
        for segment in made:
            if isinstance(segment, Data) or (isinstance(segment, Slice) and not segment.length.constant):
                self._parts.append(segment)
                continue
            if not self._parts or not isinstance(self._parts[-1], Strip):
                self._parts.append(Strip())
            last = self._parts[-1]
            assert isinstance(last, Strip)
            last.add(segment)
        strips = [part for part in self._parts if isinstance(part, Strip)]
        if request:
            strips[0].fields.append((">u2", 2, STREAM))
        if stamped:
            strips[-1].fields.append((">i8", len(strips[-1].bytes) - TIMESTAMP_BYTES, STAMP))
        for strip in strips:
            strip.open(rows)
        self.size = strips[0].size if len(self._parts) == 1 and strips else 0
        self._flat: Array = np.empty(0, np.uint8)
        self._steady = sum(strip.size for strip in strips)
        self._strips = strips
        self.view = strips[0].view if self.size else memoryview(b"")
        self.ends: Array = np.arange(1, rows + 1) * self.size

    def fill(self, columns: Columns, count: int) -> None:
        """Makes `count` frames; columns are of that length, STREAM and STAMP among them for requests."""
        for strip in self._strips:
            strip.fill(columns, count)
        if not self.size:
            self._scatter(columns, count)

    def _scatter(self, columns: Columns, count: int) -> None:
        """Puts strips and what lies between them to where they belong."""
        extents = [self._extent(part, columns, count) for part in self._parts]
        total: Array = np.full(count, self._steady, np.int64)
        for _, _, lengths in extents:
            if lengths is not None:
                total += lengths
        self.ends = np.cumsum(total)
        at = self.ends - total
        size = int(self.ends[-1]) if count else 0
        if len(self._flat) < size:
            self._flat = np.empty(size + size // 4, np.uint8)
            self.view = memoryview(self._flat)
        for part, (source, offsets, lengths) in zip(self._parts, extents):
            if isinstance(part, Strip):
                put(self._flat, at, part.rows[:count])
                at = at + part.size
            else:
                copy_pieces(self._flat, at, source, offsets, lengths)
                at = at + lengths

    @staticmethod
    def _extent(part: Strip | Slice | Data, columns: Columns, count: int) -> tuple[Any, Any, Any]:
        """(bytes to copy from, int64 offsets, int64 lengths) of a part that is no strip."""
        if isinstance(part, Strip):
            return None, None, None
        if isinstance(part, Slice):
            offsets, lengths = [
                np.full(count, node.args[0], np.int64) if node.constant else columns[node]
                for node in (part.offset, part.length)
            ]
            return part.pool, offsets, lengths
        data = columns[part.node]
        lengths = np.array([len(each) for each in data], np.int64)
        return b"".join(data), np.cumsum(lengths) - lengths, lengths


def put(flat: Array, at: Array, items: Array) -> None:
    """Writes items of one size, an array of V, to these places of an array of bytes."""
    size = items.itemsize
    places: Any = np.ndarray((len(flat) - size + 1,), f"V{size}", flat, strides=(1,))
    places[at] = items


def copy_pieces(flat: Array, at: Array, source: bytes, offsets: Array, lengths: Array) -> None:
    """Copies pieces of unequal lengths: of each length one power of two after the other."""
    size = 1
    longest = int(lengths.max()) if len(lengths) else 0
    at, offsets = at.copy(), offsets.copy()
    while size <= longest:
        chosen = np.flatnonzero(lengths & size)
        if len(chosen):
            pieces: Any = np.ndarray((len(source) - size + 1,), f"V{size}", source, strides=(1,))
            put(flat, at[chosen], pieces[offsets[chosen]])
            at[chosen] += size
            offsets[chosen] += size
        size *= 2

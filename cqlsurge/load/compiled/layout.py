"""Frames as layouts: constant bytes with holes, slices of pools, and bytes objects, one behind the other."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Union

from cqlsurge.load.compiled.graph import Graph, Node

#: bytes of a hole by its format: W and Q a WORD, little- and big-endian; the others as in `struct`, big-endian
SIZES = {"W": 8, "Q": 8, "b": 1, "h": 2, "i": 4, "I": 4, "q": 8, "f": 4, "d": 8}


@dataclass(frozen=True)
class Hole:
    """A value of fixed size."""

    format: str
    node: Node

    @property
    def size(self) -> int:
        """Its bytes."""
        return SIZES[self.format]

    def filled(self) -> bytes:
        """Its bytes where the node is a constant."""
        return struct.pack("<Q" if self.format == "W" else ">" + self.format, self.node.args[0])


@dataclass(frozen=True)
class Slice:
    """`length` bytes of a pool from `offset` on; nodes of INT, the length may be 0."""

    pool: bytes
    offset: Node
    length: Node


@dataclass(frozen=True)
class Data:
    """A bytes object that a node gives."""

    node: Node


Piece = Union[bytes, Hole, Slice, Data]


@dataclass
class Fixed:
    """Constant bytes with holes in it: (offset, hole)."""

    bytes: bytes = b""
    holes: list[tuple[int, Hole]] = field(default_factory=list)


Segment = Union[Fixed, Slice, Data]


def segments(pieces: Iterable[Piece]) -> list[Segment]:
    """The pieces with constants and holes that are next to each other brought together."""
    made: list[Segment] = []
    for piece in pieces:
        if isinstance(piece, (Slice, Data)):
            made.append(piece)
            continue
        if not made or not isinstance(made[-1], Fixed):
            made.append(Fixed())
        last = made[-1]
        assert isinstance(last, Fixed)
        if isinstance(piece, Hole) and not piece.node.constant:
            last.holes.append((len(last.bytes), piece))
            last.bytes += bytes(piece.size)
        else:
            last.bytes += piece.filled() if isinstance(piece, Hole) else piece
    return [each for each in made if not isinstance(each, Fixed) or each.bytes]


def size_of(graph: Graph, pieces: Iterable[Piece]) -> Node:
    """How many bytes the pieces are: a constant node where that never changes."""
    total = graph.constant(0)
    fixed = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            fixed += len(piece)
        elif isinstance(piece, Hole):
            fixed += piece.size
        elif isinstance(piece, Slice):
            total = graph.add(total, piece.length)
        else:
            total = graph.add(total, graph.size(piece.node))
    return graph.add(total, fixed)


def int_piece(size: Node) -> Piece:
    """A length as CQL's [int]."""
    return struct.pack(">i", size.args[0]) if size.constant else Hole("i", size)


def cell(graph: Graph, pieces: Sequence[Piece]) -> list[Piece]:
    """A value as CQL's [bytes]: with its length before it."""
    return [int_piece(size_of(graph, pieces)), *pieces]


def fixed_size(pieces: Iterable[Piece]) -> int | None:
    """The size of pieces that have always the same one, else None."""
    total = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            total += len(piece)
        elif isinstance(piece, Hole):
            total += piece.size
        elif isinstance(piece, Slice) and piece.length.constant:
            total += piece.length.args[0]
        else:
            return None
    return total


def nodes_of(pieces: Iterable[Piece]) -> list[Node]:
    """The nodes that the pieces show, in order."""
    found: list[Node] = []
    for piece in pieces:
        if isinstance(piece, (Hole, Data)):
            found.append(piece.node)
        elif isinstance(piece, Slice):
            found += [piece.offset, piece.length]
    return found

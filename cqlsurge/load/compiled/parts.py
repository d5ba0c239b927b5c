"""Frames as parts to be joined: straight-line Python for any interpreter."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Union

from cqlsurge.load.compiled.dialects import MACHINE, PLAIN, SCALAR_NAMES
from cqlsurge.load.compiled.graph import Graph, Node
from cqlsurge.load.compiled.layout import Data, Fixed, Hole, Piece, Segment, Slice, segments, size_of
from cqlsurge.load.compiled.program import COLUMNS_AT, WRONG, Program, Template
from cqlsurge.load.compiled.source import Writer
from cqlsurge.load.compiled.statement import HEAD_BYTES, Lowered, request_pieces
from cqlsurge.load.compiled.step import Steps, tuple_text
from cqlsurge.load.cql.frames import VERSION
from cqlsurge.load.cql.template import TIMESTAMP_BYTES
from cqlsurge.load.routing.murmur3 import token
from cqlsurge.load.workload.mixing import INTOP

if TYPE_CHECKING:
    from cqlsurge.load.compiled.clock import Clock

#: version, flags and stream id of a request, by stream id
HEADS = [struct.pack(">BBH", VERSION, 0, sid) for sid in range(32768)]
LONG = struct.Struct(">q")
#: constants up to so many bytes between two holes are packed with them
_GAP = 8
_INTEGERS = {1: "b", 2: "h", 4: "i", 8: "q"}
_PACKS: dict[str, Callable[..., bytes]] = {}

#: a part of a frame: constant bytes, a slice, or what gives a bytes object
Part = Union[bytes, Slice, Node]


def packed(graph: Graph, form: str, values: Sequence[Any]) -> Node:
    """DATA: the values as `struct` packs them."""
    pack = _PACKS.setdefault(form, struct.Struct(form).pack)
    return graph.call(pack, *values)


def parts_of(graph: Graph, made: Sequence[Segment]) -> list[Part]:
    """The parts of a frame: holes near to each other are packed together."""
    parts: list[Part] = []
    for segment in made:
        if isinstance(segment, Fixed):
            parts += _fixed_parts(graph, segment)
        else:
            parts.append(segment.node if isinstance(segment, Data) else segment)
    return parts


def _fixed_parts(graph: Graph, segment: Fixed) -> list[Part]:
    parts: list[Part] = []
    at, holes = 0, list(segment.holes)
    while holes:
        start, hole = holes[0]
        group = 1
        while group < len(holes) and _together(holes[group - 1], holes[group]):
            group += 1
        if start > at:
            parts.append(segment.bytes[at:start])
        parts.append(_pack(graph, segment.bytes, holes[:group]))
        last, hole = holes[group - 1]
        at = last + hole.size
        del holes[:group]
    if at < len(segment.bytes):
        parts.append(segment.bytes[at:])
    return parts


def _together(one: tuple[int, Hole], other: tuple[int, Hole]) -> bool:
    gap = other[0] - one[0] - one[1].size
    if "W" in (one[1].format, other[1].format):
        return one[1].format == other[1].format and gap == 0
    return gap <= _GAP


def _pack(graph: Graph, constant: bytes, holes: Sequence[tuple[int, Hole]]) -> Node:
    if holes[0][1].format == "W":
        return packed(graph, "<" + ("q" if INTOP else "Q") * len(holes), [hole.node for _, hole in holes])
    form = ">"
    values: list[Node | int] = []
    at = holes[0][0]
    for start, hole in holes:
        while at < start:
            size = max(size for size in _INTEGERS if size <= start - at)
            form += _INTEGERS[size]
            values.append(int.from_bytes(constant[at : at + size], "big", signed=True))
            at += size
        form += "q" if INTOP and hole.format == "Q" else hole.format
        values.append(hole.node)
        at += hole.size
    return packed(graph, form, values)


def part_nodes(parts: Sequence[Part]) -> list[Node]:
    """The nodes that parts show."""
    nodes: list[Node] = []
    for part in parts:
        if isinstance(part, Slice):
            # The offset stands twice in the text of a slice.
            nodes += [part.offset, part.offset, part.length]
        elif isinstance(part, Node):
            nodes.append(part)
    return nodes


class PartsTemplate(Template):
    """c0, c1 ... are its parts that never change."""

    def __init__(self, made: Sequence[Segment], size: int, clock: Clock, stamped: bool) -> None:
        constants = constants_of(made)
        for index, constant in enumerate(constants):
            setattr(self, f"c{index}", constant)
        self.size, self.clock = size, clock
        self.behind = constants[-1][:-TIMESTAMP_BYTES] if stamped else b""
        self.stamped_ns = -1
        self.end = b""

    def stamp(self, due_ns: int) -> None:
        """Makes the end of a frame with the timestamp of a due time; operations of a batch often share it."""
        self.stamped_ns = due_ns
        self.end = self.behind + LONG.pack(self.clock.timestamp_us(due_ns))


def request_parts(graph: Graph, made: Sequence[Segment]) -> list[Part]:
    """The parts of a request from its opcode on; they are the same ones but for constants under any statement id."""
    parts = parts_of(graph, made)
    assert isinstance(parts[0], bytes)
    return [parts[0][HEAD_BYTES:], *parts[1:]]


def constants_of(made: Sequence[Segment]) -> list[bytes]:
    """Those parts of a request that never change."""
    return [part for part in request_parts(Graph(), made) if isinstance(part, bytes)]


def part_texts(writer: Writer, parts: Sequence[Part], constant: Callable[[bytes], str]) -> list[str]:
    """An expression for each part."""
    texts = []
    for part in parts:
        if isinstance(part, bytes):
            texts.append(constant(part))
        elif isinstance(part, Slice):
            offset = writer.named(part.offset)
            pool = writer.names.name(part.pool, "pool")
            length = writer.value(part.length)
            end = (
                f"{offset} + {length}"
                if not part.offset.constant or not part.length.constant
                else f"{part.offset.args[0] + part.length.args[0]}"
            )
            texts.append(f"{pool}[{offset}:{end}]")
        else:
            texts.append(writer.value(part))
    return texts


class PartsProgram(Program):
    """A workload for connections that join parts."""

    dialect = MACHINE if INTOP else PLAIN

    def __init__(self, lowered: Lowered) -> None:
        super().__init__(lowered, {**SCALAR_NAMES, "HEADS": HEADS, "token": token, "Template": PartsTemplate})

    def _shown(self, pieces: Sequence[Piece]) -> list[Node]:
        return part_nodes(parts_of(self.lowered.graph, segments(pieces)))

    def _steps(self) -> Steps:
        graph = self.lowered.graph
        keys = [parts_of(graph, segments(each.key)) for each in self.lowered.statements]

        def write_token(writer: Writer, index: int) -> str:
            texts = part_texts(writer, keys[index], repr)
            return f"token({texts[0] if len(texts) == 1 else bytes_text(texts)})"

        tokens = [part_nodes(key) for key in keys]
        return Steps(self.lowered, self.dialect, self.names, self._wanted(), tokens, write_token)

    def _template_lines(self, index: int, id_bytes: int) -> list[str]:
        graph, statement, row = self.lowered.graph, self.lowered.statements[index], self.rows[index]
        pieces = request_pieces(graph, statement, bytes(id_bytes))
        parts = request_parts(graph, segments(pieces))
        size = size_of(graph, pieces)
        writer = self._writer(row, 2)
        writer.expect([*part_nodes(parts), size])
        numbers = iter(range(len(parts)))
        texts = ["HEADS[sid]", *part_texts(writer, parts, lambda part: f"self.c{next(numbers)}")]
        lines = [f"class Template{index}(Template):", "    def emit(self, conn, sid, row, due_ns):"]
        if row:
            lines.append(f"        {tuple_text([f'n{node.index}' for node in row])} = row")
        if statement.kind.timestamp:
            lines += ["        if due_ns != self.stamped_ns:", "            self.stamp(due_ns)"]
            texts[-1] = "self.end"
        total = "self.size" if size.constant else writer.value(size)
        writer.line(f"conn.parts += {tuple_text(texts)}")
        writer.line(f"conn.used += {total}")
        return lines + writer.lines

    def _accept_lines(self, index: int, pieces: Sequence[Piece]) -> list[str]:
        lines, text = self._answer_text(pieces)
        lines = [f"def accept{index}(data, body, past, number):", *lines]
        return [*lines, f"    return 1 if data[body + {COLUMNS_AT}:past] == {text} else {WRONG}"]

    def _answer_lines(self, index: int, pieces: Sequence[Piece]) -> list[str]:
        return answer_lines(self._writer([], 1), self.lowered.graph, index, pieces)

    def _answer_text(self, pieces: Sequence[Piece]) -> tuple[list[str], str]:
        return answer_text(self._writer([], 1), self.lowered.graph, pieces)


def answer_text(writer: Writer, graph: Graph, pieces: Sequence[Piece]) -> tuple[list[str], str]:
    """The lines before, and the expression of, an answer's bytes; `number` is known."""
    parts = parts_of(graph, segments(pieces))
    writer.known[graph.number] = "number"
    writer.expect(part_nodes(parts))
    texts = part_texts(writer, parts, repr)
    return writer.lines, bytes_text(texts)


def answer_lines(writer: Writer, graph: Graph, index: int, pieces: Sequence[Piece]) -> list[str]:
    """The function that makes an answer's bytes."""
    lines, text = answer_text(writer, graph, pieces)
    return [f"def answer{index}(number):", *lines, f"    return {text}"]


def bytes_text(texts: Sequence[str]) -> str:
    """The parts joined."""
    return f"b''.join({tuple_text(texts)})"

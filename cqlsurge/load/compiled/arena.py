"""Frames in memory of our own, on PyPy: holes are stored as machine words, the rest is copied by memcpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cqlsurge.load.compiled import memory
from cqlsurge.load.compiled.dialects import MACHINE, SCALAR_NAMES
from cqlsurge.load.compiled.graph import Graph, Node
from cqlsurge.load.compiled.keys import key_words, write_token
from cqlsurge.load.compiled.layout import Data, Fixed, Hole, Piece, Segment, Slice, fixed_size, segments, size_of
from cqlsurge.load.compiled.memory import block, memcpy, pointer
from cqlsurge.load.compiled.parts import answer_lines, bytes_text, part_nodes, part_texts, parts_of
from cqlsurge.load.compiled.program import COLUMNS_AT, WRONG, Program, Template
from cqlsurge.load.compiled.source import Writer
from cqlsurge.load.compiled.statement import Lowered, request_pieces
from cqlsurge.load.compiled.step import Steps, tuple_text
from cqlsurge.load.cql.template import TIMESTAMP_BYTES
from cqlsurge.load.routing import murmur3_intop

if TYPE_CHECKING:
    from cqlsurge.load.compiled.clock import Clock

GIVEN = {
    **SCALAR_NAMES,
    "memcpy": memcpy,
    "memcmp": memory.memcmp,
    "swap1": memory.swap1,
    "swap2": memory.swap2,
    "swap4": memory.swap4,
    "swap8": memory.swap8,
    "swap_float4": memory.swap_float4,
    "swap_float8": memory.swap_float8,
    "token": murmur3_intop.token,
    "token_of_halves": murmur3_intop.token_of_halves,
    "absorb": murmur3_intop.absorb,
    "finish": murmur3_intop.finish,
    "zeros": (0, 0),
}
_POOLS: dict[int, tuple[bytes, Any]] = {}


def pool_memory(pool: bytes) -> Any:
    """A pool's copy outside of the heap; one for each."""
    return _POOLS.setdefault(id(pool), (pool, block(pool)))[1]


class ArenaTemplate(Template):
    """s0, s1 ... are its fixed segments, z0, z1 ... their sizes, p0, p1 ... where their holes are filled."""

    def __init__(self, made: Sequence[Segment], size: int, clock: Clock, stamped: bool) -> None:
        holes = 0
        for index, segment in enumerate(made):
            if isinstance(segment, Fixed):
                place = block(segment.bytes)
                setattr(self, f"s{index}", place)
                setattr(self, f"z{index}", len(segment.bytes))
                for offset, hole in segment.holes:
                    setattr(self, f"p{holes}", pointer(place, offset, hole.format))
                    holes += 1
        self.size, self.clock = size, clock
        self.stamped_ns = -1
        if stamped:
            last = made[-1]
            assert isinstance(last, Fixed)
            self.timestamp = pointer(place, len(last.bytes) - TIMESTAMP_BYTES, "q")

    def stamp(self, due_ns: int) -> None:
        """Writes the timestamp of a due time into the end of the frame; operations of a batch often share it."""
        self.stamped_ns = due_ns
        self.timestamp[0] = memory.swap8(self.clock.timestamp_us(due_ns))


def stored(graph: Graph, hole: Hole) -> Node:
    """What is stored in a hole: the word of its bytes as they lie in memory."""
    return hole.node if hole.format == "W" else graph.swapped(hole.node, hole.size)


def shown(graph: Graph, made: Sequence[Segment]) -> list[Node]:
    """The nodes that segments show, each as often as code asks for it."""
    nodes: list[Node] = []
    for segment in made:
        if isinstance(segment, Fixed):
            nodes += [stored(graph, hole) for _, hole in segment.holes]
        elif isinstance(segment, Slice):
            nodes += [segment.offset, segment.length, segment.length]
        else:
            nodes += [segment.node, segment.node, graph.size(segment.node), graph.size(segment.node)]
    return nodes


class ArenaProgram(Program):
    """A workload for connections with arenas."""

    dialect = MACHINE
    memory = staticmethod(memory.of_bytes)

    def __init__(self, lowered: Lowered) -> None:
        super().__init__(lowered, {**GIVEN, "Template": ArenaTemplate})

    def _shown(self, pieces: Sequence[Piece]) -> list[Node]:
        return shown(self.lowered.graph, segments(pieces))

    def _steps(self) -> Steps:
        graph, statements = self.lowered.graph, self.lowered.statements
        words = [key_words(graph, each.key) for each in statements]
        sizes = [fixed_size(each.key) for each in statements]
        parts = [parts_of(graph, segments(each.key)) for each in statements]

        def write(writer: Writer, index: int) -> str:
            known = words[index]
            if known is not None:
                return write_token(writer, known, sizes[index] or 0)
            return f"token({bytes_text(part_texts(writer, parts[index], repr))})"

        tokens = [part_nodes(parts[index]) if known is None else known for index, known in enumerate(words)]
        return Steps(self.lowered, MACHINE, self.names, self._wanted(), tokens, write)

    def _template_lines(self, index: int, id_bytes: int) -> list[str]:
        graph, statement, row = self.lowered.graph, self.lowered.statements[index], self.rows[index]
        pieces = request_pieces(graph, statement, bytes(id_bytes))
        made = segments(pieces)
        size = size_of(graph, pieces)
        writer = self._writer(row, 2)
        writer.expect([*shown(graph, made), size, size])
        lines = [f"class Template{index}(Template):", "    def emit(self, conn, sid, row, due_ns):"]
        if row:
            lines.append(f"        {tuple_text([f'n{node.index}' for node in row])} = row")
        total = "self.size" if size.constant else writer.named(size)
        line = writer.line
        line(f"if conn.used + {total} > conn.capacity:")
        line(f"    conn.reserve({total})")
        line("used, arena, head = conn.used, conn.arena, self.s0")
        line("head[2] = sid >> 8")
        line("head[3] = sid & 255")
        holes = 0
        for at, segment in enumerate(made):
            last = at == len(made) - 1
            if isinstance(segment, Fixed):
                for _, hole in segment.holes:
                    line(f"self.p{holes}[0] = {writer.value(stored(graph, hole))}")
                    holes += 1
                if last and statement.kind.timestamp:
                    line("if due_ns != self.stamped_ns:")
                    line("    self.stamp(due_ns)")
                source, count = f"self.s{at}", f"self.z{at}"
            else:
                source, count = self._source(writer, segment)
            line(f"memcpy(arena + used, {source}, {count})")
            line(f"conn.used = used + {count}" if last else f"used += {count}")
        return lines + writer.lines

    def _source(self, writer: Writer, segment: Slice | Data) -> tuple[str, str]:
        """(where the bytes of a segment lie, how many they are)."""
        if isinstance(segment, Data):
            return writer.value(segment.node), writer.value(self.lowered.graph.size(segment.node))
        pool = self.names.name(pool_memory(segment.pool), "pool")
        return f"{pool} + {writer.value(segment.offset)}", writer.value(segment.length)

    def _accept_lines(self, index: int, pieces: Sequence[Piece]) -> list[str]:
        graph = self.lowered.graph
        made = segments(pieces)
        size = size_of(graph, pieces)
        writer = self._writer([], 1)
        writer.known[graph.number] = "number"
        writer.expect([*shown(graph, made), size])
        line = writer.line
        line(f"if past - body != {COLUMNS_AT} + {writer.value(size)}:")
        line(f"    return {WRONG}")
        line(f"at = data + body + {COLUMNS_AT}")
        for segment in made:
            if isinstance(segment, Fixed):
                wanted = block(segment.bytes)
                source, count = self.names.name(wanted, "wanted"), str(len(segment.bytes))
                for offset, hole in segment.holes:
                    place = self.names.name(pointer(wanted, offset, hole.format), "hole")
                    line(f"{place}[0] = {writer.value(stored(graph, hole))}")
            else:
                source, count = self._source(writer, segment)
            line(f"if memcmp(at, {source}, {count}):")
            line(f"    return {WRONG}")
            line(f"at += {count}")
        writer.lines.pop()
        line("return 1")
        return [f"def accept{index}(data, body, past, number):", *writer.lines]

    def _answer_lines(self, index: int, pieces: Sequence[Piece]) -> list[str]:
        return answer_lines(self._writer([], 1), self.lowered.graph, index, pieces)

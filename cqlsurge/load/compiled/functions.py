"""Scalar functions of their own, generated: for what has no fixed number of parts, such as the elements of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cqlsurge.load.compiled.dialects import MACHINE, PLAIN, SCALAR_NAMES
from cqlsurge.load.compiled.graph import Graph, Node
from cqlsurge.load.compiled.layout import Piece, nodes_of, segments
from cqlsurge.load.compiled.parts import bytes_text, part_nodes, part_texts, parts_of
from cqlsurge.load.compiled.scope import Scope
from cqlsurge.load.compiled.source import Names, Writer
from cqlsurge.load.workload.mixing import INTOP

_DIALECT = MACHINE if INTOP else PLAIN


@dataclass(frozen=True)
class Repeated:
    """What a loop gives: `count` times the pieces, `index` being the element's index in them.

    key: what tells elements apart and orders them, where each is to be there once: pieces, or an INT node.
    """

    count: Node
    index: Node
    pieces: Sequence[Piece]
    key: Sequence[Piece] | Node | None = None


class Functions:
    """Makes functions of a scope's nodes that give bytes objects; `source` is all their code."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._names = Names({**SCALAR_NAMES, "to_bytes": _int_bytes})
        self._made = 0
        self.source = ""

    def joined(self, at: Scope, pieces: Sequence[Piece], present: Node | None, absent: bytes) -> Node:
        """DATA: the pieces, or `absent` where the BOOL `present` is not so."""
        writer, params = self._writer(at)
        parts = parts_of(self._graph, segments(pieces))
        if present is not None:
            writer.expect([present])
            writer.line(f"if not {writer.value(present)}:")
            writer.line(f"    return {absent!r}")
        writer.expect(part_nodes(parts))
        text = bytes_text(part_texts(writer, parts, repr))
        writer.line(f"return {text}")
        return self._node(params, writer)

    def repeated(self, at: Scope, loop: Repeated, counted: bool = True) -> Node:
        """DATA: the loop's pieces, behind their number as CQL's [int] where `counted`."""
        writer, params = self._writer(at)
        writer.expect([loop.count])
        writer.line(f"count = {writer.value(loop.count)}")
        writer.line("found = []" if loop.key is None else "found = {}")
        for node in steady(loop):
            writer.expect([node])
            writer.named(node)
        writer.line(f"for e{loop.index.index} in range(count):")
        parts = parts_of(self._graph, segments(loop.pieces))
        inner = writer.branch()
        inner.known[loop.index] = f"e{loop.index.index}"
        if loop.key is None:
            inner.expect(part_nodes(parts))
            inner.line(f"found.append({bytes_text(part_texts(inner, parts, repr))})")
        else:
            self._keyed(inner, loop, parts)
        writer.lines += inner.lines
        if loop.key is not None:
            writer.line("found = [found[key] for key in sorted(found)]")
        head = "to_bytes(len(found)) + " if counted else ""
        writer.line(f"return {head}b''.join(found)")
        return self._node(params, writer)

    def _keyed(self, inner: Writer, loop: Repeated, parts: Sequence[Any]) -> None:
        if isinstance(loop.key, Node):
            inner.expect([loop.key, *part_nodes(parts)])
            inner.line(f"key = {inner.value(loop.key)}")
        else:
            key = parts_of(self._graph, segments(loop.key or ()))
            inner.expect([*part_nodes(key), *part_nodes(parts)])
            inner.line(f"key = {bytes_text(part_texts(inner, key, repr))}")
        inner.line("if key not in found:")
        deeper = inner.branch()
        deeper.line(f"found[key] = {bytes_text(part_texts(deeper, parts, repr))}")
        inner.lines += deeper.lines

    def _writer(self, at: Scope) -> tuple[Writer, list[tuple[Node, str]]]:
        names = ["p", "r", "v", "o", *[f"e{element.index}" for element in at.elements]]
        params = [(node, name) for node, name in zip(at.nodes(), names) if not node.constant]
        return Writer(_DIALECT, self._names, dict(params)), params

    def _node(self, params: list[tuple[Node, str]], writer: Writer) -> Node:
        self._made += 1
        name = f"make{self._made}"
        head = f"def {name}({', '.join(dict.fromkeys(name for _, name in params))}):"
        text = "\n".join([head, *writer.lines])
        self.source += text + "\n\n"
        exec(compile(text, "<workload>", "exec"), self._names.values)
        return self._graph.call(self._names.values[name], *[node for node, _ in params])


def steady(loop: Repeated) -> list[Node]:
    """What is the same for all elements: the largest nodes that the index has no part in, in the order of making."""
    roots = nodes_of(loop.pieces)
    if loop.key is not None:
        roots += [loop.key] if isinstance(loop.key, Node) else nodes_of(loop.key)
    moving: dict[Node, bool] = {}

    def moves(node: Node) -> bool:
        if node not in moving:
            moving[node] = node is loop.index or any(moves(arg) for arg in node.args if isinstance(arg, Node))
        return moving[node]

    found: dict[int, Node] = {}

    def visit(node: Node) -> None:
        for arg in node.args:
            if isinstance(arg, Node):
                if moves(arg):
                    visit(arg)
                elif not arg.constant:
                    found[arg.index] = arg

    for root in roots:
        if moves(root):
            visit(root)
        elif not root.constant:
            found[root.index] = root
    return [found[index] for index in sorted(found)]


def _int_bytes(count: int) -> bytes:
    return count.to_bytes(4, "big")

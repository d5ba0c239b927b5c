"""Where an expression stands: the nodes of partition, row, version and ordinal, and of the elements around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cqlsurge.load.compiled.graph import Graph, Node


class Unsupported(Exception):
    """There is no graph for this: the plain interpreter has to be asked."""


@dataclass(frozen=True)
class Scope:
    """INT nodes; `elements` are the indexes of the collections' elements around, outermost first."""

    p: Node
    r: Node
    v: Node
    o: Node
    elements: tuple[Node, ...] = ()

    def inside(self, index: Node) -> Scope:
        """The scope of an element."""
        return replace(self, elements=(*self.elements, index))

    def nodes(self) -> list[Node]:
        """All of them, in the order in which the plain interpreter's functions take them."""
        return [self.p, self.r, self.v, self.o, *self.elements]


def origin(graph: Graph) -> Scope:
    """All zero."""
    zero = graph.constant(0)
    return Scope(zero, zero, zero, zero)

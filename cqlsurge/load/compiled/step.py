"""Writes `step`: from an operation's number to its kind, the values that its frame needs, and its token.

What a statement's token and frame have in common is handed from `step` to `emit` in a tuple, the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from cqlsurge.load.compiled.dialects import Dialect
from cqlsurge.load.compiled.graph import Node
from cqlsurge.load.compiled.source import Names, Writer
from cqlsurge.load.compiled.statement import Lowered

#: writes what makes a statement's token, given its index; gives the expression of the token
WriteToken = Callable[[Writer, int], str]


class Steps:
    """The steps of a workload in one dialect. `rows[k]` are the nodes in the tuple that belongs to statement k.

    wanted: for each statement, the nodes that its frame shows; tokens: those that its token is made of.
    """

    def __init__(
        self,
        lowered: Lowered,
        dialect: Dialect,
        names: Names,
        wanted: Sequence[Sequence[Node]],
        tokens: Sequence[Sequence[Node]],
        write_token: WriteToken,
    ) -> None:
        self._lowered, self._dialect, self._names = lowered, dialect, names
        self._wanted, self._tokens, self._write_token = wanted, tokens, write_token
        self.rows: list[list[Node]] = [[] for _ in lowered.statements]
        self.lines = self._function("step", self._with_token)
        self.lines += ["", *self._function("step_anywhere", self._without_token)]

    def _function(self, name: str, leaf: Callable[[Writer, int], None]) -> list[str]:
        writer = Writer(self._dialect, self._names, {self._lowered.graph.number: "number"})
        lines = [f"def {name}(number):"]
        kind = self._lowered.kind
        writer.expect([kind])
        if kind.constant:
            for index in range(len(self._lowered.statements)):
                if index != kind.args[0]:  # for its row only: it is never drawn
                    leaf(writer.branch(), index)
            leaf(writer, kind.args[0])
            return lines + writer.lines
        text = writer.named(kind)
        self._branches(writer, text, 0, len(self._lowered.statements), leaf)
        return lines + writer.lines

    def _branches(self, writer: Writer, kind: str, low: int, past: int, leaf: Callable[[Writer, int], None]) -> None:
        """A tree of ifs down to one statement out of low to past - 1."""
        if past - low == 1:
            leaf(writer, low)
            return
        middle = (low + past) // 2
        for head, part in ((f"if {kind} < {middle}:", (low, middle)), ("else:", (middle, past))):
            writer.line(head)
            deeper = writer.branch()
            self._branches(deeper, kind, *part, leaf)
            writer.lines += deeper.lines

    def _with_token(self, writer: Writer, index: int) -> None:
        writer.expect([*self._tokens[index], *self._wanted[index]])
        token = self._write_token(writer, index)
        self.rows[index] = frontier(self._wanted[index], writer.known)
        writer.line(f"return {index}, {self._tuple(writer, index)}, {token}")

    def _without_token(self, writer: Writer, index: int) -> None:
        writer.expect([*self.rows[index], *self._wanted[index]])
        for node in self.rows[index]:
            writer.named(node)
        writer.line(f"return {index}, {self._tuple(writer, index)}, 0")

    def _tuple(self, writer: Writer, index: int) -> str:
        return tuple_text([writer.known[node] for node in self.rows[index]])


def tuple_text(names: Sequence[str]) -> str:
    """A tuple of these expressions."""
    return "(" + ", ".join(names) + ("," if len(names) == 1 else "") + ")"


def frontier(wanted: Sequence[Node], known: dict[Node, str]) -> list[Node]:
    """The known nodes from which all wanted ones can be made, in the order of their making."""
    found: set[Node] = set()
    stack, seen = list(wanted), set()
    while stack:
        node = stack.pop()
        if node in seen or node.constant:
            continue
        seen.add(node)
        if node in known:
            found.add(node)
        else:
            stack += [arg for arg in node.args if isinstance(arg, Node)]
    return sorted(found, key=lambda node: node.index)

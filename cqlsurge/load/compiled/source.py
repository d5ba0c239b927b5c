"""Nodes to lines of Python: what is used once stands where it is used, what is used more often gets a name."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from cqlsurge.load.compiled.dialects import Dialect
from cqlsurge.load.compiled.graph import Node
from cqlsurge.load.compiled.tables import Guide, Table

STEP = "    "


class Names:
    """Objects that generated code refers to by name: tables, functions, pools, structs."""

    def __init__(self, given: dict[str, Any] | None = None) -> None:
        # A module's names, since PyPy looks those up when it compiles, and those of other dicts each time.
        self.values: dict[str, Any] = ModuleType("workload").__dict__
        self.values.update(given or {})
        self._known: dict[int, str] = {}

    def name(self, value: Any, stem: str) -> str:
        """The name of an object, from now on."""
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = f"{stem}_{len(self._known)}"
            self.values[name] = value
        return name

    def table(self, table: Table) -> str:
        """The name of a table's values."""
        return self.name(table.values, "table")


class Writer:
    """Writes one function. `known` are nodes that have a name there already."""

    def __init__(self, dialect: Dialect, names: Names, known: dict[Node, str], indent: int = 1) -> None:
        self.dialect, self.names = dialect, names
        self.known = dict(known)
        self.lines: list[str] = []
        self.indent = indent
        self._uses: dict[Node, int] = {}

    def line(self, text: str) -> None:
        """Adds a line at the present depth."""
        self.lines.append(STEP * self.indent + text)

    def branch(self) -> Writer:
        """A writer one level deeper that knows what this one knows by now; its lines are to be added by the caller."""
        deeper = Writer(self.dialect, self.names, self.known, self.indent + 1)
        deeper._uses = dict(self._uses)
        return deeper

    def expect(self, roots: Iterable[Node]) -> None:
        """Says which nodes will be asked for, each as often as it is listed, so that uses can be counted."""
        stack = list(roots)
        while stack:
            node = stack.pop()
            self._uses[node] = self._uses.get(node, 0) + 1
            if self._uses[node] == 1 and node not in self.known:
                stack += [arg for arg in node.args if isinstance(arg, Node)]

    def value(self, node: Node) -> str:
        """An expression for a node; lines that it needs are written before."""
        if node.constant:
            return self.dialect.constant(node)
        known = self.known.get(node)
        if known is not None:
            return known
        text = self._text(node)
        if self._uses.get(node, 0) < 2:
            return text
        return self.keep(node, text)

    def named(self, node: Node) -> str:
        """As `value`, but a name or a constant."""
        if node.constant or node in self.known:
            return self.value(node)
        return self.keep(node, self._text(node))

    def keep(self, node: Node, text: str) -> str:
        """Gives a node's value a name."""
        name = self.known[node] = f"n{node.index}"
        if text != name:
            self.line(f"{name} = {text}")
        return name

    def _text(self, node: Node) -> str:
        if node.op == "bisect" and self.dialect.guided:
            return self._guided(node, node.args[0].guide(node.args[1].high))
        args = [self._argument(node, arg) for arg in node.args]
        if not self.dialect.mixes(node.op):
            return self._form(node).format(*args, rest=", ".join(args[1:]))
        name = f"n{node.index}"
        for line in self.dialect.mix[:-1]:
            self.line(line.format(*args, z=name))
        self.known[node] = name
        self.line(f"{name} = " + self.dialect.mix[-1].format(z=name))
        return name

    def _guided(self, node: Node, guide: Guide) -> str:
        """Lines that search a table from where a guide says; gives the name of the place."""
        value, name = self.named(node.args[1]), f"n{node.index}"
        following = self.names.name(node.args[0].following, "table")
        self.line(f"{name} = {self.names.name(guide.places, 'guide')}[{value} >> {guide.shift}]")
        self.line(f"if {following}[{name}] <= {value}:")
        self.line(f"    {name} += 1")
        self.line(f"    if {following}[{name}] <= {value}:")
        self.line(f"        {name} = bisect_right({following}, {value})")
        self.known[node] = name
        return name

    def _form(self, node: Node) -> str:
        """The text of an operation; some dialects have a quicker one for what is never negative."""
        unsigned = self.dialect.texts.get(node.op + "_unsigned")
        if unsigned is not None and node.args[0].low >= 0 and node.args[1].constant:
            return unsigned
        return self.dialect.texts[node.op]

    def _argument(self, node: Node, arg: Any) -> str:
        if isinstance(arg, Node):
            return self.value(arg)
        if isinstance(arg, int):
            if node.op in ("and", "or", "xor", "times"):
                constant = Node(-1, "constant", (arg,), node.type, 0, 0)
                return self.dialect.constant(constant)
            return str(arg)
        return self.names.table(arg) if isinstance(arg, Table) else self.names.name(arg, "f")

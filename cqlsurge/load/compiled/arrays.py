"""The same graph over numpy arrays: what thousands of operations are made of at once.

Importing it raises ImportError where numpy is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np

from cqlsurge.load.compiled.dialects import ARRAYS
from cqlsurge.load.compiled.graph import MASK, Graph, Node
from cqlsurge.load.compiled.keys import key_words, write_token
from cqlsurge.load.compiled.layout import Slice, fixed_size, nodes_of, segments
from cqlsurge.load.compiled.matrices import Columns
from cqlsurge.load.compiled.parts import Part, PartsProgram, parts_of
from cqlsurge.load.compiled.program import ID_BYTES
from cqlsurge.load.compiled.source import Names, Writer
from cqlsurge.load.compiled.statement import Lowered, answer_pieces, request_pieces
from cqlsurge.load.compiled.step import tuple_text
from cqlsurge.load.compiled.tables import Table
from cqlsurge.load.routing import murmur3, murmur3_numpy

Array = Any  # numpy.ndarray, or a list of bytes objects for DATA


def words(values: Array) -> Array:
    """The same 64 bits as uint64, of int64 numbers or a plain int."""
    return np.uint64(values & MASK) if isinstance(values, int) else values.view(np.uint64)


def called(function: Callable[..., Any], number: Array, *args: Any) -> Any:
    """A function's values, one for each operation: by its form for arrays where it has one, else one by one."""
    whole = getattr(function, "arrays", None)
    if whole is not None:
        return whole(*args)
    columns = [_listed(arg, len(number)) for arg in args]
    return [function(*row) for row in zip(*columns)]


def _listed(arg: Any, count: int) -> list[Any]:
    if isinstance(arg, list):
        return arg
    listed: list[Any] = arg.tolist() if isinstance(arg, np.ndarray) else [arg] * count
    return listed


def sizes(data: Sequence[bytes]) -> Array:
    """The lengths of many bytes objects, int64."""
    return np.array([len(each) for each in data], np.int64)


def swapped(values: Array, size: int) -> Array:
    """uint64: the bytes of each value, big-endian, in the lowest places; a negative size is that of floats."""
    if size < 0:
        return values.astype(f">f{-size}").view(f"<u{-size}").astype(np.uint64)
    if values.dtype == np.uint64:
        return values.byteswap()
    return values.astype(f">i{size}").view(f"<u{size}").astype(np.uint64)


GIVEN: dict[str, Any] = {
    "U": np.uint64,
    "I": np.int64,
    "F": np.float64,
    "where": np.where,
    "array": np.array,
    "searched": lambda table, values: np.searchsorted(table, values, side="right"),
    "words": words,
    "called": called,
    "sizes": sizes,
    "swapped": swapped,
    "absorb": murmur3_numpy.absorb,
    "finish": murmur3_numpy.finish,
    "token_of_halves": murmur3_numpy.tokens_of_halves,
    "zeros": (np.zeros(1, np.uint64), np.zeros(1, np.uint64)),
    "tokens": lambda keys: np.array([murmur3.token(key) for key in keys], np.int64),
}


class ArrayNames(Names):
    """Tables as arrays."""

    def table(self, table: Table) -> str:
        """The name of a table's values."""
        name = self._tables.get(id(table))
        if name is None:
            values = np.array(table.values, np.float64 if table.floats else np.int64)
            name = self._tables[id(table)] = self.name(values, "table")
        return name

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given)
        self._tables: dict[int, str] = {}


class ArrayProgram(PartsProgram):
    """A workload for connections that take matrices of frames; one by one it makes parts.

    Functions take int64 numbers. `kinds` gives int64 kinds. Of each statement, `frames` give the token and what the
    frames show, `frames_anywhere` only the latter, `singles` what `step` gives in a row, `checks` what answers show.
    """

    def __init__(self, lowered: Lowered) -> None:
        super().__init__(lowered)
        self.array_names = ArrayNames(GIVEN)
        self._kind = lowered.kind.args[0] if lowered.kind.constant else None
        self._kinds = self._function("kinds", [lowered.kind])
        statements = range(len(self.kinds))
        self.shown = [nodes_of(request_pieces(lowered.graph, each, bytes(ID_BYTES))) for each in lowered.statements]
        self.shown = [[node for node in dict.fromkeys(nodes) if not node.constant] for nodes in self.shown]
        self.frames = [self._function(f"frames{k}", self.shown[k], token=k) for k in statements]
        self.frames_anywhere = [self._function(f"frames{k}_anywhere", self.shown[k]) for k in statements]
        self.singles = [self._function(f"singles{k}", self.rows[k]) for k in statements]

    def kinds_of(self, numbers: Array) -> Array:
        """int64 kinds."""
        if self._kind is not None:
            return np.full(len(numbers), self._kind, np.int64)
        kinds: Array = self._kinds(numbers)[0]
        return kinds

    def answer_columns(self, index: int) -> Callable[[Array], Columns] | None:
        """From numbers to what a statement's answers show, by node; None where any answer will do."""
        pieces = answer_pieces(self.lowered.statements[index])
        if pieces is None:
            return None
        nodes = [node for node in dict.fromkeys(nodes_of(pieces)) if not node.constant]
        function = self._function(f"answers{index}", nodes)
        return lambda numbers: dict(zip(nodes, function(numbers)))

    def _function(self, name: str, nodes: Sequence[Node], token: int = -1) -> Any:
        """A function from numbers to the nodes' columns, with the tokens of a statement's keys before them."""
        writer = Writer(ARRAYS, self.array_names, {self.lowered.graph.number: "number"})
        words, whole = self._key(token) if token >= 0 else ([], None)
        writer.expect([*nodes, *words, *([] if whole is None else [whole])])
        texts = []
        if token >= 0 and not words and whole is None:
            texts.append("0")
        elif words and all(word.constant for word in words):
            key = b"".join([word.args[0].to_bytes(8, "little") for word in words])
            texts.append(str(murmur3.token(key[: fixed_size(self.lowered.statements[token].key)])))
        elif words:
            texts.append(write_token(writer, words, fixed_size(self.lowered.statements[token].key) or 0))
        elif whole is not None:
            texts.append(f"tokens({writer.value(whole)})")
        texts += [writer.value(node) for node in nodes]
        text = "\n".join([f"def {name}(number):", *writer.lines, f"    return {tuple_text(texts)}"])
        self.source += text + "\n\n"
        exec(compile(text, "<workload>", "exec"), self.array_names.values)
        return self.array_names.values[name]

    def _key(self, index: int) -> tuple[list[Node], Node | None]:
        """A statement's key as words, or where its size is not fixed as DATA."""
        graph, key = self.lowered.graph, self.lowered.statements[index].key
        words = key_words(graph, key)
        return (words, None) if words is not None else ([], assembled(graph, parts_of(graph, segments(key))))


def assembled(graph: Graph, parts: Sequence[Part]) -> Node:
    """DATA: the parts joined."""
    nodes: list[Node] = []
    for part in parts:
        if isinstance(part, Node):
            nodes.append(part)
        elif isinstance(part, Slice):
            nodes += [part.offset, part.length]

    def join(*values: Any) -> bytes:
        given = iter(values)
        made = []
        for part in parts:
            if isinstance(part, bytes):
                made.append(part)
            elif isinstance(part, Node):
                made.append(next(given))
            else:
                offset = next(given)
                made.append(part.pool[offset : offset + next(given)])
        return b"".join(made)

    return graph.call(join, *nodes)

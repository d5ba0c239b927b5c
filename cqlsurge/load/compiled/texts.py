"""Texts and blobs as pieces: slices of pools, words of vocabularies, numbers written out."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.compiled.expressions import Numbers
from cqlsurge.load.compiled.graph import INT, Graph, Node, bounded
from cqlsurge.load.compiled.layout import Data, Hole, Piece, Slice
from cqlsurge.load.compiled.scope import Scope, Unsupported
from cqlsurge.load.compiled.tables import Table
from cqlsurge.load.workload.generators import LEAST_TAGGED
from cqlsurge.load.workload.mixing import MASK
from cqlsurge.load.workload.pools import POOL_OFFSETS, pool
from cqlsurge.load.workload.vocabulary import PHRASE_WORDS, VOCABULARIES, phrase_words, vocabulary_word

if TYPE_CHECKING:
    from cqlsurge.load.workload.expressions import Expr

TAG_BYTES, TAG_DIGITS = 8, 16
#: vocabularies of more words are not listed
MOST_WORDS = 1 << 16

Pieces = list[Piece]


@functools.lru_cache(maxsize=8)
def _pool(seed: int, alphabet: str, size: int) -> bytes:
    return pool(seed, alphabet, size)


@functools.lru_cache(maxsize=4)
def _phrases(seed: int, vocabulary: str, most: int) -> tuple[bytes, Table, Table]:
    """(words with spaces between them, where each begins, where each ends); the first `most` come again at the end."""
    words = [word.encode() for word in phrase_words(seed, vocabulary)]
    words += words[:most]
    starts, ends, at = [], [], 0
    for word in words:
        starts.append(at)
        ends.append(at + len(word))
        at += len(word) + 1
    return b" ".join(words), Table(starts), Table(ends)


def pieces_of_text(made: Numbers, expr: Expr, at: Scope) -> Pieces:
    """The bytes of a text or blob. Raises Unsupported."""
    make = _TEXTS.get(expr.op)
    if make is None:
        raise Unsupported(expr.op)
    return make(made, expr, at)


def not_negative(graph: Graph, value: Node) -> Node:
    """0 for what is below it."""
    return value if value.low >= 0 else graph.choose(graph.less(value, 0), 0, value)


def _sliced(made: Numbers, alphabet: str, word: Node, size: Node) -> Slice:
    room = max(1 << 12, 1 << (max(size.high, 1) - 1).bit_length())
    if room > 1 << 28:
        raise Unsupported("a size without bound")
    text = _pool(made.run.seed, alphabet, POOL_OFFSETS + room)
    return Slice(text, made.graph.place(word, 20, POOL_OFFSETS), size)


def tag_of(made: Numbers, stream: str, at: Scope) -> Node:
    """The WORD that marks a row's version, without the version."""
    return made.graph.mix(made.graph.mix(made.stream(stream), at.p), at.r)


def _tagged(made: Numbers, expr: Expr, at: Scope, size: Node, text: bool) -> tuple[Pieces, int]:
    """(the tag's piece, its bytes), or ([], 0) where there is none."""
    stream = expr.data[1]
    if not stream or size.high < LEAST_TAGGED:
        return [], 0
    if size.low < LEAST_TAGGED:
        raise Unsupported("a tag that is there or not")
    tag = made.graph.plus(tag_of(made, stream, at), made.graph.as_word(at.v))
    if text:
        return [Data(made.graph.call(_digits, tag))], TAG_DIGITS
    return [Hole("Q", tag)], TAG_BYTES


def _digits(word: int) -> bytes:
    return b"%016x" % (word & MASK)


def _drawn(text: bool) -> Callable[[Numbers, Expr, Scope], Pieces]:
    def make(made: Numbers, expr: Expr, at: Scope) -> Pieces:
        word, size = made.node(expr.args[0], at), not_negative(made.graph, made.whole(expr.args[1], at))
        tag, taken = _tagged(made, expr, at, size, text)
        return [*tag, _sliced(made, expr.data[0], word, made.graph.subtract(size, taken))]

    return make


def _phrase(made: Numbers, expr: Expr, at: Scope) -> Pieces:
    graph = made.graph
    count = not_negative(graph, made.whole(expr.args[1], at))
    if count.high > 1 << 12:
        raise Unsupported("a phrase without bound")
    text, starts, ends = _phrases(made.run.seed, expr.data, 1 << max(6, count.high.bit_length()))
    first = graph.place(made.node(expr.args[0], at), 20, PHRASE_WORDS)
    begin = graph.entry(starts, first)
    last = graph.add(first, graph.subtract(count, 1))
    if count.low < 1:
        last = graph.choose(graph.less(last, 0), 0, last)
    length = graph.subtract(graph.entry(ends, last), begin)
    length = bounded(length, 0, len(text))
    if count.low < 1:
        length = graph.choose(graph.less(count, 1), 0, length)
    return [Slice(text, begin, length)]


def listed(graph: Graph, words: Sequence[bytes], index: Node) -> Slice:
    """One of several texts."""
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word)
    lengths = Table([len(word) for word in words])
    length = graph.constant(lengths.low) if lengths.low == lengths.high else graph.entry(lengths, index)
    return Slice(b"".join(words), graph.entry(Table(starts), index), length)


@functools.lru_cache(maxsize=64)
def _vocabulary_words(vocabulary: str, count: int) -> tuple[bytes, ...]:
    return tuple([vocabulary_word(vocabulary, index).encode() for index in range(count)])


def _vocabulary(made: Numbers, expr: Expr, at: Scope) -> Pieces:
    graph = made.graph
    index = not_negative(graph, made.whole(expr.args[0], at))
    known = VOCABULARIES.get(expr.data)
    if known is not None:
        index = graph.modulo(index, len(known))
        return [listed(graph, [word.encode() for word in known], index)]
    if index.high < MOST_WORDS:
        return [listed(graph, _vocabulary_words(expr.data, index.high + 1), index)]
    vocabulary = expr.data
    return [Data(graph.call(lambda number: vocabulary_word(vocabulary, number).encode(), index))]


def _string(made: Numbers, expr: Expr, at: Scope) -> Pieces:
    value = made.number(expr.args[0], at)
    if value.type != INT:
        raise Unsupported("a float as text")
    if value.constant:
        return [_written(expr.data)(value.args[0])]
    return [Data(made.graph.call(_written(expr.data), value))]


@functools.lru_cache(maxsize=64)
def _written(form: str) -> Callable[[int], bytes]:
    if form.endswith("x"):
        return lambda value: format(value & MASK, form).encode()
    if form:
        return lambda value: format(value, form).encode()
    return lambda value: b"%d" % value


def _concat(made: Numbers, expr: Expr, at: Scope) -> Pieces:
    return [piece for arg in expr.args for piece in pieces_of_text(made, arg, at)]


def constant_bytes(expr: Expr) -> bytes:
    """A constant text or blob. Raises Unsupported."""
    if expr.op != "const" or not isinstance(expr.data, str) or expr.kind not in ("text", "bytes"):
        raise Unsupported("no constant text")
    return bytes.fromhex(expr.data) if expr.kind == "bytes" else expr.data.encode()


def _choice(made: Numbers, expr: Expr, at: Scope) -> Pieces:
    words = [constant_bytes(arg) for arg in expr.args[1:]]
    index = made.whole(expr.args[0], at)
    if index.low < 0 or index.high >= len(words):
        raise Unsupported("a choice beyond its options")
    return [listed(made.graph, words, index)]


_TEXTS: dict[str, Callable[[Numbers, Any, Scope], Pieces]] = {
    "const": lambda made, expr, at: [constant_bytes(expr)],
    "blob": _drawn(False),
    "text": _drawn(True),
    "phrase": _phrase,
    "vocabulary": _vocabulary,
    "string": _string,
    "concat": _concat,
    "choice": _choice,
}

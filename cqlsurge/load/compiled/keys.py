"""Tokens of keys of fixed size as part of the graph: the key's bytes as little-endian words, hashed 16 at a time."""

from __future__ import annotations

from collections.abc import Sequence

from cqlsurge.load.compiled.graph import Graph, Node
from cqlsurge.load.compiled.layout import Hole, Piece, fixed_size
from cqlsurge.load.compiled.source import Writer

WORD_BYTES = 8


def key_words(graph: Graph, key: Sequence[Piece]) -> list[Node] | None:
    """The words of a key, the last ones filled up with zeros; None where its size is not fixed."""
    size = fixed_size(key)
    if size is None or not all(isinstance(piece, (bytes, Hole)) for piece in key):
        return None
    constants = [0] * ((size + 15) // 16 * 2)
    words: list[Node | None] = [None] * len(constants)

    def put(index: int, word: Node) -> None:
        have = words[index]
        words[index] = word if have is None else graph.join(have, word)

    at = 0
    for piece in key:
        if isinstance(piece, bytes):
            for byte in piece:
                constants[at // WORD_BYTES] |= byte << at % WORD_BYTES * 8
                at += 1
            continue
        assert isinstance(piece, Hole)
        word = piece.node if piece.format == "W" else graph.swapped(piece.node, piece.size)
        index, inside = divmod(at, WORD_BYTES)
        put(index, graph.left(word, inside * 8))
        if inside + piece.size > WORD_BYTES:
            put(index + 1, graph.right(word, (WORD_BYTES - inside) * 8))
        at += piece.size
    return [
        graph.word(constant) if word is None else (graph.bits("or", word, constant) if constant else word)
        for word, constant in zip(words, constants)
    ]


def write_token(writer: Writer, words: Sequence[Node], size: int) -> str:
    """The expression of the token of a key of so many bytes; the names that it uses are `absorb`, `finish`, `zeros`."""
    texts = [writer.value(word) for word in words]
    if size == 2 * WORD_BYTES:
        return f"token_of_halves({texts[0]}, {texts[1]})"
    state = "zeros"
    for at in range(0, size // 16 * 2, 2):
        state = f"absorb({state}, {texts[at]}, {texts[at + 1]})"
    tail = texts[size // 16 * 2 :] or [writer.dialect.word.format(0)] * 2
    return f"finish({state}, {tail[0]}, {tail[1]}, {size})"

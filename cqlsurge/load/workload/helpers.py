"""What helper functions of a workload may use: words that depend on what they are given, and on nothing else."""

from __future__ import annotations

import hashlib


def words64(*parts: object) -> list[int]:
    """`words64(name, number, ..., count)`: `count` unsigned 64-bit words that depend on all that stands before it."""
    *before, count = parts
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ValueError("words64(name, number, ..., count): the last is how many words")
    text = "/".join([f"{type(part).__name__}:{part}" for part in before]).encode()
    data = hashlib.shake_128(text).digest(8 * count)
    return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]


class Words:
    """A private stream of words, for the functions of columns that are written in Python."""

    def __init__(self, *parts: object) -> None:
        self._parts = parts
        self._taken = 0

    def word(self) -> int:
        """The next unsigned 64-bit word."""
        self._taken += 1
        return words64(*self._parts, self._taken, 1)[0]

    def below(self, count: int) -> int:
        """The next number from 0 to count - 1."""
        return self.word() % count

    def uniform(self) -> float:
        """The next number from 0 to below 1."""
        return (self.word() >> 11) * 2.0**-53

    def bytes(self, size: int) -> bytes:
        """The next `size` bytes."""
        self._taken += 1
        text = "/".join([f"{type(part).__name__}:{part}" for part in (*self._parts, self._taken)]).encode()
        return hashlib.shake_128(text).digest(size)

"""Which tablet of a table holds a token, and the replicas (host id, shard) that serve it.

A tablet holds the tokens (first, last]. Maps come whole from system.tablets (scylladb docs/dev/system_keyspace.md), or
tablet by tablet from what TABLETS_ROUTING_V1 sends (cql/extensions.py). Hosts are named by UUID or by its text.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Host = TypeVar("Host")

_INT64_MIN = -(1 << 63)


class TabletMap(Generic[Host]):
    """The tablets of one table, in token order, as far as they are known."""

    def __init__(self) -> None:
        self.first_tokens: list[int] = []
        self.last_tokens: list[int] = []
        self.replica_sets: list[tuple[tuple[Host, int], ...]] = []
        self._uniform_shift = -1

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[int, Sequence[tuple[Host, int]]]]) -> TabletMap[Host]:
        """The whole map of a table from its rows (last_token, replicas) of system.tablets, in any order."""
        tablets = cls()
        first = _INT64_MIN
        for last, replicas in sorted(rows, key=lambda row: row[0]):
            tablets.first_tokens.append(first)
            tablets.last_tokens.append(last)
            tablets.replica_sets.append(tuple(replicas))
            first = last
        tablets._note_uniform()
        return tablets

    def __len__(self) -> int:
        return len(self.last_tokens)

    @property
    def uniform(self) -> bool:
        """Whether the tablets are 2**k equal parts of all tokens, so that the index is a shift away."""
        return self._uniform_shift >= 0

    def index(self, token: int) -> int:
        """The position of the tablet that holds a token; -1 when none is known."""
        if self._uniform_shift >= 0:
            return (token >> self._uniform_shift) + (len(self.last_tokens) >> 1)
        at = bisect_left(self.last_tokens, token)
        return at if at < len(self.last_tokens) and token > self.first_tokens[at] else -1

    def replicas(self, token: int) -> tuple[tuple[Host, int], ...] | None:
        """The replicas of the tablet that holds a token; None when it is not known."""
        at = self.index(token)
        return self.replica_sets[at] if at >= 0 else None

    def update(self, first: int, last: int, replicas: Sequence[tuple[Host, int]]) -> None:
        """Learn one tablet; whatever overlaps it is out of date and goes."""
        at = bisect_left(self.last_tokens, first)
        if at < len(self.last_tokens) and self.last_tokens[at] == first:
            at += 1
        end = at
        while end < len(self.last_tokens) and self.first_tokens[end] < last:
            end += 1
        self.first_tokens[at:end] = [first]
        self.last_tokens[at:end] = [last]
        self.replica_sets[at:end] = [tuple(replicas)]
        self._note_uniform()

    def rows(self) -> Iterator[tuple[int, tuple[tuple[Host, int], ...]]]:
        """(last token, replicas) of one range behind the other; where no tablet is known there are no replicas."""
        past = _INT64_MIN
        for first, last, replicas in zip(self.first_tokens, self.last_tokens, self.replica_sets):
            if first > past:
                yield first, ()
            yield last, replicas
            past = last

    def _note_uniform(self) -> None:
        count = len(self.last_tokens)
        bits = count.bit_length() - 1
        self._uniform_shift = -1
        # One tablet would be a shift by 64, which machine integers do not have.
        if count < 2 or count != 1 << bits or self.first_tokens[0] != _INT64_MIN:
            return
        whole = self.first_tokens[1:] == self.last_tokens[:-1]
        if whole and all(last == uniform_last_token(at, bits) for at, last in enumerate(self.last_tokens)):
            self._uniform_shift = 64 - bits


def uniform_last_token(index: int, bits: int) -> int:
    """The last token of tablet `index` when 2**bits tablets divide all tokens evenly."""
    return (((index + 1) << (64 - bits)) - 1) + _INT64_MIN

"""Which statement an operation is, and which of its own it is: exact shares, ordinals without gap or repetition.

A block of 4096 numbers holds each statement an exact number of times. All blocks have the same pattern of statements,
each turned round by an amount of its own. Ordinals of a statement rise with the number, so that how often it came
before any number is known too; and (statement, ordinal) -> number is as easy.
"""

from __future__ import annotations

from collections.abc import Sequence

from cqlsurge.load.workload.mixing import mix64, native, stream, unsigned
from cqlsurge.load.workload.spec import BLOCK

_SHIFT, _MASK = 12, BLOCK - 1


def counts_of(weights: Sequence[float], block: int = BLOCK) -> list[int]:
    """How many of a block's places each gets: in proportion, the largest remainders rounded up, at least one.

    Raises ValueError for weights that are all zero, or negative.
    """
    total = float(sum(weights))
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights are 0 or more, and not all 0")
    exact = [weight / total * block for weight in weights]
    counts = [max(int(share), 1 if share > 0 else 0) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda kind: (-(exact[kind] - int(exact[kind])), kind))
    for kind in by_remainder:
        if sum(counts) < block and exact[kind] > 0:
            counts[kind] += 1
    while sum(counts) > block:
        counts[counts.index(max(counts))] -= 1
    return counts


def shuffled(size: int, purpose: str) -> list[int]:
    """The numbers below `size` in an order that depends on the purpose alone."""
    start = native(stream(0, f"shuffle/{purpose}"))
    return sorted(range(size), key=lambda place: unsigned(mix64(start, place)))


def pattern_of(weights: Sequence[float], lengths: Sequence[int] = (1,)) -> list[int]:
    """The BLOCK kinds of a block in their order; `lengths`: how many of one kind stand in a row, taken by turns."""
    left = counts_of(weights)
    single = [kind for kind, count in enumerate(left) for _ in range(count)]
    order = shuffled(BLOCK, "mix")
    pattern = [0] * BLOCK
    for place, kind in zip(order, single):
        pattern[place] = kind
    if tuple(lengths) == (1,):
        return pattern
    # Runs: a run begins with the kind that the shuffled pattern has next and takes as many as its length says.
    runs: list[int] = []
    turn = shuffled(len(lengths), "runs")
    for place, kind in enumerate(pattern):
        length = min(left[kind], max(1, lengths[turn[place % len(turn)]]))
        runs += [kind] * length
        left[kind] -= length
    return runs


class Mix:
    """The mix of one phase; `seed` and `phase` decide how far each block's pattern is turned."""

    def __init__(self, weights: Sequence[float], seed: int, phase: str, lengths: Sequence[int] = (1,)) -> None:
        self.single = len(weights) == 1
        self.pattern = [0] * BLOCK if self.single else pattern_of(weights, lengths)
        kinds = len(weights)
        #: how many of each kind stand before each place; upto[kind][BLOCK] is how many a block has
        self.upto = [[0] * (BLOCK + 1) for _ in range(kinds)]
        self.before = [0] * BLOCK
        self.places: list[list[int]] = [[] for _ in range(kinds)]
        for place, kind in enumerate(self.pattern):
            self.before[place] = self.upto[kind][place]
            self.places[kind].append(place)
            for other in range(kinds):
                self.upto[other][place + 1] = self.upto[other][place] + (other == kind)
        self.counts = [len(places) for places in self.places]
        self.start = native(stream(seed, f"mix/{phase}"))

    def turned(self, block: int) -> int:
        """How far a block's pattern is turned round."""
        return mix64(self.start, block) & _MASK

    def at(self, number: int) -> tuple[int, int]:
        """(kind, ordinal) of an operation."""
        if self.single:
            return 0, number
        block = number >> _SHIFT
        turned = self.turned(block)
        place = ((number & _MASK) + turned) & _MASK
        kind = self.pattern[place]
        count = self.counts[kind]
        ordinal = block * count + self.before[place] - self.upto[kind][turned]
        return kind, ordinal + count if place < turned else ordinal

    def issued_before(self, kind: int, number: int) -> int:
        """How many operations of a kind have a smaller number; 0 for negative numbers."""
        if number <= 0:
            return 0
        if self.single:
            return number
        block = number >> _SHIFT
        turned = self.turned(block)
        past = (number & _MASK) + turned
        upto, count = self.upto[kind], self.counts[kind]
        within = upto[past] - upto[turned] if past <= BLOCK else count - upto[turned] + upto[past - BLOCK]
        return block * count + within

    def number_of(self, kind: int, ordinal: int) -> int:
        """The operation that is the ordinal-th of its kind."""
        if self.single:
            return ordinal
        count = self.counts[kind]
        block, rest = divmod(ordinal, count)
        turned = self.turned(block)
        place = self.places[kind][(rest + self.upto[kind][turned]) % count]
        return block * BLOCK + ((place - turned) & _MASK)

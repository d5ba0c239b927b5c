"""Ranks scattered over a table's partitions, as picks.py says, with the integers of this interpreter."""

from __future__ import annotations

from typing import Any

from cqlsurge.load.workload.mixing import INTOP, native
from cqlsurge.load.workload.picks import _FACTORS, scatter


class Scatterer:
    """The bijection on the numbers below `size` by an unsigned 64-bit key; `arrays` is the same for int64 arrays."""

    def __init__(self, size: int, key: int) -> None:
        self._size, self._key = size, key
        bits = max(1, (size - 1).bit_length())
        self._mask, self._half = (1 << bits) - 1, bits // 2 + 1
        self._rounds = [(native(key >> turn * 8), native(factor)) for turn, factor in enumerate(_FACTORS)]

    def __call__(self, index: int) -> int:
        """Where an index goes."""
        return scatter(index, self._size, self._key)

    def arrays(self, indices: Any) -> Any:
        """Where many indices go."""
        import numpy as np

        unsigned = np.uint64
        mask, half = unsigned(self._mask), unsigned(self._half)
        found = indices.astype(unsigned)
        left = np.arange(len(found))
        while len(left):
            values = found[left]
            for added, factor in self._rounds:
                values = ((values + unsigned(added)) & mask) * unsigned(factor) & mask
                values ^= values >> half
            found[left] = values
            left = left[values >= unsigned(self._size)]
        return found.view(np.int64)


if INTOP:
    from __pypy__ import intop

    _add, _multiply = intop.int_add, intop.int_mul

    class MachineScatterer(Scatterer):
        """With machine integers."""

        def __init__(self, size: int, key: int) -> None:
            super().__init__(size, key)
            (self._a0, self._f0), (self._a1, self._f1), (self._a2, self._f2) = self._rounds

        def __call__(self, index: int) -> int:
            """Where an index goes."""
            mask, half = self._mask, self._half
            while True:
                index = _multiply(_add(index, self._a0) & mask, self._f0) & mask
                index ^= index >> half
                index = _multiply(_add(index, self._a1) & mask, self._f1) & mask
                index ^= index >> half
                index = _multiply(_add(index, self._a2) & mask, self._f2) & mask
                index ^= index >> half
                if index < self._size:
                    return index


def scatterer(size: int, key: int) -> Scatterer:
    """The quickest of this interpreter."""
    return MachineScatterer(size, key) if INTOP else Scatterer(size, key)

"""Latencies of many operations at once: kept as they come, brought into the recorder's histograms before each tick."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from cqlsurge.load.engines.wire.connection import KIND_MASK
from cqlsurge.load.latency.layout import BITS, COUNTS_LENGTH, TABLE_LIMIT, UNIT_MAGNITUDE, index_of

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.load import Load

Array = Any  # numpy.ndarray

#: as many operations wait at most
MANY = 1 << 15
_BITS = np.frombuffer(BITS, np.uint8).astype(np.int64)


def indices_of(values_ns: Array) -> Array:
    """`index_of` of each of the int64 values."""
    units = np.maximum(values_ns >> UNIT_MAGNITUDE, 0)
    bits = _BITS[np.minimum(units, TABLE_LIMIT - 1) >> 11]
    indices = (bits << 10) + (units >> bits)
    for at in np.flatnonzero(units >= TABLE_LIMIT).tolist():
        indices[at] = index_of(int(values_ns[at]))
    return indices


class Latencies:
    """What has ended well since the last `settle`."""

    def __init__(self, kinds: int) -> None:
        self.count = 0
        self._parts: list[tuple[Array, Array, Array, Array]] = []
        self._kinds = kinds
        self._begin_few()

    def _begin_few(self) -> None:
        """Columns for those that come few at a time, one after another; who appends adds to `count`."""
        self.few_ops, self.few_dues, self.few_sents, self.few_nows = (array("q") for _ in range(4))

    def add(self, kinds: Array, dues: Array, sents: Array, nows: Array) -> None:
        """Operations of these kinds: when each was due, sent and answered; int64, of one length."""
        self.count += len(kinds)
        self._parts.append((kinds, dues, sents, nows))

    def settle(self, load: Load) -> None:
        """Brings the load's counts and histograms up to date."""
        if not self.count:
            return
        if self.few_ops:
            few = (self.few_ops, self.few_dues, self.few_sents, self.few_nows)
            ops, dues, sents, nows = (np.frombuffer(each, np.int64) for each in few)
            self._parts.append((ops & KIND_MASK, dues, sents, nows))
            self._begin_few()
        kinds, dues, sents, nows = (np.concatenate(part) for part in zip(*self._parts))
        self._parts.clear()
        self.count = 0
        waits = sents - dues
        for kind, count in enumerate(np.bincount(kinds, minlength=self._kinds).tolist()):
            load.oks[kind] += count
        places, size = kinds * COUNTS_LENGTH, self._kinds * COUNTS_LENGTH
        indices = [
            indices_of(values) + places + which * size
            for which, values in enumerate((waits, nows - sents, nows - dues))
        ]
        lists = load.waits + load.services + load.responses
        used, counts = np.unique(np.concatenate(indices), return_counts=True)
        for place, count in zip(used.tolist(), counts.tolist()):
            lists[place // COUNTS_LENGTH][place % COUNTS_LENGTH] += count

"""Plans of the key-value workload by the block: kinds, keys and routes of thousands of operations at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cqlsurge.load.engines.wire.connection import KIND_BITS, KIND_MASK
from cqlsurge.load.engines.wire.latencies_numpy import Latencies
from cqlsurge.load.engines.wire.plan import KeyValuePlan, Step
from cqlsurge.load.routing.murmur3_numpy import shards_of_tokens, tokens_of_halves
from cqlsurge.load.workload import kv_numpy
from cqlsurge.load.workload.kv import KeyValue

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.router import Router

Array = Any  # numpy.ndarray

BLOCK = 4096
#: larger values gain nothing from matrices
LARGEST_TAIL = 16384


class Lanes:
    """A router as arrays: `connections[lane_of(token, number)]` is what the router gives."""

    def __init__(self, router: Router) -> None:
        self.router = router
        index: dict[int, int] = {}
        self.connections: list[Connection] = []
        table: list[int] = []
        bases: dict[int, int] = {}
        groups = router.groups if router.only is None else router.groups[:1]
        for group in groups:
            if id(group) in bases:
                continue
            bases[id(group)] = len(table)
            for lane in group.lanes:
                if id(lane) not in index:
                    index[id(lane)] = len(index)
                    self.connections.append(lane)
                table.append(index[id(lane)])
        self._table = np.array(table, np.int64)
        self._bounds = np.array(router.bounds, np.int64)
        facts = [(bases[id(each)], each.shards, each.ignore_msb, each.each) for each in groups]
        self._bases, self._shards, self._ignored, self._each = np.array(facts, np.int64).T.copy()

    def of(self, tokens: Array, numbers: Array) -> Array:
        """The lane, int64, of each of these operations: int64 tokens and numbers."""
        width = self.router.width
        places = np.searchsorted(self._bounds, tokens) * width
        if width > 1:
            places += numbers % width
        each = self._each[places]
        shards = shards_of_tokens(tokens, self._shards[places], self._ignored[places])
        lanes = self._bases[places] + shards * each + (numbers * 40503 >> 4) % each
        return self._table[lanes]


class BlockPlan(KeyValuePlan):
    """The plan of one phase. Arrays of `count` operations from number `first` on; `keys` are lane * 2 + kind."""

    def __init__(self, workload: KeyValue) -> None:
        super().__init__(workload)
        self.first = self.count = 0
        self.lanes: Lanes | None = None
        self.latencies = Latencies(len(workload.kinds))
        self._columns: list[list[int]] = []

    def cover(self, number: int, wanted: int, router: Router) -> int:
        """Plans anew where fewer than `wanted` operations from `number` on are planned; the position of `number`."""
        at = number - self.first
        if at < 0 or at + wanted > self.count or self.lanes is None or self.lanes.router is not router:
            if self.lanes is None or self.lanes.router is not router:
                self.lanes = Lanes(router)
            self._plan(number, max(BLOCK, wanted), self.lanes)
            at = 0
        return at

    def _plan(self, first: int, count: int, lanes: Lanes) -> None:
        self.first, self.count = first, count
        self._columns = []
        kinds, partitions = kv_numpy.locate(self.workload, first, count)
        self.first_words, self.second_words = kv_numpy.halves(self.workload, partitions)
        self.offsets = kv_numpy.pool_offsets(self.second_words)
        numbers: Array = np.arange(first, first + count, dtype=np.int64)
        self.ops = numbers << KIND_BITS | kinds
        if lanes.router.only is not None:
            self.tokens: Array = np.zeros(count, np.int64)
            self.keys = kinds.astype(np.int16)
        else:
            self.tokens = tokens_of_halves(self.first_words, self.second_words)
            # 16 bits sort quickest.
            width = np.int16 if len(lanes.connections) < 1 << 14 else np.int32
            self.keys = (lanes.of(self.tokens, numbers) * 2 + kinds).astype(width)

    def step(self, number: int) -> Step:
        """See Plan: from the block where it is in there."""
        at = number - self.first
        if not 0 <= at < self.count or self.lanes is None or self.lanes.router.only is not None:
            return super().step(number)
        return self._planned(at)

    def step_anywhere(self, number: int) -> Step:
        """See Plan."""
        at = number - self.first
        return self._planned(at) if 0 <= at < self.count else super().step_anywhere(number)

    def _planned(self, at: int) -> Step:
        if not self._columns:
            columns = (self.ops & KIND_MASK, self.first_words, self.second_words, self.tokens)
            self._columns = [column.tolist() for column in columns]
        kinds, first, second, tokens = self._columns
        return kinds[at], first[at], second[at], tokens[at]


def suits(workload: KeyValue) -> bool:
    """Whether blocks are worth it for the workload's values."""
    return 0 < workload.tail_size <= LARGEST_TAIL

"""Plans by the block: kinds, rows and routes of thousands of operations at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cqlsurge.load.compiled.arrays import ArrayProgram
from cqlsurge.load.engines.wire.connection import KIND_BITS
from cqlsurge.load.engines.wire.latencies_numpy import Latencies
from cqlsurge.load.engines.wire.plan import Plan
from cqlsurge.load.routing.murmur3_numpy import shards_of_tokens

if TYPE_CHECKING:
    from cqlsurge.load.compiled.program import Step
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.router import Router
    from cqlsurge.load.workload.model import Workload

Array = Any  # numpy.ndarray

BLOCK = 4096


class Lanes:
    """A router as arrays: `connections[lane_of(token, number)]` is what the router gives."""

    def __init__(self, router: Router) -> None:
        self.router = router
        index: dict[int, int] = {}
        self.connections: list[Connection] = []
        table: list[int] = []
        facts: list[tuple[int, int, int, int]] = []
        for group in router.kinds:
            facts.append((len(table), group.shards, group.ignore_msb, group.each))
            for lane in group.lanes:
                if id(lane) not in index:
                    index[id(lane)] = len(index)
                    self.connections.append(lane)
                table.append(index[id(lane)])
        self._table = np.array(table, np.int64)
        self._bounds = np.array(router.bounds, np.int64)
        columns = np.array(facts, np.int64)[np.array(router.which, np.int64)].T
        self._bases, self._shards, self._ignored, self._each = columns.copy()

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


class BlockPlan(Plan):
    """The plan of one phase. Arrays of `count` operations from number `first` on; `keys` are lane * kinds + kind.

    `columns[k]` is what the frames of kind k show, for those operations of the block that are of it; `ranks` is the
    place of each operation among those of its kind.
    """

    program: ArrayProgram

    def __init__(self, workload: Workload, program: ArrayProgram) -> None:
        super().__init__(workload, program)
        self.first = self.count = 0
        self.lanes: Lanes | None = None
        self.latencies = Latencies(len(workload.kinds))
        self.single = len(workload.kinds) == 1 or program.lowered.kind.constant
        self._listed: tuple[list[int], list[list[tuple[Any, ...]]], list[int], list[int]] | None = None
        self._one, self._one_anywhere = program.step, program.step_anywhere
        self.step, self.step_anywhere = self._step, self._step_anywhere

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
        self.first, self.count, self._listed = first, count, None
        program, only = self.program, lanes.router.only is not None
        numbers: Array = np.arange(first, first + count, dtype=np.int64)
        self.numbers = numbers
        self.kinds = kinds = program.kinds_of(numbers)
        self.ops = numbers << KIND_BITS | kinds
        self.tokens: Array = np.zeros(count, np.int64)
        self.ranks: Array = np.arange(count)
        self.columns: list[dict[Any, Array]] = []
        for kind, shown in enumerate(program.shown):
            where = slice(None) if self.single else np.flatnonzero(kinds == kind)
            mine = numbers[where]
            if not len(mine) or (self.single and kind != int(kinds[0])):
                self.columns.append({})
                continue
            if not self.single:
                self.ranks[where] = np.arange(len(mine))
            if only:
                columns = program.frames_anywhere[kind](mine)
            else:
                self.tokens[where], *columns = program.frames[kind](mine)
            self.columns.append(dict(zip(shown, columns)))
        if only:
            self.keys = kinds.astype(np.int16)
        else:
            places = lanes.of(self.tokens, numbers) * len(program.kinds) + kinds
            # 16 bits sort quickest.
            narrow = len(lanes.connections) * len(program.kinds) < 1 << 15
            self.keys = places.astype(np.int16 if narrow else np.int32)

    def _step(self, number: int) -> Step:
        """As the program's step: from the block where it is in there."""
        at = number - self.first
        if not 0 <= at < self.count or self.lanes is None or self.lanes.router.only is not None:
            return self._one(number)
        return self._planned(at)

    def _step_anywhere(self, number: int) -> Step:
        at = number - self.first
        return self._planned(at) if 0 <= at < self.count else self._one_anywhere(number)

    def _planned(self, at: int) -> Step:
        if self._listed is None:
            rows: list[list[tuple[Any, ...]]] = []
            for kind, single in enumerate(self.program.singles):
                mine = self.numbers[self.kinds == kind]
                columns = (
                    [each if isinstance(each, list) else each.tolist() for each in single(mine)] if len(mine) else []
                )
                rows.append(list(zip(*columns)) if columns else [()] * len(mine))
            self._listed = (self.kinds.tolist(), rows, self.ranks.tolist(), self.tokens.tolist())
        kinds, rows, ranks, tokens = self._listed
        kind = kinds[at]
        return kind, rows[kind][ranks[at]], tokens[at]

"""The walk over a table: its rows in the order in which `next` takes them, and where each partition begins in it.

Rows a partition are one number, or exact in each block of 4096 partitions: all blocks have the same row counts, each
turned round by an amount of its own. So the place of any row is found by one look at a table of sums.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from cqlsurge.load.workload.mixing import mix64, native, stream
from cqlsurge.load.workload.spec import BLOCK, TableSpec

_MASK = BLOCK - 1


class Walk:
    """Positions 0 to `total` - 1 are the rows of the population; larger ones go on over partitions that are not in it.

    `rows_of` maps a partition's row count to how many positions it has: rows by the chunk, or one for all of them.
    """

    def __init__(self, table: TableSpec, seed: int, chunk: int = 1) -> None:
        """chunk: so many rows of a partition are one position; 0: all of them."""
        self.table, self.chunk = table, chunk
        self.partitions = table.seeds or table.partitions
        self.row_counts = table.rows
        self._start = native(stream(seed, f"{table.streams}/rows"))
        units = [self._units(count) for count in table.rows]
        self.fixed = units[0] if len(set(units)) == 1 else 0
        self.by_rows = table.walk == "rows" and self.fixed > 0
        self.group = table.group
        self._sums = _sums(units if len(units) == BLOCK else units * BLOCK)
        self.total = self.start_of(self.partitions)

    def _units(self, rows: int) -> int:
        if not self.chunk:
            return 1
        return -(-rows // self.chunk)

    def turned(self, block: int) -> int:
        """How far a block's row counts are turned round."""
        return mix64(self._start, block) & _MASK

    def rows(self, partition: int) -> int:
        """How many rows a partition has."""
        counts = self.row_counts
        if len(counts) == 1:
            return counts[0]
        return counts[((partition & _MASK) + self.turned(partition >> 12)) & _MASK]

    def start_of(self, partition: int) -> int:
        """How many positions come before a partition, where the walk goes partition by partition."""
        if self.fixed:
            return partition * self.fixed
        block, place = divmod(partition, BLOCK)
        turned, sums = self.turned(block), self._sums
        at = place + turned
        within = sums[at] - sums[turned] if at <= BLOCK else sums[BLOCK] - sums[turned] + sums[at - BLOCK]
        return block * sums[BLOCK] + within

    def at(self, position: int) -> tuple[int, int]:
        """(partition, row, or number of the chunk) at a position."""
        if self.by_rows:
            return self._at_by_rows(position)
        if self.fixed:
            return divmod(position, self.fixed)
        sums = self._sums
        block, rest = divmod(position, sums[BLOCK])
        turned = self.turned(block)
        rest += sums[turned]
        if rest >= sums[BLOCK]:
            rest -= sums[BLOCK]
        place = bisect_right(sums, rest) - 1
        return block * BLOCK + ((place - turned) & _MASK), rest - sums[place]

    def _at_by_rows(self, position: int) -> tuple[int, int]:
        first, group = 0, self.group
        if position >= self.total:  # beyond the population: groups of the same size from its end on
            first, position = self.partitions, position - self.total
        number, rest = divmod(position, group * self.fixed)
        begin = first + number * group
        width = min(group, self.partitions - begin) if not first else group
        row, column = divmod(rest, width)
        return begin + column, row

    def group_of(self, position: int) -> int:
        """The number of the group in which a position lies."""
        if self.by_rows:
            return position // (self.group * self.fixed)
        return self.at(position)[0] // self.group

    def group_start(self, group: int) -> int:
        """The first position of a group."""
        if self.by_rows:
            return group * self.group * self.fixed
        return self.start_of(group * self.group)


def _sums(counts: Sequence[int]) -> list[int]:
    sums = [0]
    for count in counts:
        sums.append(sums[-1] + count)
    return sums

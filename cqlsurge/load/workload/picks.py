"""Which row an operation takes: (ordinal, number) -> (partition, row, version), and nothing else.

Words come from streams named "phase/statement/pick", "/row" and "/back", at the ordinal of the operation. Drawn ranks
are scattered over the partitions by a keyed bijection, so that neighbours in rank are none in the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable

from cqlsurge.load.workload.mix import Mix
from cqlsurge.load.workload.mixing import MASK, mix64, native, stream, unsigned
from cqlsurge.load.workload.spec import PhaseSpec, PickSpec, StatementSpec, TableSpec, WorkloadSpec
from cqlsurge.load.workload.walk import Walk

_FACTORS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
NEXT = PickSpec("next")
UNIFORM = PickSpec("uniform")

Draw = Callable[[int], int]  # partition from an index, of a table whose partitions are drawn


def scatter(index: int, size: int, key: int) -> int:
    """Where an index below `size` goes: a bijection on these numbers, by the unsigned 64-bit key.

    Rounds of shift and multiplication on the smallest power of two that holds them, again until the outcome is below
    the size.
    """
    bits = max(1, (size - 1).bit_length())
    mask, half = (1 << bits) - 1, bits // 2 + 1
    while True:
        for turn, factor in enumerate(_FACTORS):
            index = (index + (key >> (turn * 8))) & mask
            index = (index * factor) & mask
            index ^= index >> half
        if index < size:
            return index


@dataclass(frozen=True)
class Picked:
    """The row of an operation. `row` is 0 where only the partition matters."""

    partition: int
    row: int
    version: int


class Picker:
    """The picks of one statement in one phase."""

    def __init__(
        self, spec: WorkloadSpec, phase: PhaseSpec, statement: StatementSpec, seed: int, mix: Mix, allowance: int = 0
    ) -> None:
        self.spec, self.mix, self.allowance = spec, mix, allowance
        self.statement = statement
        self.table: TableSpec = spec.table(statement.table)
        self.pick_spec, owner = _resolved(spec, phase, statement)
        self.rows_walk = Walk(self.table, seed)
        self.walk = _statement_walk(self.rows_walk, statement, self.table, seed)
        self.places = self.rows_walk.partitions
        names = f"{phase.name}/{owner}"
        self._pick = native(stream(seed, f"{names}/pick"))
        self._row = native(stream(seed, f"{names}/row"))
        self._back = native(stream(seed, f"{names}/back"))
        self._select = native(stream(seed, f"{names}/select"))
        self.key = stream(seed, f"{self.table.streams}/scatter")
        self.base = dict(phase.before).get(self.table.name, 0)
        self._loaded = self.table.name in phase.loaded
        self._writer = self._find_writer(phase, seed)
        self.sequential = self.pick_spec.how == "next"
        #: the partition of a seed, in a table whose partitions are drawn
        self.drawn: Draw = int

    def _find_writer(self, phase: PhaseSpec, seed: int) -> tuple[int, StatementSpec, Walk, str] | None:
        """(kind, statement, its walk, how it picks) of what writes the table in order in this phase."""
        if self.pick_spec.how not in {"written", "new"}:
            return None
        for kind, (name, weight) in enumerate(phase.mix):
            other = self.spec.statement(name)
            if weight and other.kind in {"insert", "update", "batch"} and other.table == self.table.name:
                how = _resolved(self.spec, phase, other)[0].how
                if how in {"next", "new"}:
                    return kind, other, _statement_walk(self.rows_walk, other, self.table, seed), how
        return None

    def pick(self, ordinal: int, number: int) -> Picked:
        """The row of the statement's ordinal-th operation, which is the phase's number-th."""
        partition, row = self.place(ordinal, number)
        return Picked(partition, row, self.version(ordinal, number))

    def version(self, ordinal: int, number: int) -> int:
        """The version that the operation writes; 0 of a read."""
        if not self.statement.writes:
            return 0
        if self.sequential:
            return self.base + ordinal // self.walk.total
        if self.pick_spec.how == "sequence":
            return self.base + number * self.statement.many // self.places
        if self.statement.conditional:
            return max(1, self.base) + ordinal // self.walk.total
        return 1 + number

    def place(self, ordinal: int, number: int) -> tuple[int, int]:
        """(index of the partition before `draw`, row or number of the chunk)."""
        how = self.pick_spec.how
        if how == "next":
            return self.walk.at(ordinal % self.walk.total)
        if how == "sequence":
            many = self.statement.many
            partition = (number * many + ordinal % many) % self.places
            return partition, self._row_of(partition, ordinal)
        if how == "written":
            return self._written(ordinal, number)
        if how == "new":
            writes = self._writer is not None and self._writer[1].name == self.statement.name
            return self.walk.at(
                self.walk.total + (ordinal if writes else self._number(self._pick, ordinal) % (1 << 40))
            )
        if how == "uniform":
            partition = self._number(self._pick, ordinal) % self.places
        else:
            drawn = self.spec.distributions[self.pick_spec.distribution]
            rank = drawn.sample(unsigned(mix64(self._pick, ordinal)))
            partition = rank if self.pick_spec.ordered else scatter(rank, self.places, self.key)
        return partition, self._row_of(partition, ordinal)

    def selected(self, ordinal: int, rows: int) -> list[int]:
        """Which of a partition's rows a batch with `select` takes: each with its share, at least one."""
        start = mix64(self._select, ordinal)
        bound = round(self.statement.select * 2**53)
        chosen = [row for row in range(rows) if unsigned(mix64(start, row)) >> 11 < bound]
        return chosen or [(unsigned(mix64(start, -1)) >> 1) % max(1, rows)]

    def available(self, number: int) -> int:
        """How many positions of the walk row by row are surely written when operation `number` is issued."""
        total = self.rows_walk.total
        if self._writer is None:
            return total
        kind, writer, walk, how = self._writer
        done = self.mix.issued_before(kind, number - self.allowance)
        if how == "new":
            done += walk.total
        elif self._loaded or done >= walk.total:
            return total
        if walk is self.rows_walk:
            return done
        partition, chunk = walk.at(done)
        return self.rows_walk.start_of(partition) + min(chunk * max(writer.rows, 1), self.rows_walk.rows(partition))

    def _written(self, ordinal: int, number: int) -> tuple[int, int]:
        walk, available = self.rows_walk, self.available(number)
        if available <= 0:
            return walk.at(0)
        drawn = self.pick_spec.distribution
        word = self._number(self._row, ordinal)
        if drawn == -1:
            return walk.at(word % available)
        group = walk.group_of(available - 1)
        if drawn >= 0:
            back = self.spec.distributions[drawn].sample(unsigned(mix64(self._back, ordinal)))
            group -= back if back <= group else back % (group + 1)
        start = walk.group_start(group)
        return walk.at(start + word % (min(available, walk.group_start(group + 1)) - start))

    def _row_of(self, partition: int, ordinal: int) -> int:
        rows = self.rows_walk.rows(self.drawn(partition))
        if self.statement.batch and self.walk.chunk:
            rows = -(-rows // self.walk.chunk)
        how = self.pick_spec.row
        if rows <= 1 or how == "first" or (self.statement.batch and not self.walk.chunk):
            return 0
        if how == "last":
            return rows - 1
        if how == "at":
            return min(self.pick_spec.row_value, rows - 1)
        if how == "draw":
            drawn = self.spec.distributions[self.pick_spec.row_distribution]
            return int(drawn.sample(unsigned(mix64(self._row, ordinal)))) % rows
        return self._number(self._row, ordinal) % rows

    def _number(self, start: int, ordinal: int) -> int:
        return (unsigned(mix64(start, ordinal)) >> 1) & (MASK >> 1)


def _statement_walk(rows_walk: Walk, statement: StatementSpec, table: TableSpec, seed: int) -> Walk:
    """The walk in what the statement touches at a time: rows, chunks of rows, partitions."""
    if statement.batch:
        return rows_walk if statement.rows == 1 else Walk(table, seed, statement.rows)
    if statement.covers in {"row", "many"} and statement.kind != "ddl":
        return rows_walk
    return Walk(replace(table, walk="partitions"), seed, 0)


def _resolved(spec: WorkloadSpec, phase: PhaseSpec, statement: StatementSpec) -> tuple[PickSpec, str]:
    """The pick that holds for a statement in a phase, and the name of the statement whose stream it has."""
    seen = []
    owner = statement
    while True:
        named = dict(phase.picks)
        default = NEXT if owner.writes else UNIFORM
        found = named.get(owner.name) or owner.pick or named.get("any") or default
        if found.how != "like" or found.of in seen:
            return found, owner.name
        seen.append(found.of)
        owner = spec.statement(found.of)

"""Which rows a profile's table has: partitions from seeds, rows from `cluster`, and their keys.

All columns of a partition key are drawn from one seed. Where far more keys can be drawn than there are seeds, each
seed is a partition of its own; else partitions are drawn, and seeds may fall on one partition, as in cassandra-stress.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from cqlsurge.load.cql.types import NativeType
from cqlsurge.workload.imports.cassandra_stress.distributions import Distribution, fixed
from cqlsurge.workload.imports.cassandra_stress.profile import ONE, SIZE, ColumnSpec, Profile
from cqlsurge.workload.imports.cassandra_stress.values import RANGES, TEXTS, Values, draw, number_text, population_of
from cqlsurge.workload.imports.report import Report
from cqlsurge.workload.tables import CLUSTERING, PARTITION, Column, Table

#: with so many keys a seed, less than 1% of the seeds fall on a key that another has
SPARSE = 50
#: letters of our texts, bytes
LETTERS = {"text": 64, "blob": 256}
LONG = (1 << 62) - 1


@dataclass
class Population:
    """The population of a table as our file says it. `row_count`: rows a partition on average."""

    partitions: str
    seeds: str = ""
    rows: str = "1"
    row_count: float = 1.0
    most_rows: int = 1
    columns: dict[str, str] = field(default_factory=dict)


class Keys:
    """Finds out the population of a profile's table for seeds from `first` to `last`."""

    def __init__(self, profile: Profile, table: Table, seeds: tuple[int, int], values: Values) -> None:
        self.profile, self.table, self.values = profile, table, values
        self.report: Report = values.report
        self.first, self.last = seeds
        self.count = self.last - self.first + 1

    def population(self) -> Population:
        """The whole of it."""
        found = self._partitions()
        self._rows(found)
        return found

    def _spec(self, column: Column) -> ColumnSpec:
        return self.profile.column(column.name)

    def _drawn(self, column: Column) -> Distribution:
        """The population of a key column, as far as its type can tell its values apart."""
        of = population_of(self._spec(column), column.type)
        if isinstance(column.type, NativeType) and column.type.name in RANGES:
            low, high = RANGES[column.type.name]
            if of.low < low or of.high > high:
                return replace(of, name="uniform", low=low, high=high)
        if isinstance(column.type, NativeType) and column.type.name == "boolean":
            return fixed(1)
        return of

    def _partitions(self) -> Population:
        columns = self.table.of_kind(PARTITION)
        drawn = [self._drawn(column) for column in columns]
        widest = max(range(len(columns)), key=lambda at: drawn[at].count)
        of = drawn[widest]
        keys = math.prod(one.count for one in drawn)
        if of.count >= SPARSE * self.count and of.name in {"uniform", "seq"}:
            return self._own_partitions(columns, drawn, widest)
        if len(columns) == 1 and of.name == "seq":
            self.report.mend(f"{columns[0].name}: seq covers all its numbers; in cassandra-stress 95% of them occur")
            return self._in_sequence(columns[0], of)
        if keys > LONG:
            self.report.mend(
                f"{', '.join(c.name for c in columns)}: {keys:.0e} keys are too many to draw: each seed has its own"
            )
            return self._own_partitions(columns, drawn, widest)
        return self._drawn_partitions(columns, drawn)

    def _own_partitions(self, columns: tuple[Column, ...], drawn: list[Distribution], widest: int) -> Population:
        """A partition for each seed; the column with most values tells them apart."""
        found = Population(number_text(self.count))
        number = _plus("p", self.first)
        for at, (column, of) in enumerate(zip(columns, drawn, strict=True)):
            if at != widest:
                found.columns[column.name] = self._key(column, draw(of), of.count)
            elif self._is_number(column):
                found.columns[column.name] = self._key(column, self._spread(of, number), self.last + 1)
            else:
                found.columns[column.name] = self._key(column, number, self.last + 1)
        return found

    def _spread(self, of: Distribution, number: str) -> str:
        """A number of the population for each seed, none twice, all over the population."""
        factor = max(1, min(round(of.count * 0.6180339887), LONG // max(1, self.last)))
        while math.gcd(factor, of.count) > 1:
            factor -= 1
        return _plus(f"{_term(number)} * {factor} % {of.count}", of.low)

    def _in_sequence(self, column: Column, of: Distribution) -> Population:
        count = min(self.count, of.count)
        if of.count < self.count:
            self.report.keep(f"{column.name}: {of.count} keys for {self.count} seeds: each is visited more than once")
        return Population(number_text(count), columns={column.name: self._key(column, _plus("p", of.low), of.high + 1)})

    def _drawn_partitions(self, columns: tuple[Column, ...], drawn: list[Distribution]) -> Population:
        """Partitions drawn from the seeds: p has a digit for each column, the last one's lowest."""
        terms, base = [], 1
        for of in reversed(drawn):
            if not of.is_fixed:
                term = _plus(draw(of), -of.low)
                terms.append(term if base == 1 else f"({term}) * {base}" if " " in term else f"{term} * {base}")
            base *= of.count
        found = Population(f"draw({' + '.join(reversed(terms)) or '0'})", f"{self.first}..{self.last}")
        rest = base
        for column, of in zip(columns, drawn, strict=True):
            rest //= of.count
            digit = "p" if rest == 1 else f"p // {rest}"
            digit = digit if rest * of.count == base else f"{digit} % {of.count}"
            number = number_text(of.low) if of.is_fixed else _plus(digit, of.low)
            found.columns[column.name] = self._key(column, number, of.high + 1)
        share = 1 - _distinct_share(self.count, base)
        self.report.keep(
            f"partitions: {number_text(self.count)} seeds fall on {base} keys, as their populations say: about "
            f"{100 * share:.2g}% of the seeds meet a partition that an earlier one made"
        )
        return found

    def _is_number(self, column: Column) -> bool:
        return isinstance(column.type, NativeType) and column.type.name not in TEXTS | {"blob", "uuid"}

    def _key(self, column: Column, number: str, most: int) -> str:
        """The expression of a key column for a number below `most`; texts and blobs get room for it."""
        size = self._spec(column).size or SIZE
        kind = column.type.name if isinstance(column.type, NativeType) else ""
        if kind in TEXTS or kind == "blob":
            room = math.ceil(math.log(max(2, most)) / math.log(LETTERS["blob" if kind == "blob" else "text"]) - 1e-9)
            if size.low < room:
                self.report.mend(f"{column.name}: keys have {room} or more letters, so that each number has its own")
                size = (
                    fixed(max(room, size.high)) if size.is_fixed else replace(size, low=room, high=max(room, size.high))
                )
                size = fixed(room) if size.low == size.high else size
        if column.type is None or not kind:
            self.report.mend(f"{column.name}: type {column.type_text} gets numbers by its default generator")
            return number
        return self.values.scalar(column.name, column.type, fixed(0), size, of_number=number)

    def _rows(self, found: Population) -> None:
        """Rows a partition: the product of what the levels of the clustering key have."""
        columns = self.table.of_kind(CLUSTERING)
        levels = [self._level(column) for column in columns]
        varied = [at for at, of in enumerate(levels) if not of.is_fixed]
        for at in varied[1:]:
            average = max(1, round(levels[at].average()))
            self.report.mend(
                f"{columns[at].name}: {average} values below each of {columns[varied[0]].name}'s, the mean of its "
                "cluster: rows a partition vary by the first varied level alone"
            )
            levels[at] = fixed(average)
        varied = varied[:1]
        inner = math.prod(of.low for at, of in enumerate(levels) if at not in varied)
        outer = levels[varied[0]] if varied else ONE
        found.rows = draw(outer) + (f" * {inner}" if inner > 1 else "") if varied else number_text(inner)
        found.row_count = outer.average() * inner
        found.most_rows = outer.high * inner
        # The level that varies is the slowest digit, so that its rows are the first ones.
        order = varied + [at for at in range(len(levels)) if at not in varied]
        below = inner
        for place, at in enumerate(order):
            size = levels[at].high
            if place or not varied:
                below //= size
            digit = "r" if below == 1 else f"r // {below}"
            digit = digit if place == 0 else f"{digit} % {size}"
            found.columns[columns[at].name] = self._clustering(columns[at], "0" if size == 1 else digit, size)

    def _level(self, column: Column) -> Distribution:
        """How many values a clustering column has in a partition: no more than its population."""
        of = self._spec(column).cluster or ONE
        most = self._drawn(column).count
        if of.high > most:
            self.report.mend(f"{column.name}: {most} values at most in a partition, as its population has no more")
            of = replace(of, low=min(of.low, most), high=most) if of.low < most else fixed(most)
        if of.low < 1:
            of = replace(of, low=1) if of.high > 1 else ONE
        return of

    def _clustering(self, column: Column, digit: str, count: int) -> str:
        """Values of one level: apart from each other, all over the population."""
        of = self._drawn(column)
        step = of.count // count
        if count == 1 and of.count > 1:
            # One value a partition, another for each.
            return self._key(column, draw(of) if of.name != "seq" else _plus(f"p % {of.count}", of.low), of.high + 1)
        number = _plus(digit if step == 1 else f"{_term(digit)} * {step}", of.low)
        return self._key(column, number, of.high + 1)


def _plus(text: str, number: int) -> str:
    if number == 0:
        return text
    return f"{text} + {number}" if number > 0 else f"{text} - {-number}"


def _term(text: str) -> str:
    return f"({text})" if " " in text else text


def _distinct_share(seeds: int, keys: int) -> float:
    """How many distinct keys a seed makes, drawn independently."""
    if keys <= 1:
        return 1 / seeds
    return keys * -math.expm1(seeds * math.log1p(-1 / keys)) / seeds

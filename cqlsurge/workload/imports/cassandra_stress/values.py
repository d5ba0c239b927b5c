"""Values of a profile's columns as expressions of our file.

A column has a `population` (what its values are made of) and a `size` (characters, bytes, elements). Distributions are
kept; that neighbouring seeds draw neighbouring values is not.
"""

from __future__ import annotations

from dataclasses import replace

from cqlsurge.load.cql.types import CqlType, ListType, NativeType, SetType
from cqlsurge.workload.imports.cassandra_stress.distributions import Distribution, uniform
from cqlsurge.workload.imports.cassandra_stress.profile import POPULATION, SIZE, TIME_POPULATION, ColumnSpec
from cqlsurge.workload.imports.report import Report

#: the numbers that a type holds
RANGES = {
    "tinyint": (-(1 << 7), (1 << 7) - 1),
    "smallint": (-(1 << 15), (1 << 15) - 1),
    "int": (-(1 << 31), (1 << 31) - 1),
}
DAY_NS = 86_400_000_000_000
CENTURY_DAYS = 36_500
#: a population of more values than this is not told from an endless one in texts and blobs
ENDLESS = 1 << 24
TEXTS = {"text", "ascii"}
_TIMES = {"timestamp", "timeuuid"}
_SCALARS = {
    "ascii", "text", "bigint", "counter", "blob", "boolean", "date", "decimal", "double", "float", "inet", "int",
    "smallint", "tinyint", "time", "timestamp", "timeuuid", "uuid", "varint",
}  # fmt: skip


def is_supported(of: CqlType | None) -> bool:
    """Whether cassandra-stress knows the type."""
    if isinstance(of, (SetType, ListType)):
        of = of.element
    return isinstance(of, NativeType) and of.name in _SCALARS


def population_of(spec: ColumnSpec, of: CqlType | None) -> Distribution:
    """The column's population, or its type's by default."""
    if spec.population is not None:
        return spec.population
    return TIME_POPULATION if isinstance(of, NativeType) and of.name in _TIMES else POPULATION


def number_text(number: int) -> str:
    """A number as people write it: 100G, 1M, 34."""
    for factor, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number and number % factor == 0:
            return f"{number // factor}{unit}"
    return str(number)


def _bounds(of: Distribution) -> str:
    return f"{number_text(of.low)}..{number_text(of.high)}"


def draw(of: Distribution) -> str:
    """Whole numbers of the distribution."""
    if of.is_fixed:
        return number_text(of.low)
    if of.inverted and of.name in {"exp", "extreme", "qextreme", "gaussian"}:
        return f"{number_text(of.low + of.high)} - {draw(replace(of, inverted=False))}"
    bounds = _bounds(of)
    if of.name == "gaussian":
        middle, spread = (of.low + of.high) / 2, (of.high - of.low) / 6
        same = of.mean == middle and abs(of.stdev - spread) < 1e-9 * spread
        return f"gaussian({bounds})" if same else f"gaussian({bounds}, {of.mean!r}, {of.stdev!r})"
    if of.name in {"extreme", "qextreme"}:
        return f"extreme({bounds}, {of.shape!r})"
    return f"exp({bounds})" if of.name == "exp" else f"uniform({bounds})"


def length(of: Distribution) -> str:
    """A size: `34`, `4..8`, `gaussian(10..100)`."""
    if of.name in {"uniform", "seq"} and not of.is_fixed:
        return _bounds(of)
    return draw(of)


class Values:
    """Makes expressions, and notes in the report what becomes of a column."""

    def __init__(self, report: Report, mend: bool) -> None:
        self.report = report
        self.mend = mend

    def of_column(self, name: str, of: CqlType | None, spec: ColumnSpec, negative: bool | None) -> str | None:
        """The expression of a value column; None where the type's default serves.

        negative: whether `seq` counts down from its first number there (True, False, None: either).
        """
        if of is None or not is_supported(of):
            self.report.mend(
                f"{name}: cassandra-stress has no values of type {of}; here its default generator makes them"
            )
            return None
        population, size = population_of(spec, of), spec.size or SIZE
        if population.name == "seq":
            population = self._sequence(name, population, negative)
        if population.name == "qextreme" or size.name == "qextreme":
            self.report.mend(f"{name}: qextreme becomes extreme, which it cuts into pieces at random in each run")
        if isinstance(of, (SetType, ListType)):
            kind = "set" if isinstance(of, SetType) else "list"
            if not size.is_fixed:
                self.report.mend(
                    f"{name}: number of elements is a function of the key; cassandra-stress never seeds it"
                )
            return f"{kind}({length(size)}, {self.scalar(name, of.element, population, size)})"
        return self.scalar(name, of, population, size)

    def _sequence(self, name: str, of: Distribution, negative: bool | None) -> Distribution:
        below, above = of.low - of.count + 1, of.high
        bounds = {True: (below, of.low), False: (of.low, above), None: (below, above)}[negative]
        sign = {True: "from its first number down", False: "up", None: "up or down, by the key"}[negative]
        self.report.keep(
            f"{name}: seq counts {sign}, as the sign of the column's salt makes it: {bounds[0]}..{bounds[1]}"
        )
        return uniform(*bounds)

    def scalar(self, name: str, of: CqlType, population: Distribution, size: Distribution, of_number: str = "") -> str:
        """The expression of a scalar; `of_number` is what it is made of, where that is not a draw of the population."""
        assert isinstance(of, NativeType)
        kind = of.name
        number = of_number or draw(population)
        if kind in TEXTS or kind == "blob":
            return self._letters(name, kind, population, size, of_number)
        if kind == "boolean":
            if not self.mend:
                self.report.keep(f"{name}: boolean is always true in cassandra-stress (--mend draws it)")
                return "true"
            return "uniform(0..1) == 1"
        if kind in RANGES and not of_number:
            low, high = RANGES[kind]
            inside = low <= population.low and population.high <= high
            return number if inside else f"uniform({low}..{high})"
        if kind in {"float", "double"}:
            if population.name == "uniform" and not of_number:
                return f"uniform({float(population.low)!r}, {float(population.high)!r})"
            return f"1.0 * ({number})" if " " in number else f"1.0 * {number}"
        if kind == "date":
            self.report.mend(
                f"{name}: dates lie after 1970; cassandra-stress begins to count days 5,877,641 years earlier"
            )
            days = number if of_number or population.high <= CENTURY_DAYS else f"uniform(0..{CENTURY_DAYS})"
            return f"date('1970-01-01') + {days}"
        if kind == "time":
            inside = population.low >= 0 and population.high < DAY_NS
            return f"time({number if of_number or inside else f'uniform(0..{DAY_NS - 1})'})"
        if kind == "decimal":
            return f"decimal({number}, 0)" if of_number or population.is_fixed else f"decimal({_bounds(population)}, 0)"
        if kind == "timeuuid":
            return f"timeuuid(timestamp({number}))"
        if kind in {"uuid", "timestamp", "inet"}:
            return f"{kind}({number})"
        return number

    def _letters(self, name: str, kind: str, population: Distribution, size: Distribution, of_number: str) -> str:
        generator = "blob" if kind == "blob" else "text"
        if kind in TEXTS:
            self.report.mend("texts are made of printable characters; cassandra-stress's hold control characters")
        if of_number:
            return f"{generator}({length(size)}, {of_number})"
        if population.count >= ENDLESS:
            return f"{generator}({length(size)})"
        return f"{generator}({length(size)}, {draw(population)})"

"""Whether keys tell rows apart: partitions by their partition key, rows of a partition by their clustering columns."""

from __future__ import annotations

from collections.abc import Iterable

from cqlsurge.load.cql.values import encoder
from cqlsurge.load.workload.interpreter import Context, Interpreter
from cqlsurge.load.workload.spec import CLUSTERING, PARTITION, ColumnSpec, TableSpec
from cqlsurge.load.workload.walk import Walk
from cqlsurge.workload.bounds import bounds
from cqlsurge.workload.document import WorkloadError
from cqlsurge.workload.names import Shared
from cqlsurge.workload.population import Population

#: partitions and rows that are looked at, from the beginning, and as many spread over all
LOOKED_AT = 2000


def check_keys(population: Population, spec: TableSpec, shared: Shared) -> None:
    """Raises WorkloadError for keys that are not one-to-one, and for helper functions that fail."""
    run = Interpreter(1, tuple(shared.distributions), tuple(shared.values), shared.user_types, shared.functions)
    run.row_counts[spec.name] = Walk(spec, 1).rows
    names = {role: [column for column in spec.columns if column.role == role] for role in (PARTITION, CLUSTERING)}
    if population.like is None and spec.draw is None:
        _check(population, run, names[PARTITION], spec.partitions, by_row=False)
    if population.like is None and max(spec.rows) > 1:
        if not names[CLUSTERING]:
            population.place.fail(f"{max(spec.rows)} rows a partition, but {spec.name} has no clustering column")
        _check(population, run, names[CLUSTERING], max(spec.rows), by_row=True)
    _try_columns(population, run, spec)


def _check(population: Population, run: Interpreter, columns: list[ColumnSpec], count: int, by_row: bool) -> None:
    what = "rows a partition" if by_row else "partitions"
    known = [_values(population, column) for column in columns]
    values = 1
    for one in known:
        values = values * one if one else 0
    name = ", ".join(repr(column.name) for column in columns)
    cure = "" if by_row else ", or `partitions: draw(...)` if that is meant"
    node = next((population.columns[column.name] for column in columns if column.name in population.columns), None)
    place = node.place if node is not None else population.place
    if 0 < values < count:
        place.fail(
            f"{name} takes {values:,} values for {count:,} {what}: rows overwrite each other; let it depend on "
            f"{'r' if by_row else 'p'} one to one{cure}"
        )
    seen: dict[tuple[object, ...], int] = {}
    for number in _sample(count):
        at = Context(r=number) if by_row else Context(p=number)
        try:
            key = tuple(encoder_of(run, column, at) for column in columns)
        except WorkloadError:
            raise
        except Exception as error:
            place.fail(f"{name} of {'row' if by_row else 'partition'} {number}: {type(error).__name__}: {error}")
        if key in seen:
            place.fail(
                f"{name} is the same for the {what.split()[0]} {seen[key]} and {number}: rows overwrite each other; "
                f"let it depend on {'r' if by_row else 'p'} one to one{cure}"
            )
        seen[key] = number


def _values(population: Population, column: ColumnSpec) -> int:
    """How many values a column can have at the most, 0 where that is not known."""
    found = bounds(column.expr, population.limits) if column.expr is not None else None
    return 0 if found is None else found[1] - found[0] + 1


def _sample(count: int) -> Iterable[int]:
    if count <= 2 * LOOKED_AT:
        return range(count)
    stride = count // LOOKED_AT
    return sorted({*range(LOOKED_AT), *range(0, count, stride), count - 1})


def encoder_of(run: Interpreter, column: ColumnSpec, at: Context) -> object:
    """The cell of a key column."""
    from cqlsurge.load.cql.type_names import parse_type

    assert column.expr is not None
    value = run.evaluate(column.expr, at)
    return encoder(parse_type(column.type, run.user_types))(value)


def _try_columns(population: Population, run: Interpreter, spec: TableSpec) -> None:
    """Makes some rows, so that helpers that fail and values that fit no type show now."""
    from cqlsurge.load.cql.primitives import UNSET
    from cqlsurge.load.cql.type_names import parse_type

    for column in spec.columns:
        if column.expr is None:
            continue
        encode = encoder(parse_type(column.type, run.user_types))
        node = population.columns.get(column.name)
        place = node.place if node is not None else population.place
        for number in range(24):
            at = Context(number % spec.partitions, number % max(spec.rows), number % 3)
            try:
                value = run.evaluate(column.expr, at)
                if value is not None and value is not UNSET:
                    encode(value)
            except Exception as error:
                place.fail(f"{column.name!r} of partition {at.p}, row {at.r}: {type(error).__name__}: {error}")

"""SELECT over the store and the system tables."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.results import Rows
from cqlsurge.load.routing.keys import routing_key
from cqlsurge.load.routing.murmur3 import token
from cqlsurge.simulator.execution.relations import Filter, named_keys
from cqlsurge.simulator.execution.terms import deserialize, evaluate, serialize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cqlsurge.simulator.cql import ast
    from cqlsurge.simulator.execution.compiled import Compiled
    from cqlsurge.simulator.execution.request import Context
    from cqlsurge.simulator.schema import Table
    from cqlsurge.simulator.store import Cell, Partition, Store
    from cqlsurge.simulator.system.rows import SystemRows

_OFFSET = struct.Struct(">Q")


@dataclass
class Fetched:
    """A row: serialized cells by column, and the stored cells of those that have write times."""

    values: dict[str, bytes | None]
    cells: dict[str, Cell] = field(default_factory=dict)


def select(ready: Compiled, statement: ast.Select, context: Context, store: Store, system: SystemRows) -> Rows:
    """The answer of a SELECT."""
    table = ready.table
    columns = ready.result
    if table is None or columns is None:
        raise AssertionError("a SELECT is compiled with its table and columns")
    rows = list(_rows(table, statement, context, store, system))
    if statement.limit is not None:
        rows = rows[: evaluate(statement.limit, t.INT, context.values)]
    if any(selector.function == "count" for selector in statement.selectors):
        cells = [_count_cell(selector, rows) for selector in statement.selectors]
        return _result(ready, [tuple(cells)], context, None)
    start = _OFFSET.unpack(context.paging_state)[0] if context.paging_state else 0
    page = rows[start : start + context.page_size] if context.page_size and context.page_size > 0 else rows[start:]
    end = start + len(page)
    state = _OFFSET.pack(end) if end < len(rows) else None
    return _result(ready, [_project(row, statement, table, context) for row in page], context, state)


def _result(ready: Compiled, rows: list[Any], context: Context, state: bytes | None) -> Rows:
    columns = ready.result or ()
    return Rows(len(columns), rows, None if context.skip_metadata else columns, state)


def _count_cell(selector: ast.Selector, rows: list[Fetched]) -> bytes | None:
    if selector.function != "count":
        return rows[0].values.get(selector.columns[0]) if rows else None
    counted = (
        len(rows) if not selector.columns else sum(row.values.get(selector.columns[0]) is not None for row in rows)
    )
    return serialize(t.BIGINT, counted)


def _project(row: Fetched, statement: ast.Select, table: Table, context: Context) -> tuple[bytes | None, ...]:
    if not statement.selectors:
        return tuple(row.values.get(column.name) for column in table.in_order())
    found = []
    for selector in statement.selectors:
        if selector.function is None:
            found.append(row.values.get(selector.columns[0]))
        elif selector.function == "token":
            key = [row.values.get(name) or b"" for name in selector.columns]
            found.append(serialize(t.BIGINT, token(routing_key(key))))
        else:
            found.append(_time_cell(selector, row.cells.get(selector.columns[0]), context.now_us))
    return tuple(found)


def _time_cell(selector: ast.Selector, cell: Cell | None, now_us: int) -> bytes | None:
    if cell is None:
        return None
    if selector.function == "writetime":
        return serialize(t.BIGINT, cell.timestamp_us)
    if cell.expires_us is None:
        return None
    return serialize(t.INT, (cell.expires_us - now_us) // 1_000_000)


def _rows(table: Table, statement: ast.Select, context: Context, store: Store, system: SystemRows) -> Iterator[Fetched]:
    where = Filter(table, statement.where, context.values)
    if table.placement is None:
        for made in system.rows(table, context.node):
            values = _serialized(table, made)
            if where.fits(values):
                yield Fetched(values)
        return
    per_partition = statement.per_partition_limit
    most = evaluate(per_partition, t.INT, context.values) if per_partition is not None else None
    for key, partition in _partitions(table, statement, context, store, where):
        rows: Iterable[Fetched] = partition_rows(table, key, partition, context.now_us)
        if table.clustering_key:
            rows = _sorted(table, rows, reverse=_reversed(table, statement))
        left = most
        for row in rows:
            if where.fits(row.values):
                if left == 0:
                    break
                left = None if left is None else left - 1
                yield row
                if statement.distinct:
                    break


def _serialized(table: Table, made: dict[str, Any]) -> dict[str, bytes | None]:
    return {
        name: serialize(table.columns[name].type, value)
        for name, value in made.items()
        if value is not None and name in table.columns
    }


def _partitions(
    table: Table, statement: ast.Select, context: Context, store: Store, where: Filter
) -> Iterable[tuple[tuple[bytes, ...], Partition]]:
    keys = named_keys(table.partition_key, statement.where, context.values)
    if keys is None:
        found = [(token(routing_key(key)), key, partition) for key, partition in store.all(table.id)]
        found.sort(key=lambda item: item[:2])
        return [(key, partition) for key_token, key, partition in found if where.token_fits(key_token)]
    for key in keys:
        context.touch(table, key)
    return [(key, partition) for key in keys if (partition := store.find(table.id, key)) is not None]


def partition_rows(table: Table, key: tuple[bytes, ...], partition: Partition, now_us: int) -> Iterator[Fetched]:
    """The live rows of a partition, with its statics; a partition of statics alone is one row."""
    statics = partition.live_statics(now_us) if table.has_statics else {}
    fixed: dict[str, bytes | None] = {column.name: key[at] for at, column in enumerate(table.partition_key)}
    fixed.update((name, cell.value) for name, cell in statics.items())
    alone = True
    for clustering, cells in partition.live_rows(now_us):
        alone = False
        values = dict(fixed)
        values.update((column.name, clustering[at]) for at, column in enumerate(table.clustering_key))
        values.update((name, cell.value) for name, cell in cells.items())
        yield Fetched(values, {**statics, **cells})
    if alone and statics:
        yield Fetched(fixed, statics)


def _sorted(table: Table, rows: Iterable[Fetched], *, reverse: bool) -> list[Fetched]:
    ordered = list(rows)
    # Stable sorts from the last column to the first, since directions may differ.
    for column in reversed(table.clustering_key):

        def key(row: Fetched, name: str = column.name, of: Any = column.type) -> Any:
            cell = row.values.get(name)
            return (0, 0) if cell is None else (1, deserialize(of, cell))

        ordered.sort(key=key, reverse=column.descending != reverse)
    return ordered


def _reversed(table: Table, statement: ast.Select) -> bool:
    """Whether ORDER BY asks for the opposite of the table's own order."""
    return statement.descending is not None and statement.descending != table.clustering_key[0].descending

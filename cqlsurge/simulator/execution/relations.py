"""WHERE: which partitions and clustering keys are named, and whether a row fits."""

from __future__ import annotations

import itertools
import operator
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.primitives import Unset, Value
from cqlsurge.load.routing.keys import routing_key
from cqlsurge.load.routing.murmur3 import token
from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.execution.terms import deserialize, evaluate, resolve_key
from cqlsurge.simulator.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cqlsurge.simulator.schema import Column, Table

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def named_keys(
    columns: list[Column], where: Sequence[ast.Relation], values: Sequence[Value]
) -> list[tuple[bytes, ...]] | None:
    """All combinations that = and IN name for these columns; None unless each column is named."""
    choices = []
    for column in columns:
        found = [r for r in where if r.form == "column" and r.columns[0] == column.name and r.operator in ("=", "in")]
        if not found:
            return None
        choices.append(_choices(found[0], column, values))
    return list(itertools.product(*choices))


def _choices(relation: ast.Relation, column: Column, values: Sequence[Value]) -> list[bytes]:
    if relation.operator == "=":
        return [resolve_key(relation.value, column.type, values, column.name)]
    if isinstance(relation.value, ast.Marker):
        listed = values[relation.value.index]
        if listed is None or isinstance(listed, Unset):
            raise SchemaError(f"Invalid null value for IN restriction on {column.name}")
        cells = deserialize(t.ListType(t.BLOB), listed)
    else:
        cells = [resolve_key(item, column.type, values, column.name) for item in relation.value.items]
    return list(dict.fromkeys(cells))


class Filter:
    """The relations of a WHERE as one test of a row given as serialized cells by column."""

    def __init__(self, table: Table, where: Sequence[ast.Relation], values: Sequence[Value]) -> None:
        self._table = table
        self._tests = [self._test(relation, values) for relation in where if relation.form != "token"]
        self._token_tests = [
            (_COMPARE[relation.operator], _token_bound(relation.value, table, values))
            for relation in where
            if relation.form == "token" and relation.operator in _COMPARE
        ]

    def token_fits(self, key_token: int) -> bool:
        return all(compare(key_token, bound) for compare, bound in self._token_tests)

    def fits(self, cells: dict[str, bytes | None]) -> bool:
        return all(test(cells) for test in self._tests)

    def _test(self, relation: ast.Relation, values: Sequence[Value]) -> Callable[[dict[str, bytes | None]], bool]:
        columns = [self._table.column(name) for name in relation.columns]
        types = [column.type for column in columns]
        kind: Any = types[0] if relation.form == "column" else t.TupleType(tuple(types))

        def python(cells: dict[str, bytes | None]) -> Any:
            found = [cells.get(column.name) for column in columns]
            if None in found:
                return None
            decoded = [deserialize(of, cell) for of, cell in zip(types, found) if cell is not None]  # noqa: B905
            return decoded[0] if relation.form == "column" else tuple(decoded)

        if relation.operator == "in":
            listed = relation.value
            wanted: list[Any] = (
                evaluate(listed, t.ListType(kind), values) or []
                if isinstance(listed, ast.Marker)
                else [evaluate(item, kind, values) for item in listed.items]
            )
            return lambda cells: python(cells) in wanted
        compare = _COMPARE[relation.operator]
        bound = evaluate(relation.value, kind, values)
        if relation.operator in ("=", "!="):
            return lambda cells: compare(_plain(python(cells)), _plain(bound))
        return lambda cells: (found := python(cells)) is not None and bound is not None and compare(found, bound)


def _token_bound(term: Any, table: Table, values: Sequence[Value]) -> int:
    """What token(...) is compared with: a number, or the token of a partition key."""
    if isinstance(term, ast.Call) and term.name == "token":
        if len(term.arguments) != len(table.partition_key):
            raise SchemaError(f"token() takes the {len(table.partition_key)} columns of the partition key")
        pairs = zip(table.partition_key, term.arguments)  # noqa: B905
        return token(routing_key([resolve_key(item, column.type, values, column.name) for column, item in pairs]))
    bound: int | None = evaluate(term, t.BIGINT, values)
    if bound is None:
        raise SchemaError("Invalid null token value")
    return bound


def _plain(value: Any) -> Any:
    """Sets and maps may come as lists from literals; compare what is in them."""
    if isinstance(value, dict):
        return sorted(value.items())
    return sorted(value) if isinstance(value, set) else value

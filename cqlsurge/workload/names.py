"""What expressions are built with: the meaning of names, ranges, and what all trees of a workload share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.distributions import Distribution
from cqlsurge.load.workload.expressions import Expr, P, R, V, const
from cqlsurge.workload.document import Place
from cqlsurge.workload.parameters import Range

_NUMBERS = {"p": P, "r": R, "v": V}
NUMERIC = {"int", "float", "timestamp", "date", "time"}


@dataclass
class Shared:
    """What all trees of a workload have in common: their distributions and value lists, each once."""

    distributions: list[Distribution] = field(default_factory=list)
    values: list[tuple[Any, ...]] = field(default_factory=list)
    user_types: dict[str, t.UserType] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def distribution(self, drawn: Distribution) -> int:
        """The distribution's index."""
        if drawn not in self.distributions:
            self.distributions.append(drawn)
        return self.distributions.index(drawn)

    def value_list(self, values: tuple[Any, ...]) -> int:
        """The list's index."""
        if values not in self.values:
            self.values.append(values)
        return self.values.index(values)


@dataclass
class Names:
    """What names mean where an expression stands. `columns`: name -> its tree, made when it is first asked for."""

    params: Mapping[str, Any]
    columns: Mapping[str, Callable[[Place], Expr]]
    shared: Shared
    numbers: Mapping[str, Expr] = field(default_factory=lambda: dict(_NUMBERS))
    table: str = ""
    folder: str = ""

    @property
    def all(self) -> list[str]:
        """Every name, for errors."""
        return [*self.columns, *self.numbers, *self.params]


@dataclass(frozen=True)
class RangeExpr:
    """`low..high` as trees."""

    low: Expr
    high: Expr


Built = Expr | RangeExpr | list[Any]


def constant_of(value: Any) -> Built:
    """A parameter's value as what stands in a tree."""
    if isinstance(value, Range):
        return RangeExpr(const(value.low), const(value.high))
    if isinstance(value, list):
        return [constant_of(one) for one in value]
    return const(value)

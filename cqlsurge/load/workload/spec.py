"""A workload as data: what there is, what is done to it, how much of it. Complete, checked, JSON-able both ways.

The parent makes it, from a file or by hand; it travels in the plan, and load processes make operations of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from cqlsurge.load.workload.distributions import Distribution
from cqlsurge.load.workload.expressions import Expr

#: rows a partition, statements of a mix and lengths of runs are exact in blocks of so many
BLOCK = 4096

PARTITION, CLUSTERING, STATIC, REGULAR = "partition", "clustering", "static", "regular"


class _Json:
    """Fields by name; classes say how those are read that are no plain data."""

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.to_json() if hasattr(value, "to_json") else value


def _tuple(data: Any) -> Any:
    return tuple([_tuple(one) for one in data]) if isinstance(data, list) else data


def _expr(data: Any) -> Expr | None:
    return None if data is None else Expr.from_json(data)


@dataclass(frozen=True)
class ColumnSpec(_Json):
    """A column. `type`: CQL text, user-defined types by name; `multicell`: an unfrozen collection or user type.

    `expr` is None where rows have no value of it by themselves, as with counters.
    """

    name: str
    type: str
    role: str = REGULAR
    expr: Expr | None = None
    multicell: bool = False
    descending: bool = False

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ColumnSpec:
        """The column that `to_json` gave."""
        return cls(**{**data, "expr": _expr(data["expr"])})


@dataclass(frozen=True)
class TableSpec(_Json):
    """The population of a table.

    rows: one number for all partitions, or BLOCK numbers, of which each block of partitions has each once (walk.py).
    group: so many partitions belong together; walk `rows` goes through a group row by row, `partitions` through the
    rows of one partition after the other. seeds: with `draw`, how many numbers partitions are drawn from, by the tree
    `draw` of p. streams: what the names of the table's streams begin with: tables of one name have the same cells.
    carrier: the column whose first bytes tell the version, or "". expires: whether cells go by themselves (TTL).
    """

    name: str
    columns: tuple[ColumnSpec, ...]
    partitions: int
    rows: tuple[int, ...] = (1,)
    walk: str = "partitions"
    group: int = 1
    streams: str = ""
    seeds: int = 0
    draw: Expr | None = None
    carrier: str = ""
    expires: bool = False

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TableSpec:
        """The table that `to_json` gave."""
        columns = tuple([ColumnSpec.from_json(column) for column in data["columns"]])
        return cls(**{**data, "columns": columns, "rows": tuple(data["rows"]), "draw": _expr(data["draw"])})

    def column(self, name: str) -> ColumnSpec | None:
        """The column of a name, None where there is none."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class PickSpec(_Json):
    """Which row an operation takes.

    how: `next` (the walk over the table), `sequence` (partitions by the operation's number), `uniform`,
    `draw` (a partition by `distribution`, scattered unless
    `ordered`), `written` (groups back by `distribution`; -1: all that is written alike; -2: no group back), `new`
    (never written), `like` (as the statement `of`). row: how a row of a drawn partition is found: `uniform`, `first`,
    `last`, `at` (row_value), `draw` (row_distribution).
    """

    how: str
    distribution: int = -1
    ordered: bool = False
    of: str = ""
    row: str = "uniform"
    row_value: int = 0
    row_distribution: int = -1

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PickSpec:
        """The pick that `to_json` gave."""
        return cls(**data)


@dataclass(frozen=True)
class BindSpec(_Json):
    """A bind variable. many: a list of what the tree gives for each of the statement's `many` picks."""

    name: str
    type: str
    expr: Expr
    many: bool = False

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> BindSpec:
        """The bind that `to_json` gave."""
        return cls(**{**data, "expr": Expr.from_json(data["expr"])})


@dataclass(frozen=True)
class ReturnSpec(_Json):
    """A column of an answer; `column`: the table's column it is, "" for anything computed."""

    name: str
    type: str
    column: str = ""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ReturnSpec:
        """What `to_json` gave."""
        return cls(**data)


@dataclass(frozen=True)
class StatementSpec(_Json):
    """A statement as it is prepared, or a batch of them.

    kind: insert, update, delete, select, counter, batch, ddl. table: whose rows it picks. key: positions among the
    binds of the partition key, empty where a bind does not give it. covers: how many rows it touches: `row`,
    `partition`, `range`, `many` (IN), `table`. limit: the most rows an answer has, 0 for no limit, -1 where a bind says
    it. order: `forward` or `reverse` of the table's. timestamp: `now` (the moment it was due), `operation`, `server`,
    or the text of an expression whose tree is `timestamp_expr`. rows: of a batch, how many rows of the picked
    partition; 0 for all. select: the share of all rows that each operation takes, drawn row by row; 0 for no choice.
    """

    name: str
    kind: str
    cql: str
    table: str
    binds: tuple[BindSpec, ...] = ()
    returns: tuple[ReturnSpec, ...] = ()
    key: tuple[int, ...] = ()
    covers: str = "row"
    columns: tuple[str, ...] = ()
    pick: PickSpec | None = None
    many: int = 1
    conditional: bool = False
    filtered: bool = False
    limit: int = 0
    order: str = "forward"
    page_size: int = 0
    pages: int = 1
    consistency: str = ""
    serial_consistency: str = ""
    timestamp: str = "now"
    timestamp_expr: Expr | None = None
    prepared: bool = True
    idempotent: bool = True
    check: str = ""
    not_applied: str = "ok"
    timeout_s: float = 0.0
    batch: str = ""
    rows: int = 1
    select: float = 0.0
    split: int = 0
    children: tuple[StatementSpec, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether a lost answer leaves its fate unknown."""
        return self.kind != "select"

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StatementSpec:
        """The statement that `to_json` gave."""
        special = {
            "binds": tuple([BindSpec.from_json(one) for one in data["binds"]]),
            "returns": tuple([ReturnSpec.from_json(one) for one in data["returns"]]),
            "key": tuple(data["key"]),
            "columns": tuple(data["columns"]),
            "pick": None if data["pick"] is None else PickSpec.from_json(data["pick"]),
            "timestamp_expr": _expr(data["timestamp_expr"]),
            "children": tuple([StatementSpec.from_json(one) for one in data["children"]]),
        }
        return cls(**{**data, **special})


@dataclass(frozen=True)
class PhaseSpec(_Json):
    """A phase. mix: (statement, weight); picks: (statement or `any`, pick); operations: 0 for no limit.

    whole: so many operations that its tables are written once. before: (table, number of earlier phases that write it
    by `next`): where versions begin. runs: lengths of runs of one statement, BLOCK of them, or (1,). expect and
    stop_if: (figure, comparison, value) as written. verify: (table, share) where the phase reads a table back instead.
    """

    name: str
    mix: tuple[tuple[str, float], ...] = ()
    picks: tuple[tuple[str, PickSpec], ...] = ()
    operations: int = 0
    duration_s: float = 0.0
    rate: str = ""
    concurrency: int = 0
    warmup_s: float = 0.0
    consistency: str = ""
    runs: tuple[int, ...] = (1,)
    count: str = "operations"
    latency: str = ""
    before: tuple[tuple[str, int], ...] = ()
    loaded: tuple[str, ...] = ()
    whole: bool = False
    expect: tuple[tuple[str, str, str], ...] = ()
    stop_if: tuple[tuple[str, str, str], ...] = ()
    verify: tuple[tuple[str, float], ...] = ()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PhaseSpec:
        """The phase that `to_json` gave."""
        picks = tuple([(name, PickSpec.from_json(pick)) for name, pick in data["picks"]])
        return cls(**{name: _tuple(value) for name, value in data.items() if name != "picks"}, picks=picks)


@dataclass(frozen=True)
class WorkloadSpec(_Json):
    """All of a workload. user_types: (name, ((field, type), ...)) with those first that others need.

    python: (module name, source) of the helper file, or nothing. vocabularies: (name, words). values: lists of texts
    read from files, by index. params: (name, value) as the run has them, for the result.
    """

    name: str
    tables: tuple[TableSpec, ...]
    statements: tuple[StatementSpec, ...]
    phases: tuple[PhaseSpec, ...]
    about: str = ""
    params: tuple[tuple[str, Any], ...] = ()
    user_types: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    distributions: tuple[Distribution, ...] = ()
    values: tuple[tuple[Any, ...], ...] = ()
    python: tuple[str, str] = ("", "")
    schema: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> WorkloadSpec:
        """The workload that `to_json` gave."""
        parts: dict[str, Any] = {
            "tables": TableSpec,
            "statements": StatementSpec,
            "phases": PhaseSpec,
            "distributions": Distribution,
        }
        read: dict[str, Any] = {name: _tuple(value) for name, value in data.items() if name not in parts}
        for name, part in parts.items():
            read[name] = tuple([part.from_json(one) for one in data[name]])
        return cls(**read)

    @property
    def fingerprint(self) -> str:
        """A short text that is the same for the same tables and statements, whatever the parameters."""
        parts = [[table.name, [[one.name, one.type] for one in table.columns]] for table in self.tables]
        parts += [[one.name, one.kind, [column.name for column in one.binds]] for one in self.statements]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=6).hexdigest()

    def table(self, name: str) -> TableSpec:
        """The table of a name; KeyError."""
        found: TableSpec = _named(self.tables, name)
        return found

    def statement(self, name: str) -> StatementSpec:
        """The statement of a name; KeyError."""
        found: StatementSpec = _named(self.statements, name)
        return found

    def phase(self, name: str) -> PhaseSpec:
        """The phase of a name; KeyError."""
        found: PhaseSpec = _named(self.phases, name)
        return found


def _named(things: tuple[Any, ...], name: str) -> Any:
    for thing in things:
        if thing.name == name:
            return thing
    raise KeyError(name)

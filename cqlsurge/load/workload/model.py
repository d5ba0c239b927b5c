"""What an operation is: its kind, where it goes and what it binds.

A workload is a list of operation kinds and one function: operation number -> (kind, partition, row), from which the
routing key and the bound values follow. All of it depends on the seed and the number alone: any engine, runtime and
number of processes makes the same operations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cqlsurge.load.outcomes.classes import MISSING, WRONG

if TYPE_CHECKING:
    from cqlsurge.load.cql.primitives import Value
    from cqlsurge.load.cql.types import UserType


#: how much of a cell errors show
SHOWN_BYTES = 24


@dataclass(frozen=True)
class Column:
    """A bound variable or a result column: its name and its CQL type as text."""

    name: str
    type: str


@dataclass(frozen=True)
class Kind:
    """One kind of operation: a prepared statement and how it is sent.

    `binds` are the statement's variables in order; `key` the positions in it that make the partition key; `returns` the
    columns of an answer's rows, empty where none are expected. `writes` says that a lost answer leaves its fate
    unknown. `timestamp` asks for a client timestamp, fixed at the first attempt so that a retry cannot reorder writes.
    `pages`: how many pages of an answer are read, 0 for all. `conditional`: the answer says whether it was applied;
    `must_apply`: it failed where it was not. `batch`: of a batch, logged, unlogged or counter; then
    `statement` and `binds` are those of its first part, and `further` are the statements of the others.
    """

    name: str
    statement: str
    binds: tuple[Column, ...]
    key: tuple[int, ...] = (0,)
    returns: tuple[Column, ...] = ()
    writes: bool = False
    idempotent: bool = True
    timestamp: bool = False
    consistency: str = "LOCAL_QUORUM"
    serial_consistency: str | None = None
    page_size: int | None = None
    rows_expected: int | None = None
    pages: int = 1
    conditional: bool = False
    must_apply: bool = False
    batch: str = ""
    further: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """All that an operation is. `cells`: the bound values, serialized; `routing_key` None: any node will do.

    `batch`: of a batch, the statement (index among its kind's) and the cells of each part.
    """

    kind: int
    number: int
    ordinal: int
    partition: int
    row: int
    version: int
    routing_key: bytes | None
    cells: Sequence[Value]
    batch: Sequence[tuple[int, Sequence[Value]]] = ()


@dataclass(frozen=True)
class WorkloadSpec:
    """A workload as it travels in a plan: its name and its parameters, JSON-able."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)


class Workload:
    """What engines see of a workload. Subclasses are pure: no state changes after construction."""

    kinds: tuple[Kind, ...] = ()

    #: whether values of this workload shrink under LZ4: decided once, so that frames need no trial each
    shrinks = False

    #: user-defined types by name, that the kinds' columns may be of
    user_types: Mapping[str, UserType] = {}

    def locate(self, number: int) -> tuple[int, int, int]:
        """(index of the kind, partition index, row index) of an operation."""
        raise AssertionError("a workload must say where its operations go")

    def routing_key(self, partition: int) -> bytes:
        """The serialized partition key, composite keys in their composite form."""
        raise AssertionError("a workload must say its routing keys")

    def values(self, kind: int, partition: int, row: int) -> list[bytes]:
        """The bound values of an operation, serialized, in the order of the kind's `binds`."""
        raise AssertionError("a workload must say its values")

    def expected(self, kind: int, partition: int, row: int) -> list[bytes] | None:
        """The serialized cells of the one row that a read must give, or None where any answer will do."""
        return None

    def judge(self, number: int, rows: Sequence[Sequence[bytes | None]]) -> tuple[str, str] | None:
        """(`missing` or `wrong`, text) where the rows of an operation's answer are not what they must be."""
        kind, partition, row = self.locate(number)
        expected = self.expected(kind, partition, row)
        if expected is None:
            return None
        key = f"key {expected[0].hex()}"
        if not rows:
            return MISSING, f"no row for {key}"
        if len(rows) != 1:
            return WRONG, f"{len(rows)} rows for {key}, not 1"
        if len(rows[0]) != len(expected):
            return WRONG, f"{len(rows[0])} cells for {key}, not {len(expected)}"
        for column, found, wanted in zip(self.kinds[kind].returns, rows[0], expected):
            if found != wanted:
                return WRONG, f"{key}, column {column.name}: {shown(found)}, not {shown(wanted)}"
        return None

    def operation(self, number: int) -> Operation:
        """Everything of one operation."""
        kind, partition, row = self.locate(number)
        return Operation(
            kind=kind,
            number=number,
            ordinal=number,
            partition=partition,
            row=row,
            version=0,
            routing_key=self.routing_key(partition),
            cells=self.values(kind, partition, row),
        )


def shown(cell: bytes | None) -> str:
    """A cell for people."""
    return "null" if cell is None else f"{cell[:SHOWN_BYTES].hex()} ({len(cell)} bytes)"

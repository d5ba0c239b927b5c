"""A workload's operations, one by one, as the plain interpreter makes them: for drivers, for tests, and as the law."""

from __future__ import annotations

import sys
import types
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.cql.primitives import UNSET, Value
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.types import UserType
from cqlsurge.load.cql.values import encoder
from cqlsurge.load.routing.keys import routing_key
from cqlsurge.load.workload.expressions import Expr
from cqlsurge.load.workload.interpreter import Context, Interpreter
from cqlsurge.load.workload.mix import Mix
from cqlsurge.load.workload.model import Column, Kind, Operation, Workload
from cqlsurge.load.workload.picks import Picked, Picker
from cqlsurge.load.workload.python import Workload as PythonWorkload
from cqlsurge.load.workload.spec import PARTITION, PhaseSpec, StatementSpec, TableSpec, WorkloadSpec
from cqlsurge.load.workload.walk import Walk

if TYPE_CHECKING:
    from cqlsurge.load.workload.judge import Judge

Encode = Callable[[Any], bytes]

#: values shrink where so many operations, up to so many bytes, compress to less than this share
SHRINK_SAMPLE, SHRINK_BYTES, SHRINK_BELOW = 32, 1 << 16, 0.6


def user_types_of(spec: WorkloadSpec) -> dict[str, UserType]:
    """The user-defined types by name, and by keyspace.name."""
    found: dict[str, UserType] = {}
    for full, fields in spec.user_types:
        keyspace, _, name = full.rpartition(".")
        parsed = UserType(keyspace, name, tuple([(field, parse_type(text, found)) for field, text in fields]))
        found[name] = found[full] = parsed
    return found


class SpecWorkload(Workload):
    """One phase of a workload.

    allowance: numbers that may not have ended when a later one is issued. statements: the kinds, by name, which are the
    same in all phases of a run; those of the phase's mix where none are given.
    """

    def __init__(
        self,
        spec: WorkloadSpec,
        phase: str,
        seed: int,
        allowance: int = 0,
        consistency: str = "",
        statements: Sequence[str] = (),
    ) -> None:
        self.spec, self.seed = spec, seed
        #: operations with numbers up to so much larger than one's own may have been issued when it is answered
        self.spread = allowance + 1024
        self.phase: PhaseSpec = spec.phase(phase)
        self.user_types = user_types_of(spec)
        mixed = [name for name, _ in self.phase.mix]
        names = list(statements) or mixed
        self.statements = [spec.statement(name) for name in names]
        #: the kind of each statement of the mix
        self.kind_of_mix = [names.index(name) for name in mixed]
        self.mix = Mix([weight for _, weight in self.phase.mix], seed, phase, self.phase.runs)
        #: by place in the mix
        self.pickers = [Picker(spec, self.phase, spec.statement(name), seed, self.mix, allowance) for name in mixed]
        level = self.phase.consistency or consistency or "LOCAL_QUORUM"
        self.kinds = tuple([kind_of(statement, level) for statement in self.statements])
        functions = load_functions(*spec.python)
        self.run = Interpreter(seed, spec.distributions, spec.values, self.user_types, functions)
        for table in spec.tables:
            self.run.row_counts[table.name] = Walk(table, seed).rows
        for picker in self.pickers:
            if picker.table.draw is not None:
                picker.drawn = partial(self._drawn, picker.table.draw)
        self._encoders: dict[str, Encode] = {}
        self._judge: Judge | None = None
        self.shrinks = self._shrink()

    def _shrink(self) -> bool:
        """Whether the bound values of some operations take much less room when they are compressed together."""
        cells: list[bytes] = []
        for number in range(SHRINK_SAMPLE):
            operation = self.operation(number)
            for part in [operation.cells, *[cells for _, cells in operation.batch]]:
                cells += [cell for cell in part if isinstance(cell, bytes)]
        joined = b"".join(cells)[:SHRINK_BYTES]
        return len(joined) > 1024 and len(zlib.compress(joined, 1)) < SHRINK_BELOW * len(joined)

    def judge(self, number: int, rows: Sequence[Sequence[bytes | None]]) -> tuple[str, str] | None:
        """See Workload, and judge.py."""
        if self._judge is None:
            from cqlsurge.load.workload.judge import Judge

            self._judge = Judge(self)
        return self._judge.judge(number, rows)

    def locate(self, number: int) -> tuple[int, int, int]:
        """(kind, partition, row) of an operation."""
        place, ordinal = self.mix.at(number)
        picker = self.pickers[place]
        picked = picker.pick(ordinal * picker.statement.many, number)
        return self.kind_of_mix[place], self.partition(picker.table, picked), picked.row

    def partition(self, table: TableSpec, picked: Picked) -> int:
        """The partition that was picked, in a table whose partitions are drawn: what its number drew."""
        if table.draw is None:
            return picked.partition
        return self._drawn(table.draw, picked.partition)

    def _drawn(self, draw: Expr, seed_number: int) -> int:
        drawn: int = self.run.evaluate(draw, Context(p=seed_number))
        return drawn

    def operation(self, number: int) -> Operation:
        """See Workload."""
        place, ordinal = self.mix.at(number)
        picker = self.pickers[place]
        statement = picker.statement
        picked = picker.pick(ordinal * statement.many, number)
        at = Context(self.partition(picker.table, picked), picked.row, picked.version, ordinal)
        further = [picker.pick(ordinal * statement.many + turn, number) for turn in range(1, statement.many)]
        every = [at, *[Context(self.partition(picker.table, one), one.row, one.version, ordinal) for one in further]]
        return Operation(
            kind=self.kind_of_mix[place],
            number=number,
            ordinal=ordinal,
            partition=at.p,
            row=at.r,
            version=at.v,
            routing_key=self.key_of(statement, at),
            cells=self.cells(statement, every),
            batch=self.parts(statement, picker, every) if statement.batch else (),
        )

    def parts(
        self, statement: StatementSpec, picker: Picker, every: list[Context]
    ) -> list[tuple[int, Sequence[Value]]]:
        """The parts of a batch: each of its statements for each of its rows, row by row."""
        found: list[tuple[int, Sequence[Value]]] = []
        for turn, at in enumerate(every):
            rows = picker.rows_walk.rows(at.p)
            chunk = statement.rows or rows
            first = at.r if statement.rows == 1 else at.r * chunk
            chosen: Iterable[int] = range(first, min(first + chunk, rows) if statement.rows != 1 else first + 1)
            if statement.select:
                chosen = picker.selected(at.o * statement.many + turn, rows)
            for row in chosen:
                one = replace(at, r=row)
                found += [(index, self.cells(child, [one])) for index, child in enumerate(statement.children)]
        return found

    def cells(self, statement: StatementSpec, every: list[Context]) -> list[Value]:
        """The bound values of a statement for its picks, of which there is one for all but `many`."""
        cells: list[Value] = []
        for bind in statement.binds:
            if bind.many:
                found: Any = [self.run.evaluate(bind.expr, at) for at in every]
            else:
                found = self.run.evaluate(bind.expr, every[0])
            cells.append(self.encode(bind.type, found))
        return cells

    def encode(self, cql_type: str, value: Any) -> Value:
        """A value as a cell."""
        if value is None or value is UNSET:
            return value
        if cql_type not in self._encoders:
            self._encoders[cql_type] = encoder(parse_type(cql_type, self.user_types))
        return self._encoders[cql_type](value)

    def cell(self, expr: Expr, cql_type: str, at: Context) -> Value:
        """The cell of a tree."""
        return self.encode(cql_type, self.run.evaluate(expr, at))

    def key_of(self, statement: StatementSpec, at: Context) -> bytes | None:
        """The routing key, from the binds that give it; None where the statement names no partition."""
        statement = statement.children[0] if statement.batch else statement
        if not statement.key:
            return None
        parts = [self.cell(statement.binds[place].expr, key_type(statement, place), at) for place in statement.key]
        return routing_key([part if isinstance(part, bytes) else b"" for part in parts])

    def partition_key(self, table: TableSpec, partition: int) -> list[bytes]:
        """The cells of a partition's key."""
        at = Context(p=partition)
        found = []
        for column in table.columns:
            if column.role == PARTITION and column.expr is not None:
                cell = self.cell(column.expr, column.type, at)
                found.append(cell if isinstance(cell, bytes) else b"")
        return found


def key_type(statement: StatementSpec, place: int) -> str:
    """The type of the key column that a bind gives: of a list of them, the element's."""
    bind = statement.binds[place]
    return bind.type[len("list<") : -1] if bind.many else bind.type


def kind_of(statement: StatementSpec, consistency: str) -> Kind:
    """What engines know of a statement."""
    writes = statement.writes
    first = statement.children[0] if statement.batch else statement
    conditional = any(one.conditional for one in statement.children or (statement,))
    counter = "counter" in (statement.kind, statement.batch)
    return Kind(
        name=statement.name,
        statement=first.cql,
        binds=tuple([Column(bind.name, bind.type) for bind in first.binds]),
        key=statement.key,
        returns=tuple([Column(one.name, one.type) for one in statement.returns]),
        writes=writes,
        idempotent=statement.idempotent,
        timestamp=writes and statement.timestamp != "server" and not conditional and not counter,
        consistency=statement.consistency or consistency,
        serial_consistency=(statement.serial_consistency or "LOCAL_SERIAL") if conditional else None,
        page_size=statement.page_size or None,
        rows_expected=1 if statement.kind == "select" and statement.covers == "row" else None,
        pages=statement.pages,
        conditional=statement.conditional,
        must_apply=statement.not_applied == "error",
        batch=statement.batch,
        further=tuple([child.cql for child in statement.children[1:]]),
    )


def load_functions(module: str, source: str) -> dict[str, Callable[..., Any]]:
    """The functions of a helper file by `module.name`, and those of columns by `keyspace.table.column`.

    It is the workload's own code, run as it is.
    """
    if not source:
        return {}
    name = f"cqlsurge_helper_{module}"
    made = types.ModuleType(name)
    sys.modules[name] = made
    exec(compile(source, f"{module}.py", "exec"), made.__dict__)
    functions = {f"{module}.{key}": value for key, value in vars(made).items() if callable(value)}
    for value in vars(made).values():
        if isinstance(value, PythonWorkload):
            functions.update(value.functions)
    return functions


def from_parameters(parameters: dict[str, Any]) -> SpecWorkload:
    """The workload from a plan's parameters: spec (JSON), phase, seed, allowance, consistency, statements."""
    more = {name: value for name, value in parameters.items() if name != "spec"}
    return SpecWorkload(WorkloadSpec.from_json(parameters["spec"]), **more)

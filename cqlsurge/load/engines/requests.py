"""What engines on other people's drivers bind, and how they judge an answer.

Drivers take natural Python values (uuid.UUID, bytes, int), so the serialized cells of a workload are turned into these
and the driver serializes them again: part of what an application pays too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from cqlsurge.load.cql.primitives import UNSET, Value
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.types import CqlType
from cqlsurge.load.cql.values import decoder, encoder
from cqlsurge.load.engines.contract import EngineError, Work
from cqlsurge.load.engines.sample import below_of, checked
from cqlsurge.load.workload.model import Workload

#: operations that are bound before there is load, to see whether the driver takes them
TRIED = 64


def check_binds(
    workload: Workload,
    engine: str,
    bind: Callable[[int, list[Any]], Any],
    unset: Any = None,
    bind_of: Callable[[CqlType], Callable[[bytes], Any]] = decoder,
) -> None:
    """Binds the first operations of each kind, before there is load. Raises EngineError for what the driver refuses."""
    known = workload.user_types
    binders = [[bind_of(parse_type(column.type, known)) for column in kind.binds] for kind in workload.kinds]
    for number in range(TRIED):
        operation = workload.operation(number)
        kind = workload.kinds[operation.kind]
        values = []
        for made, cell in zip(binders[operation.kind], operation.cells):
            values.append(unset if cell is UNSET else None if cell is None else made(cell))
        try:
            bind(operation.kind, values)
        except Exception as error:
            why = " ".join(str(error).split())[:200]
            raise EngineError(
                f"engine {engine} cannot bind the values of statement {kind.name!r}: {why}; take --engine wire"
            ) from error


def refuse_pages(workload: Workload, who: str) -> None:
    """Raises EngineError where a statement's answers are to be read by the page, which this engine does not do."""
    for kind in workload.kinds:
        if kind.pages != 1:
            raise EngineError(
                f"{who} reads the first page of an answer only, and statement {kind.name!r} wants more: take --engine "
                "wire, or scylla-driver with --technique window"
            )


class Requests:
    """Binds operations and checks the share of reads that the work asks for. A row is any sequence of its columns.

    bind_of, cell_of: from a type to what makes the driver's value of a cell, and the cell of a value that it gives.
    """

    def __init__(
        self,
        work: Work,
        unset: Any = None,
        bind_of: Callable[[CqlType], Callable[[bytes], Any]] = decoder,
        cell_of: Callable[[CqlType], Callable[[Any], bytes]] = encoder,
    ) -> None:
        #: what the driver takes for a value that leaves its cell alone
        self.unset = unset
        self._workload = work.workload
        self._recorder = work.recorder
        known = work.workload.user_types
        self._decoders = [
            [bind_of(parse_type(column.type, known)) for column in kind.binds] for kind in work.workload.kinds
        ]
        self._encoders = [
            [cell_of(parse_type(column.type, known)) for column in kind.returns] for kind in work.workload.kinds
        ]
        self._check_below = below_of(work.verify_share)

    def bind(self, number: int) -> tuple[int, list[Any]]:
        """The kind of an operation and its values as the driver wants them."""
        operation = self._workload.operation(number)
        decoders = self._decoders[operation.kind]
        values = [self._value(decode, cell) for decode, cell in zip(decoders, operation.cells)]
        return operation.kind, values

    def _value(self, decode: Callable[[bytes], Any], cell: Value) -> Any:
        if cell is UNSET:
            return self.unset
        return None if cell is None else decode(cell)

    def unfulfilled(self, kind: int, rows: Sequence[Sequence[Any]]) -> tuple[str, str] | None:
        """Counts whether a conditional write was applied; (error class, text) where it had to be and was not."""
        if not self._workload.kinds[kind].conditional or not rows:
            return None
        error_class = self._recorder.condition(kind, bool(rows[0][0]))
        return (error_class, "its condition did not hold") if error_class else None

    def fault(self, number: int, rows: Sequence[Sequence[Any]]) -> tuple[str, str] | None:
        """(`missing` or `wrong`, text) where the answer is not what it must be; None where it is or is not checked."""
        if not checked(number, self._check_below):
            return None
        kind = self._workload.locate(number)[0]
        if not self._encoders[kind]:
            return None
        encoders = self._encoders[kind]
        found = [[None if value is None else encode(value) for encode, value in zip(encoders, row)] for row in rows]
        return self._workload.judge(number, found)

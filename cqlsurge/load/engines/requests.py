"""What engines on other people's drivers bind, and how they judge an answer.

Drivers take natural Python values (uuid.UUID, bytes, int), so the serialized cells of a workload are turned into these
and the driver serializes them again: part of what an application pays too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.values import decoder, encoder
from cqlsurge.load.engines.contract import Work
from cqlsurge.load.outcomes.classes import MISSING, WRONG
from cqlsurge.load.workload.mixing import mix64, native, stream, unsigned


class Requests:
    """Binds operations and checks the share of reads that the work asks for. A row is any sequence of its columns."""

    def __init__(self, work: Work, seed: int) -> None:
        self._workload = work.workload
        self._decoders = [[decoder(parse_type(column.type)) for column in kind.binds] for kind in work.workload.kinds]
        self._encoders = [[encoder(parse_type(column.type)) for column in kind.returns] for kind in work.workload.kinds]
        self._check_below = int(work.verify_share * (1 << 53))
        self._check_stream = native(stream(seed, "verify"))

    def bind(self, number: int) -> tuple[int, list[Any]]:
        """The kind of an operation and its values as the driver wants them."""
        kind, partition, row = self._workload.locate(number)
        cells = self._workload.values(kind, partition, row)
        return kind, [decode(cell) for decode, cell in zip(self._decoders[kind], cells)]

    def fault(self, number: int, rows: Sequence[Sequence[Any]]) -> tuple[str, str] | None:
        """(`missing` or `wrong`, text) where the answer is not what it must be; None where it is or is not checked."""
        if not self._check_below or unsigned(mix64(self._check_stream, number)) >> 11 >= self._check_below:
            return None
        kind, partition, row = self._workload.locate(number)
        expected = self._workload.expected(kind, partition, row)
        if expected is None:
            return None
        key = f"key {self._workload.routing_key(partition).hex()}"
        if not rows:
            return MISSING, f"no row for {key}"
        if len(rows) != 1:
            return WRONG, f"{len(rows)} rows for {key}, not 1"
        found = [None if value is None else encode(value) for encode, value in zip(self._encoders[kind], rows[0])]
        if found == expected:
            return None
        names = [column.name for column in self._workload.kinds[kind].returns]
        wrong = [name for name, cell, wanted in zip(names, found, expected) if cell != wanted]
        return WRONG, f"the row for {key} has another {' and '.join(wrong)} than was written"

"""Whether many reads gave what they must: the answers that should have come, made by the block and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cqlsurge.load.compiled.layout import segments
from cqlsurge.load.compiled.matrices import Frames
from cqlsurge.load.compiled.program import COLUMNS_AT
from cqlsurge.load.compiled.statement import answer_pieces
from cqlsurge.load.cql.frames import HEADER_BYTES
from cqlsurge.load.engines.sample import ALL, checked
from cqlsurge.load.engines.wire.connection import KIND_BITS

if TYPE_CHECKING:
    from cqlsurge.load.compiled.arrays import ArrayProgram
    from cqlsurge.load.engines.wire.connection_numpy import Inbox

Array = Any  # numpy.ndarray

#: so many bytes of answers are compared at a time: they should stay in the core's cache
MATRIX_BYTES = 1 << 16
#: what a row of no fixed size is taken for
USUAL_BYTES = 512
#: where the part to be compared begins in a frame: behind kind and flags, with the number of columns
_ROW_AT = HEADER_BYTES + COLUMNS_AT


class RowChecker:
    """Checks answers to one kind of reads, those of a sample: `check_below` of 65536 numbers."""

    def __init__(self, program: ArrayProgram, kind: int, check_below: int) -> None:
        self.check_below = check_below
        pieces = answer_pieces(program.lowered.statements[kind])
        assert pieces is not None
        made = segments(pieces)
        size = Frames(made, 1).size
        self._rows = max(1, MATRIX_BYTES // (size or USUAL_BYTES))
        self._wanted = Frames(made, self._rows)
        columns = program.answer_columns(kind)
        assert columns is not None
        self._columns = columns

    def right(self, inbox: Inbox, starts: Array, sizes: Array, ops: Array) -> bool:
        """Whether all of these reads' answers are right: plain frames that lie at `starts`, without a paging state."""
        numbers = ops >> KIND_BITS
        if self.check_below < ALL:
            chosen = checked(numbers, self.check_below)
            starts, sizes, numbers = starts[chosen], sizes[chosen], numbers[chosen]
        if not len(numbers):
            return True
        columns, starts, sizes = self._columns(numbers), starts + _ROW_AT, sizes - _ROW_AT
        compare = self._same if self._wanted.size else self._same_unequal
        for at in range(0, len(starts), self._rows):
            part = slice(at, at + self._rows)
            count = len(starts[part])
            self._wanted.fill({node: column[part] for node, column in columns.items()}, count)
            if not compare(inbox, starts[part], sizes[part], count):
                return False
        return True

    def _same(self, inbox: Inbox, starts: Array, sizes: Array, count: int) -> bool:
        size = self._wanted.size
        if not (sizes == size).all():
            return False
        rows: Array = np.ndarray((inbox.size - size + 1,), f"V{size}", inbox.bytes, strides=(1,))
        wanted = np.frombuffer(self._wanted.view, np.uint8, count * size)
        return bool((rows[starts].view(np.uint8) == wanted).all())

    def _same_unequal(self, inbox: Inbox, starts: Array, sizes: Array, count: int) -> bool:
        ends = self._wanted.ends[:count]
        lengths = np.diff(ends, prepend=0)
        if not (sizes == lengths).all():
            return False
        found, wanted, begin = inbox.view, self._wanted.view, 0
        for start, end in zip(starts.tolist(), ends.tolist()):
            if found[start : start + end - begin] != wanted[begin:end]:
                return False
            begin = end
        return True

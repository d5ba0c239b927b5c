"""What the hot loop asks of a workload: operation number -> kind, what its frame is made from, token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cqlsurge.load.compiled.program import Program
    from cqlsurge.load.workload.model import Workload


class Plan:
    """One phase's operations. `step` and `step_anywhere` are those of the compiled program, or give the same.

    The workload itself is asked where something is wrong: what should an answer have been?
    """

    def __init__(self, workload: Workload, program: Program) -> None:
        self.workload, self.program = workload, program
        self.step, self.step_anywhere = program.step, program.step_anywhere

    def judge(self, number: int, rows: Sequence[Sequence[bytes | None]]) -> tuple[str, str] | None:
        """What is wrong with the rows of an operation's answer, if anything is."""
        return self.workload.judge(number, rows)

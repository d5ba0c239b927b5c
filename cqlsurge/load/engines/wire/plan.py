"""What the hot loop asks of a workload: operation number -> kind, what its frame is made from, token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cqlsurge.load.compiled.program import Program
    from cqlsurge.load.workload.model import Workload


class Plan:
    """One phase's operations. `step` and `step_anywhere` are those of the compiled program, or give the same.

    The workload itself is asked where something is wrong: what should an answer have been?
    """

    def __init__(self, workload: Workload, program: Program) -> None:
        self.workload, self.program = workload, program
        self.step, self.step_anywhere = program.step, program.step_anywhere

    def expected(self, number: int) -> list[bytes] | None:
        """The cells that this operation's answer must hold, None where any answer will do."""
        return self.workload.expected(*self.workload.locate(number))

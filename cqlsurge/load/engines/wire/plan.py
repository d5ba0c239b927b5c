"""What the hot loop asks of a workload: operation number -> kind, two words that stand for the key, token.

The two words are whatever this workload's templates want: the halves of the key for the key-value workload, whose
frames are made without any object between number and bytes, and (partition, row) for every other one.
"""

from __future__ import annotations

from cqlsurge.load.routing.murmur3 import token, token_of_halves
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.load.workload.model import Workload

Step = tuple[int, int, int, int]


class Plan:
    """The plan of any workload."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    def step(self, number: int) -> Step:
        """(kind, a, b, token) of an operation."""
        kind, partition, row = self.workload.locate(number)
        return kind, partition, row, token(self.workload.routing_key(partition))

    def step_anywhere(self, number: int) -> Step:
        """As `step` where all tokens lead to one connection: the token is 0."""
        kind, partition, row = self.workload.locate(number)
        return kind, partition, row, 0

    def expected(self, number: int) -> list[bytes] | None:
        """The cells that this operation's answer must hold, None where any answer will do."""
        return self.workload.expected(*self.workload.locate(number))


class KeyValuePlan(Plan):
    """The plan of the key-value workload: keys as two machine words."""

    workload: KeyValue

    def step(self, number: int) -> Step:
        """See Plan."""
        kind, partition, _ = self.workload.locate(number)
        first, second = self.workload.halves(partition)
        return kind, first, second, token_of_halves(first, second)

    def step_anywhere(self, number: int) -> Step:
        """See Plan."""
        kind, partition, _ = self.workload.locate(number)
        first, second = self.workload.halves(partition)
        return kind, first, second, 0

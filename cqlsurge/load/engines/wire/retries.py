"""Operations that wait for another attempt: their numbers, never their bytes.

The rule is in cqlsurge.load.outcomes.retry. Here are the heap of waiting operations, the limit on how often one is
tried, and the budget: retries are at most a tenth of the operations that have ended. Without it, a server in trouble
would be given more work than before. Only what is in flight at once may go beyond, since one lost connection can take
all of it along; and what was not spent does not add up for longer than two seconds.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cqlsurge.load.outcomes.backoff import full_jitter_s
from cqlsurge.load.outcomes.policy import BACKOFF, RETRY
from cqlsurge.load.outcomes.retry import NEXT, NO, SAME, Failure, Nature, decide, repeatable

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.workload.model import Kind

BASE_S = 0.02
CAP_S = 2.0
#: retries, as a share of the operations that have ended
SHARE = 0.1
SECOND_NS = 1_000_000_000


class Attempt:
    """An operation that failed or has not found a way yet. `op` is number and kind as in a slot.

    sent_ns: its first sending, 0 for none; failures: attempts made; unsure: one of them may have happened; last: where
    the last attempt went; again: it shall go there again.
    """

    __slots__ = ("again", "due_ns", "failures", "last", "op", "sent_ns", "since_ns", "unsure")

    def __init__(self, op: int, due_ns: int, sent_ns: int = 0, since_ns: int = 0) -> None:
        self.op, self.due_ns, self.sent_ns, self.since_ns = op, due_ns, sent_ns, since_ns
        self.failures = 0
        self.unsure = self.again = False
        self.last: Connection | None = None


class Retries:
    """What waits for its next attempt, in order of time."""

    def __init__(self, most: int, seed: int, policies: Mapping[str, str] | None = None) -> None:
        self.most = most
        self.policies = policies or {}
        self.heap: list[tuple[int, int, Attempt]] = []
        self._order = 0
        self._random = random.Random(seed)
        self._most_in_flight = self._second_ns = self._ended = self._before = 0
        self._spent = 0.0

    def admit(self, attempt: Attempt, failure: Failure, kind: Kind, now_ns: int, *, ended: int, in_flight: int) -> bool:
        """Puts the operation into the heap if it may be tried again; False where its failure is final.

        `ended` is how many operations have ended so far, `in_flight` how many have not, without those in the heap.
        """
        decision = self._decide(failure, nature_of(kind), attempt.failures)
        if decision == NO or attempt.failures > self.most or not self.spend(now_ns, ended, in_flight):
            return False
        attempt.again = decision == SAME
        wait_s = 0.0
        if decision != SAME:
            wait_s = full_jitter_s(attempt.failures, BASE_S, CAP_S, self._random.random())
        self.push(attempt, now_ns + int(wait_s * 1e9))
        return True

    def _decide(self, failure: Failure, nature: Nature, failures: int) -> str:
        """By the rule, unless the error's class has a policy; none may change what an operation does."""
        policy = self.policies.get(failure.error_class)
        if policy is None:
            return decide(failure, nature, failures)
        if policy not in (RETRY, BACKOFF):
            return NO
        decision = decide(failure, nature, failures)
        return NEXT if decision == NO and repeatable(failure, nature) else decision

    def push(self, attempt: Attempt, when_ns: int) -> None:
        """Another attempt at a given time, whatever the limits."""
        self._order += 1
        heapq.heappush(self.heap, (when_ns, self._order, attempt))

    def ready(self, now_ns: int) -> list[Attempt]:
        """Those whose time has come."""
        ready = []
        while self.heap and self.heap[0][0] <= now_ns:
            ready.append(heapq.heappop(self.heap)[2])
        return ready

    def spend(self, now_ns: int, ended: int, in_flight: int) -> bool:
        """Takes one retry from the budget; False where nothing is left of it."""
        if now_ns - self._second_ns >= SECOND_NS:
            self._before, self._ended, self._second_ns = self._ended, ended, now_ns
        self._most_in_flight = max(self._most_in_flight, in_flight)
        earned = SHARE * ended
        self._spent = max(self._spent, SHARE * self._before - self._most_in_flight)
        if self._spent >= max(earned, self._most_in_flight):
            return False
        self._spent += 1
        return True


def nature_of(kind: Kind) -> Nature:
    """What the retry rule wants to know of a kind."""
    return Nature(kind.writes, kind.idempotent, kind.timestamp, lightweight=kind.serial_consistency is not None)

"""The retry rule, the backoff and the breaker.

How: pure functions; the rule as a table of (failure, nature, attempt) and what must come of it, times as arguments.
"""

from __future__ import annotations

import pytest

from cqlsurge.load.outcomes import classes
from cqlsurge.load.outcomes.backoff import full_jitter_s
from cqlsurge.load.outcomes.breaker import CLOSED, OPEN, Breaker
from cqlsurge.load.outcomes.retry import NEXT, NO, SAME, Failure, Nature, decide

UPSERT = Nature(writes=True, idempotent=True, timestamp=True)
BARE = Nature(writes=True, idempotent=True, timestamp=False)
COUNTER = Nature(writes=True, idempotent=False, timestamp=False)
READ = Nature(writes=False, idempotent=True, timestamp=False)
LIGHTWEIGHT = Nature(writes=True, idempotent=True, timestamp=False, lightweight=True)

READ_TIMEOUT = Failure(classes.SERVER_TIMEOUT, code=0x1200, received=1, required=2)
READ_WITHOUT_DATA = Failure(classes.SERVER_TIMEOUT, code=0x1200, received=2, required=2)
WRITE_TIMEOUT = Failure(classes.SERVER_TIMEOUT, code=0x1100, write_type="SIMPLE")
BATCH_LOG = Failure(classes.SERVER_TIMEOUT, code=0x1100, write_type="BATCH_LOG")
NOT_SENT = Failure(classes.CONNECTION, sent=False)


@pytest.mark.parametrize(
    ("failure", "nature", "attempt", "decision"),
    [
        (NOT_SENT, COUNTER, 3, NEXT),
        (NOT_SENT, LIGHTWEIGHT, 1, NEXT),
        (Failure(classes.BOOTSTRAPPING, code=0x1002), COUNTER, 2, NEXT),
        (Failure(classes.UNAVAILABLE, code=0x1000), COUNTER, 1, NEXT),
        (Failure(classes.UNAVAILABLE, code=0x1000), UPSERT, 2, NO),
        (Failure(classes.OVERLOADED, code=0x1001), UPSERT, 5, NEXT),
        (Failure(classes.OVERLOADED, code=0x1001), COUNTER, 1, NO),
        (Failure(classes.CONNECTION), READ, 1, NEXT),
        (Failure(classes.CONNECTION), COUNTER, 1, NO),
        (Failure("code_0x0000", code=0x0000), UPSERT, 1, NEXT),
        (Failure("code_0x0000", code=0x0000), COUNTER, 1, NO),
        (Failure("code_0x1003", code=0x1003), UPSERT, 1, NEXT),
        (READ_TIMEOUT, READ, 1, NEXT),
        (READ_WITHOUT_DATA, READ, 1, SAME),
        (READ_WITHOUT_DATA, READ, 2, NEXT),
        (Failure("code_0x1300", code=0x1300), READ, 1, NEXT),
        (WRITE_TIMEOUT, UPSERT, 1, NEXT),
        (WRITE_TIMEOUT, BARE, 1, NO),
        (WRITE_TIMEOUT, COUNTER, 1, NO),
        (BATCH_LOG, BARE, 1, SAME),
        (BATCH_LOG, BARE, 2, NO),
        (BATCH_LOG, COUNTER, 1, NO),
        (WRITE_TIMEOUT, LIGHTWEIGHT, 1, NO),
        (Failure(classes.UNPREPARED, code=0x2500), COUNTER, 1, SAME),
        (Failure(classes.INVALID, code=0x2200), READ, 1, NO),
        (Failure(classes.UNAUTHORIZED, code=0x2100), READ, 1, NO),
        (Failure(classes.RATE_LIMITED, code=0xF000), UPSERT, 1, NO),
        (Failure(classes.PROTOCOL, code=0x000A), READ, 1, NO),
        (Failure(classes.CLIENT_TIMEOUT), READ, 1, NO),
        (Failure(classes.MISSING), READ, 1, NO),
        (Failure(classes.WRONG), READ, 1, NO),
    ],
)
def test_rule(failure: Failure, nature: Nature, attempt: int, decision: str) -> None:
    assert decide(failure, nature, attempt) == decision


def test_backoff_grows_to_its_cap_and_is_jittered_in_full() -> None:
    assert [full_jitter_s(attempt, 0.1, 1.0, 1.0) for attempt in (1, 2, 3, 4, 5)] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert full_jitter_s(4, 0.1, 1.0, 0.25) == 0.2
    assert full_jitter_s(3, 0.1, 1.0, 0.0) == 0.0
    assert full_jitter_s(10_000, 0.1, 1.0, 1.0) == 1.0


def test_breaker_opens_probes_and_closes() -> None:
    breaker = Breaker(threshold=3, open_ns=100, cap_ns=350)
    assert [breaker.failed(0) for _ in range(3)] == [False, False, True]
    assert breaker.state == OPEN
    assert [breaker.allows(now) for now in (50, 99)] == [False, False]
    assert breaker.allows(100)
    assert not breaker.allows(150), "one probe at a time"
    assert breaker.failed(160)
    assert not breaker.allows(359), "twice as long after a failed probe"
    assert breaker.allows(360)
    breaker.succeeded()
    assert breaker.state == CLOSED
    assert breaker.allows(361)
    assert not breaker.failed(362), "counts from zero again"


def test_breaker_is_not_opened_by_failures_apart() -> None:
    breaker = Breaker(threshold=2)
    for now in range(10):
        assert not breaker.failed(now)
        breaker.succeeded()
    assert breaker.state == CLOSED


def test_breaker_waits_no_longer_than_its_cap() -> None:
    breaker = Breaker(threshold=1, open_ns=100, cap_ns=250)
    breaker.failed(0)
    now = 0
    for wait in (100, 200, 250, 250):
        assert not breaker.allows(now + wait - 1)
        assert breaker.allows(now + wait)
        now += wait
        breaker.failed(now)

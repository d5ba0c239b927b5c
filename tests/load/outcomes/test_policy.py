"""Error policies: how they are written, what they may not do, how much is held back. Pure; times are numbers."""

from __future__ import annotations

import pytest

from cqlsurge.load.outcomes import classes
from cqlsurge.load.outcomes.policy import HALVE_EVERY_NS, REGAIN, Limit, budgeted, parse_policies
from cqlsurge.load.outcomes.retry import Failure, Nature, repeatable


def test_the_notation() -> None:
    assert parse_policies("overloaded=backoff, invalid=stop,code_0x1234=ignore") == {
        "overloaded": "backoff", "invalid": "stop", "code_0x1234": "ignore",
    }  # fmt: skip
    assert parse_policies("") == {}
    for text, cure in (("busy=retry", "no error class 'busy'"), ("invalid", "one of retry"), ("invalid=x", "stop")):
        with pytest.raises(ValueError, match=cure):
            parse_policies(text)


def test_only_what_cannot_change_the_result_is_repeatable() -> None:
    plain, fixed = Nature(True, False, False), Nature(True, True, True)
    assert repeatable(Failure(classes.RATE_LIMITED), plain), "refused: it did not happen"
    assert repeatable(Failure(classes.CONNECTION, sent=False), plain)
    assert not repeatable(Failure(classes.SERVER_TIMEOUT), plain)
    assert not repeatable(Failure(classes.SERVER_TIMEOUT), Nature(True, True, False)), "it could undo a later write"
    assert repeatable(Failure(classes.SERVER_TIMEOUT), fixed)
    assert repeatable(Failure(classes.SERVER_TIMEOUT), Nature(False, True, False))
    assert not repeatable(Failure(classes.RATE_LIMITED), Nature(True, True, True, lightweight=True))


def test_a_limit_halves_once_for_each_burst_and_comes_back() -> None:
    limit = Limit(256)
    for _ in range(50):
        limit.halve(0)
    assert (limit.now, limit.halvings) == (128, 1)
    for step in range(1, 20):
        limit.halve(step * HALVE_EVERY_NS)
    assert limit.now == 1
    ticks = 0
    while limit.now < limit.most:
        limit.regain()
        ticks += 1
    assert ticks == REGAIN
    assert Limit(1).regain() == 1


def test_ignored_errors_do_not_count() -> None:
    assert budgeted({"invalid": 3, "overloaded": 4}, {"overloaded": "ignore", "invalid": "count"}) == 3

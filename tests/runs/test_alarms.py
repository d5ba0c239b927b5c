"""Alarms, told of seconds one by one; and how they are written."""

from __future__ import annotations

from typing import Any

import pytest

from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.seconds import Second
from cqlsurge.runs.alarms import Alarms, parse_alarm


def second(t_s: int, latency_us: int = 1000, ok: int = 100, errors: int = 0) -> Second:
    counts = new_counts()
    counts[index_of(latency_us * 1000)] = ok
    return Second(t_s, 0, 10**9, ok=ok, errors=errors, counts=counts)


class Phase:
    """Keeps what an observer says."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.plan = type("Plan", (), {"measured": True})
        self.listener = self

    def note(self, text: str, **more: Any) -> None:
        self.told.append(text)

    def warn(self, text: str) -> None:
        """Said as well."""


def heard(text: str, *seconds: Second) -> list[str]:
    alarms, phase = Alarms([parse_alarm(text)]), Phase()
    alarms.begin(phase)  # type: ignore[arg-type]
    for each in seconds:
        alarms.second(each)
        alarms.tick(phase)  # type: ignore[arg-type]
    return phase.told


def test_an_alarm_sounds_once_and_ends() -> None:
    slow = [second(at, 60_000) for at in range(1, 6)]
    told = heard("p99 > 50ms for 3s", *slow, second(6), second(7, 60_000))
    assert told == ["alarm: p99 > 50ms for 3s", "alarm over: p99 > 50ms for 3s"]


def test_a_short_breach_is_none() -> None:
    assert heard("p99 > 50ms for 3s", second(1, 60_000), second(2, 60_000), second(3), second(4, 60_000)) == []


def test_errors_and_rate() -> None:
    assert heard("errors > 1%", second(1, ok=98, errors=2)) == ["alarm: errors > 1%"]
    assert heard("rate < 100", second(1, ok=99)) == ["alarm: rate < 100"]
    assert heard("rate < 100", second(1, ok=100)) == []


def test_the_command_is_told(tmp_path: Any) -> None:
    file = tmp_path / "said"
    alarms, phase = Alarms([parse_alarm("rate < 100")], f'echo "$CQLSURGE_ALARM" > {file}'), Phase()
    alarms.begin(phase)  # type: ignore[arg-type]
    alarms.second(second(1, ok=1))
    alarms.tick(phase)  # type: ignore[arg-type]
    alarms._started[0].wait(10)
    assert file.read_text() == "alarm: rate < 100\n"


@pytest.mark.parametrize("text", ["p99", "p99 > 50ms for", "mean > 1ms", "rate > x"])
def test_what_is_no_alarm_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"alarm|number|understood"):
        parse_alarm(text)

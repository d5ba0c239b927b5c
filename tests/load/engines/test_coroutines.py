"""The asyncio loop of engines: each number once, at its time, whatever becomes of the requests.

How: the driver is a coroutine of this file that sleeps, fails or never returns; phases run in this process.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cqlsurge.load.engines.contract import Engine, Work
from cqlsurge.load.engines.coroutines import Fault, Phase
from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import Pacer


class Refused(Exception):
    """What the pretended driver raises."""


class Pretended(Engine):
    """An engine whose requests are `answer(count of requests so far)`."""

    def __init__(self, answer: Any, sent: bool = True) -> None:
        self._answer, self._sent = answer, sent
        self.asked = self.most = self.now = 0

    async def _execute(self, kind: int, values: list[Any]) -> Any:
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self._answer(self.asked)
        finally:
            self.now -= 1

    def _classify(self, error: BaseException) -> Fault | None:
        return Fault("overloaded", self._sent) if isinstance(error, Refused) else None

    def run(self, work: Work) -> None:
        async def phase() -> None:
            await Phase(work, self._execute, self._classify).run()

        asyncio.run(phase())


async def at_once(count: int) -> Any:
    await asyncio.sleep(0)
    return ()


async def never(count: int) -> Any:
    await asyncio.sleep(3600)


async def every_third_fails(count: int) -> Any:
    await asyncio.sleep(0)
    if count % 3 == 0:
        raise Refused("no")
    return ()


def test_each_number_once_within_the_places(run_phase) -> None:
    engine = Pretended(at_once)
    ran = run_phase(engine, 2000, concurrency=30)
    assert (ran.recorder.due, ran.recorder.issued, ran.recorder.kinds[0].ok) == (2000,) * 3
    assert engine.asked == 2000
    assert engine.most == 30


@pytest.mark.parametrize("concurrency", [1, 7, 400])
def test_a_rate(run_phase, concurrency: int) -> None:
    ran = run_phase(Pretended(at_once), 200, concurrency=concurrency, pacer=Pacer(parse("2k")))
    assert (ran.recorder.due, ran.recorder.kinds[0].ok) == (200, 200)
    assert ran.duration_s >= 199 / 2000


def test_failures(run_phase) -> None:
    recorder = run_phase(Pretended(every_third_fails), 300).recorder
    assert (recorder.kinds[0].ok, recorder.kinds[0].unknown, recorder.errors) == (200, 100, {"overloaded": 100})


def test_what_was_never_sent_has_failed_and_is_not_hurried(run_phase) -> None:
    ran = run_phase(Pretended(every_third_fails, sent=False), 30, concurrency=1)
    assert (ran.recorder.kinds[0].ok, ran.recorder.kinds[0].failed) == (20, 10)
    assert ran.duration_s >= 0.15


def test_a_drain_has_an_end(run_phase) -> None:
    ran = run_phase(Pretended(never), None, steps={2: [{"type": "stop", "drain_s": 0.01}]})
    assert (ran.recorder.finished, ran.in_flight) == (0, 10)


def test_a_bug_is_raised(run_phase) -> None:
    async def broken(count: int) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_phase(Pretended(broken), 10)

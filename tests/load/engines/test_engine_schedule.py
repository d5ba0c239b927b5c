"""Due times on the clock: what is listed, counted, skipped; against a plain model that lists everything."""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from types import SimpleNamespace
from typing import Any

import pytest

from cqlsurge.load.engines.schedule import BLOCK, FEW, NEVER, Schedule
from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import Pacer, pacing_json
from cqlsurge.load.pacing.shapes import Shape


def line() -> Any:
    return SimpleNamespace(dues=[], at=0, skipped=0)


def schedule(rate: int, max_backlog: int | None = None) -> tuple[Schedule, Any]:
    return Schedule(Pacer(Shape("", [], rate * 1000)), 1000, max_backlog), line()


def test_due_times_come_in_order_from_the_start() -> None:
    made, load = schedule(1000)
    made.advance(load, 1000)
    assert load.dues[:3] == [1000, 1_001_000, 2_001_000]
    load.at = 4000
    made.advance(load, 5_000_000_000)
    assert load.dues[load.at] == 4_000_001_000
    assert len(load.dues) - load.at >= FEW
    assert load.dues == sorted(load.dues)


def test_what_goes_beyond_the_backlog_is_skipped() -> None:
    made, load = schedule(1000, max_backlog=5)
    made.advance(load, 1000 + 20 * 1_000_000)
    assert load.skipped == 16
    assert load.dues[:6] == [1000 + each * 1_000_000 for each in (0, 1, 2, 3, 4, 21)]


def test_a_change_of_rate_and_a_pause() -> None:
    made, load = schedule(1000)
    made.advance(load, 1000)
    load.at = 11  # due up to 10 ms
    now = 1000 + 10_500_000
    made.scale(load, 2.0, now)
    made.advance(load, now)
    # Half of the wait for the next one has passed; the rest goes at twice the speed.
    assert load.dues[load.at : load.at + 2] == [now + 250_000, now + 750_000]
    made.scale(load, 0.0, now + 300_000)
    made.advance(load, now + 5_000_000)
    assert load.dues[load.at :] == [now + 250_000]
    load.at += 1
    made.scale(load, 2.0, now + 5_300_000)
    made.advance(load, now + 5_300_000)
    assert load.dues[load.at] == now + 5_750_000


@pytest.mark.parametrize("max_backlog", [None, 5, 50_000])
@pytest.mark.parametrize(("rate", "seconds"), [(1_000_000, 60), (100_000_000, 3600)])
def test_a_long_line_takes_neither_memory_nor_time(max_backlog: int | None, rate: int, seconds: int) -> None:
    made, load = schedule(rate, max_backlog)
    began = time.process_time()
    for turn in range(1, 2001):
        now = 1000 + turn * (seconds * 10**9 // 2000)
        made.advance(load, now)
        load.at += min(100, len(load.dues) - load.at)
        assert len(load.dues) <= 2 * (BLOCK + FEW + (max_backlog or 0))
    assert load.skipped + made.waiting(load, now) + 2000 * 100 > 0.9 * rate * seconds
    # Seconds where the line was listed, and hours with so high a rate.
    assert time.process_time() - began < 20


def test_random_gaps_are_counted_without_being_kept() -> None:
    made, load = Schedule(Pacer(Shape("", [], 200_000_000), "poisson"), 0, None), line()
    waiting = 0
    for now in range(0, 10**10, 10**9):
        made.advance(load, now)
        before, waiting = waiting, made.waiting(load, now)
        assert waiting >= before
    assert len(load.dues) <= BLOCK + FEW
    assert waiting == pytest.approx(1_800_000, rel=0.01)


def test_random_arrivals_too_many_to_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="--arrivals constant"):
        pacing_json(parse("100M"), "poisson")
    assert pacing_json(parse("100M"))["shape"]["final_rate"] == 100_000_000_000


class Model:
    """The same with everything listed."""

    def __init__(self, pacer: Pacer, max_backlog: int | None) -> None:
        self.pacer, self.most = pacer, NEVER if max_backlog is None else max_backlog
        self.dues: list[int] = []
        self.skipped = self.at = self.paused_ns = 0
        self.factor = 1.0
        self.ended = False

    def advance(self, now: int) -> None:
        while not self.ended and not self.paused_ns and (not self.dues or self.dues[-1] <= now):
            offsets = self.pacer.fill(self.pacer.next_k, 1000)
            self.dues += offsets
            self.ended = len(offsets) < 1000
        past = max(bisect_right(self.dues, now), self.at)
        gone = max(0, past - self.at - self.most)
        del self.dues[past - gone : past]
        self.skipped += gone

    def waiting(self, now: int) -> int:
        return bisect_right(self.dues, now, self.at) - self.at

    def scale(self, factor: float, now: int) -> None:
        kept = bisect_right(self.dues, now, self.at)
        next_k = self.pacer.next_k - (len(self.dues) - kept)
        del self.dues[kept:]
        self.ended = False
        if self.paused_ns:
            self.pacer.delay_ns += now - self.paused_ns
            self.paused_ns = 0
        self.pacer = self.pacer.rescaled(now, factor / self.factor if factor else 1.0, next_k)
        self.factor = factor or self.factor
        self.paused_ns = 0 if factor else now


SHAPES = ("50k", "1M", "ramp:0..200k@2s", "spike:0..300k@20ms/60ms", "sine:50k+-49k@100ms", "step:1k,90k,200k,0@60ms")


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
@pytest.mark.parametrize("seed", range(12))
def test_it_is_as_if_everything_were_listed(seed: int, arrivals: str) -> None:
    rng = random.Random(seed)
    shape, max_backlog = parse(SHAPES[seed % len(SHAPES)]), rng.choice([None, None, 0, 7, 900, 20_000])
    part = rng.randrange(3)
    real, load = Schedule(Pacer(shape, arrivals, part=part, parts=3), 0, max_backlog), line()
    model = Model(Pacer(shape, arrivals, part=part, parts=3), max_backlog)
    now, factor = 0, 1.0
    for _ in range(150):
        now += rng.choice([1000, 100_000, 3_000_000, 40_000_000])
        real.advance(load, now)
        model.advance(now)
        assert (real.waiting(load, now), load.skipped) == (model.waiting(now), model.skipped)
        count = rng.randrange(1 + min(rng.choice([10, 1000, 9000]), bisect_right(load.dues, now, load.at) - load.at))
        assert load.dues[load.at : load.at + count] == model.dues[model.at : model.at + count]
        load.at += count
        model.at += count
        if rng.random() < 0.1:
            changed = rng.choice([0.0, 0.5, 1.0, 3.0])
            if changed != factor:
                real.scale(load, changed, now)
                model.scale(changed, now)
                factor = changed

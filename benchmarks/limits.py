"""How often `find`'s search errs, and how long it takes, beside a plain bisection and FD.io's MLRsearch.

How: seeded virtual queues with known limits (queues.py), each searched by all three; a virtual second takes about a
millisecond. Bisection: rates that double from the first one, then 10-second steps between the last that held and the
first that did not, until they are 3 % apart. MLRsearch (`uv run --with mlrsearch`): a share of operations over the goal
is its loss; trials of 1 to 10 s, 30 s in all for a bound.

    uv run --with mlrsearch benchmarks/limits.py [--seeds 20] [--only NAME]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.queues import Case, Queue, cases, course
from cqlsurge.limits.search import CLIMB_RUNG_S, Bounds, Search

FIRST_RATE = 500.0
TOP_RATE = 1e6
WITHIN = 0.03


@dataclass(frozen=True)
class Found:
    """What one search came to: a rate, its interval if it has one, how long it took and in how many steps."""

    rate: float
    low: float | None
    high: float | None
    took_s: float
    steps: int


def by_search(queue: Queue) -> Found:
    """As `cqlsurge find` does it."""
    search = Search([queue.goal], Bounds(first_rate=FIRST_RATE, max_rate=TOP_RATE))
    while (step := search.next_step()) is not None:
        begin_s = queue.now_s
        climb = step.purpose == "climb"
        rates = search.climb_rates if climb else [step.rate] * int(step.limit_s)
        for second in course(queue, [rate for rate in rates for _ in range(CLIMB_RUNG_S if climb else 1)]):
            if search.add(second):
                break
        queue.rest()
        search.end_step(queue.now_s - begin_s, "server")
    answer = search.answer()
    return Found(answer.rate or 0.0, answer.low, answer.high, queue.now_s, len(search.steps) + 1)


def by_bisection(queue: Queue) -> Found:
    """Steps of 10 s."""
    steps, low, high = 0, 0.0, 0.0
    rate = FIRST_RATE
    while not high or not low or high / low > 1 + WITHIN:
        steps += 1
        of, over, _ = trial(queue, rate, 10)
        low, high = (rate, high) if over <= queue.goal.share * of else (low, rate)
        rate = (low + high) / 2 if high and low else rate / 2 if high else rate * 2
    return Found(low, None, None, queue.now_s, steps)


def by_mlrsearch(queue: Queue) -> Found:
    """With the library's controller."""
    from MLRsearch import AbstractMeasurer, Config, MeasurementResult, MultipleLossRatioSearch, SearchGoal

    steps = 0

    class Measurer(AbstractMeasurer):  # type: ignore[misc]
        def measure(self, intended_duration: float, intended_load: float) -> MeasurementResult:
            nonlocal steps
            steps += 1
            begin_s = queue.now_s
            of, over, _ = trial(queue, intended_load, max(1, round(intended_duration)))
            return MeasurementResult(
                intended_duration=intended_duration,
                intended_load=intended_load,
                offered_count=max(1, of),
                loss_count=min(over, max(1, of)),
                duration_with_overheads=queue.now_s - begin_s,
            )

    goal = SearchGoal(
        loss_ratio=queue.goal.share, exceed_ratio=0.5, relative_width=WITHIN, initial_trial_duration=1.0,
        final_trial_duration=10.0, duration_sum=30.0, preceding_targets=2, fail_fast=False,
    )  # fmt: skip
    config = Config()
    config.min_load, config.max_load = FIRST_RATE / 4, 40_000.0
    config.search_duration_max = 1e6
    config.goals = [goal]
    result = MultipleLossRatioSearch(config).search(Measurer())[goal]
    bound = None if result is None else result.conditional_throughput  # None: not even the lowest rate held
    rate = 0.0 if bound is None else float(bound)
    return Found(rate, None, None, queue.now_s, steps)


def trial(queue: Queue, rate: float, seconds: int) -> tuple[int, int, float]:
    """(operations that ended, over the goal, time) of a step and its end; what still waits is over."""
    begin_s = queue.now_s
    rows = list(course(queue, [rate] * seconds))
    limit_s = (queue.goal.limit_us or 0.0) / 1e6
    waiting = max(0, int(rows[-1].waiting - 1.34 * rate * limit_s - 10))
    queue.rest()
    return (
        sum(row.of[0] for row in rows) + waiting,
        sum(row.over[0] for row in rows) + waiting,
        queue.now_s - begin_s,
    )


METHODS: dict[str, Callable[[Queue], Found]] = {
    "cqlsurge find": by_search,
    "bisection": by_bisection,
    "MLRsearch": by_mlrsearch,
}


def line(name: str, case: Case, found: list[Found]) -> str:
    """A row of the table."""
    errors = sorted(one.rate / case.limit - 1 for one in found)
    within = sum(abs(error) <= WITHIN for error in errors)
    with_interval = [one for one in found if one.low is not None and one.high is not None]
    covered = sum((one.low or 0) <= case.limit <= (one.high or 0) for one in with_interval)
    interval = f"{covered}/{len(with_interval)}" if with_interval else "none"
    times = [one.took_s for one in found]
    spread = f"{errors[0]:+.1%} {statistics.median(errors):+.1%} {errors[-1]:+.1%}"
    took = f"{statistics.median(times):.0f} s, {max(times):.0f} s"
    steps = max(one.steps for one in found)
    return f"| {case.name} | {name} | {within}/{len(found)} | {interval} | {spread} | {steps} | {took} |"


def main() -> int:
    """All cases by all methods."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", default="", help="a part of the case's name")
    args = parser.parse_args()
    print("| queue | method | within 3 % | interval covers | error: least, median, most | steps | time: median, most |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for case in cases():
        for name, method in METHODS.items():
            if args.only in case.name:
                found = [method(case.make(seed)) for seed in range(args.seeds)]
                print(line(name, case, found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

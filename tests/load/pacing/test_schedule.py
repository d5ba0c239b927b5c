"""The due times of load processes.

How: with a virtual clock, blocks of any size are listed and compared with the shape itself: for constant arrivals
exactly, over all processes together; for Poisson by count, spread of counts and a Kolmogorov-Smirnov test on the gaps.
Seeds are fixed, so that no test can fail by chance. A digest holds every interpreter on this machine to the same times.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from bisect import bisect_left
from functools import cache
from heapq import merge
from itertools import pairwise
from math import exp, sqrt
from pathlib import Path

import pytest

from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import Pacer, pacing_json

S = 10**9
ROOT = Path(__file__).resolve().parents[3]
SHAPES = [
    "50k",
    "333.333",
    "step:1k,2k,500@3s",
    "ramp:100..2k@7s",
    "ramp:2k..10@7s",
    "ramp:0..1k@20s",
    "sine:1k+-1k@5s",
    "spike:100..3k@1s/4s",
    "spike:0..3k@1s/4s",
]


def listed(pacer: Pacer, count: int, block: int = 1000) -> list[int]:
    times: list[int] = []
    while len(times) < count:
        found = pacer.fill(pacer.next_k, min(block, count - len(times)))
        if not found:
            break
        times += found
    return times


@pytest.mark.parametrize("text", SHAPES)
@pytest.mark.parametrize("parts", [1, 3, 7])
def test_constant_arrivals_of_all_processes_are_those_of_the_shape(text: str, parts: int) -> None:
    shape = parse(text)
    count = 6000 // parts
    streams = [listed(Pacer(shape, part=part, parts=parts), count, 100 + part) for part in range(parts)]
    expected = [shape.due_ns(number) for number in range(count * parts)]
    assert [streams[number % parts][number // parts] for number in range(count * parts)] == expected
    assert expected == sorted(expected)


def test_asked_is_delivered_exactly() -> None:
    pacers = [Pacer(parse("200k"), part=part, parts=4) for part in range(4)]
    times = list(merge(*(listed(pacer, 100_000) for pacer in pacers)))
    assert bisect_left(times, S) == 200_000
    assert times[:3] == [0, 5000, 10_000]


def test_no_drift_after_three_weeks() -> None:
    pacer = Pacer(parse("4_999_999"), part=1, parts=2)
    pacer.next_k = 5 * 10**12
    assert pacer.fill(5 * 10**12, 1) == [(10**13 + 1) * S // 4_999_999]


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
@pytest.mark.parametrize("text", SHAPES)
def test_times_do_not_depend_on_blocks_and_never_fall(text: str, arrivals: str) -> None:
    def pacer() -> Pacer:
        return Pacer(parse(text), arrivals, seed=3, part=1, parts=2)

    times = listed(pacer(), 9000, 9000)
    assert times == sorted(times)
    for block in (1, 64, 999, 5000):
        assert listed(pacer(), 9000, block) == times


@pytest.mark.parametrize("text", SHAPES)
def test_poisson_counts_follow_the_shape(text: str) -> None:
    shape = parse(text)
    streams = [listed(Pacer(shape, "poisson", seed=8, part=part, parts=3), 10_000) for part in range(3)]
    times = list(merge(*streams))
    last = min(stream[-1] for stream in streams)
    for share in (0.25, 0.5, 0.75, 1):
        until = int(last * share)
        expected = shape.units_at(until) / (2 * 10**12)
        assert abs(bisect_left(times, until) - expected) < 3 * sqrt(expected)


def ks_distance(values: list[float]) -> float:
    """The largest distance between the distribution of the values and the exponential one of mean 1."""
    n = len(values)
    return max(
        max((i + 1) / n - (1 - exp(-value)), (1 - exp(-value)) - i / n) for i, value in enumerate(sorted(values))
    )


@pytest.mark.parametrize("text", ["20k", "ramp:20k..1k@30s", "sine:5k+-4k@3s", "step:1k,9k,3k@1s"])
@pytest.mark.parametrize("parts", [1, 4])
def test_poisson_gaps_are_exponential(text: str, parts: int) -> None:
    """Gaps are measured in expected counts, so that they are exponential whatever the shape; parts are superposed."""
    shape = parse(text)
    count = 100_000 // parts
    streams = [listed(Pacer(shape, "poisson", seed=4, part=part, parts=parts), count) for part in range(parts)]
    until = min(stream[-1] for stream in streams)
    times = [time for time in merge(*streams) if time <= until]
    counts = [shape.units_at(time) / (2 * 10**12) for time in times]
    gaps = [after - before for before, after in zip([0.0, *counts], counts, strict=False)]
    assert ks_distance(gaps) < 1.63 / sqrt(len(gaps))  # the 1 % point
    mean = sum(gaps) / len(gaps)
    assert abs(mean - 1) < 3 / sqrt(len(gaps))
    neighbours = sum((a - mean) * (b - mean) for a, b in pairwise(gaps)) / len(gaps)
    assert abs(neighbours) < 3 / sqrt(len(gaps))


def test_poisson_counts_of_windows_spread_as_they_must() -> None:
    times = listed(Pacer(parse("10k"), "poisson", seed=6), 200_000)
    windows = [0] * (times[-1] // (S // 100))
    for time in times:
        if time // (S // 100) < len(windows):
            windows[time // (S // 100)] += 1
    mean = sum(windows) / len(windows)
    variance = sum((each - mean) ** 2 for each in windows) / len(windows)
    assert abs(variance / mean - 1) < 3 * sqrt(2 / len(windows))


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_a_schedule_ends_where_its_final_rate_is_zero(arrivals: str) -> None:
    pacer = Pacer(parse("step:1k,2k,0@1s"), arrivals, part=1, parts=2)
    times = listed(pacer, 10**6)
    assert abs(len(times) - 1500) < 3 * sqrt(1500)
    assert times[-1] < 2 * S
    assert pacer.fill(pacer.next_k, 10) == []
    if arrivals == "constant":
        assert len(times) == 1500


def test_blocks_must_follow_each_other() -> None:
    pacer = Pacer(parse("1k"))
    pacer.fill(0, 10)
    with pytest.raises(ValueError, match="operation 5"):
        pacer.fill(5, 10)
    with pytest.raises(ValueError, match="arrivals"):
        Pacer(parse("1k"), "bursty")
    with pytest.raises(ValueError, match="part 2"):
        Pacer(parse("1k"), part=2, parts=2)


def test_a_pacer_travels_in_a_plan() -> None:
    data = pacing_json(parse("ramp:1k..2k@5s"), "poisson")
    assert listed(Pacer.from_json(data, seed=7, part=1, parts=2), 3000) == listed(
        Pacer(parse("ramp:1k..2k@5s"), "poisson", seed=7, part=1, parts=2), 3000
    )


@pytest.mark.parametrize("parts", [1, 3])
def test_rescaling_changes_the_rate_from_now_on(parts: int) -> None:
    """The wait under way keeps the share that has passed; all processes together stay evenly spaced."""
    now = 2 * S + 123_456
    merged: list[int] = []
    for part in range(parts):
        pacer = Pacer(parse("step:1k,3k@10s"), part=part, parts=parts)
        before = [time for time in listed(pacer, 5000) if time <= now]
        merged += before
        pacer = pacer.rescaled(now, 2, len(before))
        merged += listed(pacer, 20_000)
    merged.sort()
    gaps = [after - before for before, after in pairwise(merged)]
    k = bisect_left(merged, now)
    assert set(gaps[: k - 1]) == {1_000_000}
    assert 500_000 < gaps[k - 1] < 1_000_000
    assert set(gaps[k : k + 15_000]) == {500_000}
    assert set(gaps[k + 17_000 : k + 19_000]) <= {166_666, 166_667}


@pytest.mark.parametrize("text", ["2k", "ramp:4k..0@20s", "sine:2k+-1k@2s"])
def test_rescaling_poisson_arrivals(text: str) -> None:
    shape, now = parse(text), 3 * S + 1
    pacer = Pacer(shape, "poisson", seed=2)
    before = [time for time in listed(pacer, 50_000) if time <= now]
    after = listed(pacer.rescaled(now, 0.5, len(before)), 3000)
    assert after[0] > now
    expected = (shape.units_at(after[-1]) - shape.units_at(now)) / (2 * 10**12) / 2
    assert abs(len(after) - expected) < 3 * sqrt(expected)


def test_a_pause_delays_what_follows() -> None:
    pacer = Pacer(parse("1k"))
    assert pacer.fill(0, 2) == [0, 1_000_000]
    pacer.delay_ns += 5 * S
    assert pacer.fill(2, 2) == [5 * S + 2_000_000, 5 * S + 3_000_000]
    assert pacer.rescaled(5 * S + 3_500_000, 2, 4).fill(4, 2) == [5 * S + 3_750_000, 5 * S + 4_250_000]


DIGEST = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import Pacer
digest = hashlib.sha256()
for text in sys.argv[2:]:
    for arrivals in ("constant", "poisson"):
        pacer = Pacer(parse(text), arrivals, seed=5, part=1, parts=3)
        for _ in range(20):
            digest.update(repr(pacer.fill(pacer.next_k, 1000)).encode())
sys.stdout.write(digest.hexdigest())
"""


@cache
def digest_on(interpreter: str) -> str:
    command = [interpreter, "-I", "-c", DIGEST, str(ROOT), *SHAPES]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def interpreters() -> list[str]:
    """PyPy and CPython of any version on the path and among pyenv's."""
    names = ["pypy3", "pypy3.11", *(f"python3.{minor}" for minor in range(9, 16))]
    on_path = [found for name in names if (found := shutil.which(name)) and "shims" not in found]
    pyenv = [str(path) for end in ("9", "1[0-9]") for path in Path.home().glob(f".pyenv/versions/*/bin/python3.{end}")]
    return sorted({*on_path, *pyenv})


@pytest.mark.parametrize("interpreter", interpreters())
def test_every_interpreter_lists_the_same_times(interpreter: str) -> None:
    assert digest_on(interpreter) == digest_on(sys.executable)

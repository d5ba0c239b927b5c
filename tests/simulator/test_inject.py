"""Delays, stalls and faults as pure functions of given times: schedules, distributions, and what a bad spec says."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.simulator.inject.faults import Faults
from cqlsurge.simulator.inject.latency import Delays

MS = 1_000_000
S = 1000 * MS


def delays(latency=(), stalls=()):
    return Delays(random.Random(1), latency, stalls)


def test_fixed_latency_by_node():
    given = delays(["fixed:2ms", "fixed:5ms,node=2"])
    assert [given.send_at_ns(node, 100) for node in (1, 2, 3)] == [100 + 2 * MS, 100 + 5 * MS, 100 + 2 * MS]


def test_lognormal_latency():
    drawn = [delay for given in [delays(["lognormal:median=1ms,sigma=0.5"])] for delay in _draws(given, 4000)]
    assert 0.9 * MS < statistics.median(drawn) < 1.1 * MS
    assert 0.45 < statistics.stdev(map(math.log, drawn)) < 0.55


def _draws(given, count):
    return [given.send_at_ns(1, 0) for _ in range(count)]


def test_latency_from_a_histogram(tmp_path):
    file = tmp_path / "h"
    file.write_text("# microseconds, count\n100 3\n2000,1\n0.5 0\n")
    drawn = _draws(delays([f"histogram:{file}"]), 4000)
    assert set(drawn) == {100_000, 2 * MS}
    assert 0.7 < drawn.count(100_000) / 4000 < 0.8


def test_stalls_hold_all_answers_of_a_node():
    given = delays(["fixed:1ms,node=2"], ["500ms:every=10s,from=1s,node=2"])
    at = [given.send_at_ns(2, when) for when in (0, 999 * MS, 1200 * MS, 1499 * MS, 11 * S, 12 * S)]
    assert at == [MS, 1500 * MS, 1500 * MS, 1500 * MS, 11 * S + 500 * MS, 12 * S + MS]
    assert given.send_at_ns(1, 1200 * MS) == 1200 * MS


def test_a_stall_without_repetition_comes_once():
    given = delays(stalls=["1s:from=1s"])
    assert [given.send_at_ns(1, when * S // 2) for when in (1, 2, 3, 4, 10)] == [S // 2, 2 * S, 2 * S, 2 * S, 5 * S]


def queued(*specs):
    given = delays()
    given.set_queues(specs)
    return given


def test_a_queue_with_one_server_serves_in_order():
    given = queued("fixed:mean=2ms")
    assert [given.send_at_ns(1, when * MS) for when in (0, 1, 10)] == [2 * MS, 4 * MS, 12 * MS]
    assert given.send_at_ns(2, 0) == 2 * MS  # another node has a queue of its own


def test_a_queue_with_two_servers():
    given = queued("fixed:mean=2ms,servers=2")
    assert [given.send_at_ns(1, 0) for _ in range(4)] == [2 * MS, 2 * MS, 4 * MS, 4 * MS]


def test_an_exponential_queue_has_the_response_times_of_mm1():
    given, draw, now = queued("exp:mean=1ms"), random.Random(2), 0.0
    over = 0
    for _ in range(100_000):
        now += draw.expovariate(0.5) * MS
        over += given.send_at_ns(1, int(now)) - now > 5 * MS
    assert over / 100_000 == pytest.approx(math.exp(-0.5 * 5), rel=0.1)


def test_a_queue_is_slower_for_a_part_of_each_time():
    given = queued("fixed:mean=2ms,slow=3,for=1s,every=10s")
    assert [given.send_at_ns(1, when) - when for when in (0, 2 * S, 10 * S)] == [6 * MS, 2 * MS, 6 * MS]


def test_a_wall_is_slow_only_above_its_rate():
    given = queued("wall:rate=100,below=1ms,above=9ms")
    slow = [given.send_at_ns(1, at) - at for at in range(0, 2 * S, 20 * MS)]
    assert set(slow) == {1 * MS}
    fast = [given.send_at_ns(1, at) - at for at in range(2 * S, 4 * S, 5 * MS)]
    assert set(fast[300:]) == {9 * MS}


@pytest.mark.parametrize(
    "spec", ["exp", "exp:mean=0ms", "wall:rate=x,below=1ms,above=2ms", "lifo:mean=1ms", "exp:mean=1ms,slow=2,for=2s"]
)
def test_a_queue_that_cannot_be_is_refused(spec):
    with pytest.raises(UsageError):
        queued(spec)


def test_fault_schedule_and_count():
    faults = Faults(random.Random(1))
    faults.add("overloaded:from=5s,for=1s,every=10s,count=3", now_ns=S)
    hits = [when for when in range(60) if faults.pick(1, 0, "read", when * S)]
    assert hits == [6, 16, 26]


def test_fault_places_and_operations():
    faults = Faults(random.Random(1))
    faults.add("overloaded:node=2,shard=1,op=write")
    asked = [(1, 1, "write"), (2, 0, "write"), (2, 1, "read"), (2, 1, "write")]
    assert [faults.pick(*place, 0) is not None for place in asked] == [False, False, False, True]


def test_fault_probability_is_kept_and_seeded():
    faults = Faults(random.Random(1))
    faults.add("drop:p=0.1")
    hits = [faults.pick(1, 0, "read", 0) is not None for _ in range(10_000)]
    assert 900 < sum(hits) < 1100
    again = Faults(random.Random(1))
    again.add("drop:p=0.1")
    assert hits == [again.pick(1, 0, "read", 0) is not None for _ in range(10_000)]


def test_nodes_that_are_down_by_schedule():
    faults = Faults(random.Random(1))
    faults.add("down:node=2,from=1s,for=2s")
    assert [faults.node_is_down(2, when * S) for when in range(5)] == [False, True, True, False, False]
    assert not faults.node_is_down(1, 2 * S)
    assert faults.pick(2, 0, "read", 2 * S) is None


def test_errors_by_number():
    faults = Faults(random.Random(1))
    assert faults.add("error=0x1700").code == 0x1700
    assert faults.add("write-timeout").code == 0x1100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frob", "no fault 'frob'"),
        ("overloaded:p=2", "from 0 to 1"),
        ("overloaded:p=x", "must be a number"),
        ("overloaded:node=-1", "whole number"),
        ("overloaded:op=frob", "op is one of"),
        ("overloaded:when=1s", "no option 'when'"),
        ("overloaded:from=1parsec", "not understood"),
        ("error=frob", "error=0x1001"),
    ],
)
def test_bad_fault_specs_say_why(text, words):
    with pytest.raises(UsageError, match=words):
        Faults(random.Random(1)).add(text)


@pytest.mark.parametrize("text", ["frob:1ms", "fixed", "fixed:x", "histogram:/no/such/file", "lognormal:sigma=x"])
def test_bad_latency_specs(text):
    with pytest.raises(UsageError):
        delays([text])


@pytest.mark.parametrize("text", ["500ms:every=400ms", "frob", "1s:until=2s"])
def test_bad_stall_specs(text):
    with pytest.raises(UsageError):
        delays(stalls=[text])

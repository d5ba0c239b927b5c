"""The verdict on made-up evidence: each situation, its opposite, and what is honestly not known.

How: `judge` is pure; figures are chosen, and the words are looked at only for what they must name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.evidence import Evidence, Service, service_of
from cqlsurge.results.rows import GaveWay
from cqlsurge.results.verdict import judge, lines


def service(p50_us: float, floor_us: float, *, stalled: float = 0.0) -> Service:
    return Service(100_000, p50_us * 1.1, floor_us, p50_us, p50_us * 3, stalled)


#: 64 in flight in each of two processes that have time to spare; answers take five times the fastest
CLOSED = Evidence(
    concurrency=64, processes=2, duration_s=10.0, finished=600_000, service=service(2000, 150), issued=600_000,
    engine="wire", cores=2, busy_share=0.4, waited_share=0.01, ops_per_send=3.0, ops_per_wake=3.0, empty_wakes=0.1,
    unwritable_share=0.0, targets=1,
)  # fmt: skip
PACED = replace(
    CLOSED, concurrency=16_384, asked=200_000, asked_s=10.0, finished=200_000, service=service(300, 150),
    wait_mean_us=20.0, wait_p50_us=10.0, wait_p99_us=90.0,
)  # fmt: skip


def codes(verdict: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in verdict["reasons"]}


def test_a_line_at_the_server_is_seen() -> None:
    verdict = judge(CLOSED)
    assert (verdict["bound_by"], verdict["sure"]) == ("server", True)
    assert "queue" in codes(verdict)


def test_one_in_flight_is_bound_by_it_and_the_advice_follows_little() -> None:
    verdict = judge(replace(CLOSED, concurrency=1, service=service(400, 300)))
    assert (verdict["bound_by"], verdict["sure"]) == ("concurrency", True)
    assert "--concurrency 64" in verdict["advice"]
    assert "320 K" in verdict["advice"]  # 128 places, 400 us each


def test_a_busy_client_is_bound_only_if_answers_wait_for_it() -> None:
    busy = replace(CLOSED, busy_share=0.97, finished=640_000)
    assert judge(replace(busy, ops_per_wake=60.0))["bound_by"] == "client"
    waking = judge(replace(busy, ops_per_wake=1.2))
    assert waking["bound_by"] == "server"
    assert "client_wakes" in codes(waking)


def test_waiting_for_a_core_counts_as_the_clients_need() -> None:
    crowded = replace(CLOSED, processes=4, cores=1, busy_share=0.2, waited_share=0.75, ops_per_wake=60.0)
    verdict = judge(crowded)
    assert verdict["bound_by"] == "client"
    assert "4 load processes share 1 core" in verdict["advice"]


def test_an_engine_that_does_not_batch_is_bound_when_it_is_busy() -> None:
    driver = replace(CLOSED, ops_per_wake=None, ops_per_send=None, empty_wakes=None, busy_share=0.98, processes=1)
    verdict = judge(driver)
    assert verdict["bound_by"] == "client"
    assert "--processes 2" in verdict["advice"]


def test_a_server_that_stands_still_is_seen_even_with_one_in_flight() -> None:
    for concurrency in (1, 64):
        verdict = judge(replace(CLOSED, concurrency=concurrency, service=service(300, 150, stalled=0.6)))
        assert verdict["bound_by"] == "server"
        assert "stalls" in codes(verdict)


def test_stalls_of_the_client_are_not_the_servers() -> None:
    frozen = replace(CLOSED, concurrency=1, service=service(300, 150, stalled=0.4), waited_share=0.5)
    assert judge(frozen)["bound_by"] == "concurrency"


def test_a_rate_that_came_seconds_late_was_not_kept() -> None:
    late = replace(PACED, wait_p50_us=3e6, wait_mean_us=3e6, wait_p99_us=5e6, service=service(2e6, 1e5))
    verdict = judge(late)
    assert verdict["bound_by"] == "server"
    assert "20.0 K of 20.0 K ops/s asked for came, but late" in lines(verdict)[1]


def test_what_cannot_be_told_is_said_to_be_unsure() -> None:
    verdict = judge(replace(CLOSED, service=service(300, 150)))
    assert not verdict["sure"]
    assert "If throughput stays the same, it is the server" in verdict["advice"]
    assert "likely" in lines(verdict)[0]


def test_what_the_server_says_decides() -> None:
    unclear = replace(CLOSED, service=service(300, 150))
    assert judge(replace(unclear, server={"reactor_utilization": 0.3}))["bound_by"] == "concurrency"
    busy = judge(replace(unclear, server={"reactor_utilization": 0.99}))
    assert (busy["bound_by"], busy["sure"]) == ("server", True)
    waiting = judge(replace(unclear, server={"pending": {"MutationStage": 20.0}}))
    assert (waiting["bound_by"], waiting["sure"]) == ("server", True)
    refused = judge(replace(unclear, errors={"overloaded": 60_000}))
    assert "server_errors" in codes(refused)


def test_a_rate_that_is_kept_is_what_binds() -> None:
    verdict = judge(PACED)
    assert (verdict["bound_by"], verdict["advice"]) == ("rate", "")
    spinning = judge(replace(PACED, busy_share=0.99, ops_per_send=1.1))
    assert spinning["bound_by"] == "rate"
    assert "busy_is_no_sign" in codes(spinning)


def test_a_rate_beyond_the_server_grows_the_line() -> None:
    behind = replace(PACED, finished=100_000, service=service(900_000, 400), wait_mean_us=2e6, backlog=70_000)
    assert behind.in_flight < behind.concurrency
    assert judge(replace(behind, concurrency=4_000))["bound_by"] == "server"
    growing = judge(replace(behind, wait_mean_us=50.0))
    assert growing["bound_by"] == "server"
    assert "70,000 in the backlog" in "".join(lines(growing))


def test_a_late_client_with_room_in_flight_is_to_blame() -> None:
    late = replace(PACED, finished=120_000, busy_share=0.99, wait_mean_us=400_000.0)
    verdict = judge(late)
    assert verdict["bound_by"] == "client"


def test_a_limit_on_what_is_in_flight_can_hold_a_rate_back() -> None:
    held = replace(PACED, concurrency=2, finished=80_000, service=service(400, 350), wait_mean_us=1e6)
    verdict = judge(held)
    assert verdict["bound_by"] == "concurrency"
    assert "--concurrency 7" in verdict["advice"]  # 20000 ops/s, 440 us, two processes, half as many again


@pytest.mark.parametrize(
    ("host", "code"),
    [({"steal_share": 0.1}, "steal"), ({"throttled_s": 3.0}, "throttled"), ({"busy_share": 0.97}, "shared_machine")],
)
def test_conditions_are_told_whatever_bound_the_run(host: dict[str, float], code: str) -> None:
    assert code in codes(judge(replace(PACED, host=host, local=True)))
    assert code not in codes(judge(replace(PACED, local=True)))


def test_service_times_of_a_histogram() -> None:
    counts = new_counts()
    counts[index_of(200_000)] = 900
    counts[index_of(100_000)] = 50
    counts[index_of(400_000_000)] = 10
    found = service_of(counts)
    assert found.count == 960
    assert found.p50_us == pytest.approx(200, rel=0.01)
    assert found.floor_us == pytest.approx(100, rel=0.01)
    assert found.stalled_share == pytest.approx(4.0 / 4.185, rel=0.01)
    assert service_of(new_counts()) == Service()


def test_nothing_measured_is_no_error() -> None:
    empty = Evidence(concurrency=1, processes=1, duration_s=0.0, finished=0, service=Service())
    assert judge(empty)["bound_by"] == "concurrency"
    assert judge(replace(empty, asked=0))["figures"]["finished_ops_s"] == 0.0


def test_standing_still_is_told_of_whom_it_was() -> None:
    stalled = replace(PACED, silences=((4.0, 6.0),))
    (reason,) = [each for each in judge(stalled)["reasons"] if each["code"] == "silence"]
    assert "4 s to 6 s" in reason["saw"]
    # A load process that did not run heard no answers either: the silence is its own.
    stopped = replace(stalled, pauses=("load process 0 (pid 7) stood still for 3.0 s",))
    assert {"stood_still"} <= codes(judge(stopped))
    assert "silence" not in codes(judge(stopped))


def test_the_host_that_was_at_its_limit_is_named() -> None:
    idle = replace(CLOSED, processes=1, finished=300_000, busy_share=0.3)
    full = replace(idle, busy_share=0.98, ops_per_wake=60.0, host={"steal_share": 0.04})
    verdict = judge(replace(CLOSED, hosts=(("h1", idle), ("h2", full))))
    assert verdict["bound_by"] == "client"
    said = " ".join(lines(verdict))
    assert "host h2 was at its limit: its load processes used 98% of a core each, 4% steal" in said
    assert "host h2: other guests took 4% of this machine's CPU" in said
    assert "host h1" not in said
    many = judge(replace(CLOSED, hosts=tuple((f"h{at}", full) for at in range(200))))
    assert len([reason for reason in many["reasons"] if reason["code"] == "host_limit"]) == 4
    assert "the same on 197 more hosts" in " ".join(lines(many))


def test_waiting_for_a_core_most_of_the_time_is_the_clients_bound() -> None:
    driver = replace(CLOSED, engine="scylla-driver", ops_per_wake=None, ops_per_send=None, empty_wakes=None)
    assert judge(replace(driver, busy_share=0.26, waited_share=0.6))["bound_by"] == "client"
    assert judge(replace(driver, busy_share=0.26, waited_share=0.2))["bound_by"] == "server"


def test_a_server_that_stood_still_is_not_a_late_client() -> None:
    """All places wait while the server stands still, and the rest in line: sent late, by no client's doing."""
    stood = replace(PACED, finished=150_000, wait_mean_us=900_000.0, wait_p50_us=400_000.0, wait_p99_us=3e6)
    stood = replace(stood, service=service(300, 150, stalled=0.6), busy_share=0.2)
    verdict = judge(stood)
    assert verdict["bound_by"] == "server"
    assert "stalls" in codes(verdict)
    assert judge(replace(stood, busy_share=0.97))["bound_by"] == "client"
    stopped = judge(replace(stood, pauses=("load process 0 (pid 7) stood still for 3.0 s",)))
    assert stopped["bound_by"] == "client"


def test_a_rate_that_was_too_much_in_the_end_was_not_kept() -> None:
    ramp = replace(PACED, finished=199_500, gave_way=GaveWay(6.0, 6100.0, 0.9, 8000.0))
    verdict = judge(ramp)
    assert verdict["bound_by"] == "server"
    assert "from 6 s on, at 6.10 K ops/s, answers fell behind" in lines(verdict)[1]
    assert judge(replace(ramp, gave_way=None))["bound_by"] == "rate"


def test_slow_answers_that_are_under_way_are_not_missing() -> None:
    slow = replace(PACED, asked=10, finished=9, service=service(1_500_000, 1_400_000))
    assert judge(slow)["bound_by"] == "rate"


def test_a_node_that_was_away_is_told() -> None:
    verdict = judge(replace(PACED, absent=("node 127.0.0.3 was down, or could not be reached, for some of the time",)))
    assert "node_away" in codes(verdict)
    assert "unbalanced" not in codes(verdict)


def test_nothing_measured_and_no_success_are_told_as_such() -> None:
    warming = Evidence(
        concurrency=4, processes=1, duration_s=0.0, finished=0, service=Service(), issued=200, warmup_s=5
    )
    assert codes(judge(warming)) == {"nothing_measured"}
    assert lines(judge(warming))[0] == "cannot be told"
    refused = replace(CLOSED, concurrency=1, succeeded=0, errors={"overloaded": 600_000})
    assert "no_success" in codes(judge(refused))
    assert "--concurrency" not in judge(refused)["advice"]


def test_rates_below_one_are_shown() -> None:
    slow = replace(PACED, asked=5, finished=5, asked_s=10.0, duration_s=10.0)
    assert "0.50 of 0.50 ops/s" in lines(judge(slow))[1]

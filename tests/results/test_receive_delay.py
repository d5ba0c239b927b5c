"""Percentiles of receive delays, out of gauges that were added up, and what the verdict makes of them."""

from __future__ import annotations

from dataclasses import replace

from cqlsurge.load.engines.wire.receive_stamps import GAUGE
from cqlsurge.results.evidence import Evidence, Service
from cqlsurge.results.receive_delay import receive_delay
from cqlsurge.results.verdict import judge


def test_percentiles_are_upper_ends_of_cells() -> None:
    gauges = {f"{GAUGE}20": 90.0, f"{GAUGE}5": 900.0, f"{GAUGE}1000": 9.0, f"{GAUGE}20000": 1.0, "polls": 7.0}
    assert receive_delay(gauges) == {"samples": 1000, "p50": 5, "p90": 5, "p99": 20, "max": 20000}
    assert receive_delay({"polls": 7.0, f"{GAUGE}20": 0.0}) is None


def test_a_p99_that_is_the_clients_own_is_told() -> None:
    service = Service(count=1000, mean_us=500.0, floor_us=100.0, p50_us=400.0, p99_us=1000.0)
    evidence = Evidence(concurrency=10, processes=1, duration_s=10.0, finished=1000, service=service, engine="wire")

    def told(delay_us: float | None) -> bool:
        reasons = judge(replace(evidence, receive_delay_p99_us=delay_us))["reasons"]
        return "received_late" in {reason["code"] for reason in reasons}

    assert [told(delay_us) for delay_us in (None, 50.0, 100.0, 101.0, 500.0)] == [False, False, False, True, True]

"""OpenMetrics text, read by the parser of Prometheus's own client library."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.openmetrics import Metrics, exposition


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(exposition(metrics))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_nothing_yet_is_sound() -> None:
    assert samples(Metrics())[("cqlsurge_in_flight", ())] == 0


def test_counts_and_histograms_come_through() -> None:
    counts = new_counts()
    for latency_us, times in ((40, 2), (90, 3), (3_000, 4), (20_000_000, 1)):
        counts[index_of(latency_us * 1000)] += times
    told = samples(
        Metrics(
            outcomes={"write": {"ok": 9, "failed": 0, "unknown": 1}},
            errors={"client_timeout": 1},
            nodes={'a "quoted"\\name': 10},
            cpu_s={"0": 1.5},
            histograms={"write": {"service": counts}},
        )
    )
    assert told[("cqlsurge_operations_total", (("kind", "write"), ("outcome", "ok")))] == 9
    assert told[("cqlsurge_errors_total", (("class", "client_timeout"),))] == 1
    assert told[("cqlsurge_node_operations_total", (("node", 'a "quoted"\\name'),))] == 10
    assert told[("cqlsurge_client_cpu_seconds_total", (("process", "0"),))] == 1.5
    labels = (("kind", "write"), ("latency", "service"))
    assert told[("cqlsurge_latency_seconds_count", labels)] == 10
    assert abs(told[("cqlsurge_latency_seconds_sum", labels)] - 20.01235) < 0.02
    buckets = {
        float(dict(key)["le"]): value
        for (name, key), value in told.items()
        if name == "cqlsurge_latency_seconds_bucket"
    }
    assert (buckets[5e-05], buckets[0.0001], buckets[0.0025], buckets[0.005], buckets[10.0]) == (2, 5, 5, 9, 9)
    assert buckets[float("inf")] == 10

"""The figures of a run as OpenMetrics text, for Prometheus and others to scrape while it goes. Pure.

Counters and histograms are of the whole measured phase so far; rates are for who scrapes to compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cqlsurge.load.latency.histogram import filled, mean
from cqlsurge.load.latency.layout import value_at
from cqlsurge.results.counts import ENDED, PhaseCounts
from cqlsurge.results.seconds import Histograms

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
#: upper bounds of the buckets in seconds: 1, 2.5, 5 in each power of ten from 50 us to 10 s
BOUNDS_S = (
    5e-05, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip


@dataclass
class Metrics:
    """What is told. outcomes: ok, failed, unknown of each kind; processes, nodes: operations by index and address.

    phase_start_s: Unix time; events: how many things were noted so far, such as a lost process.
    """

    outcomes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    retries: int = 0
    skipped: int = 0
    in_flight: int = 0
    backlog: int = 0
    nodes: Mapping[str, int] = field(default_factory=dict)
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    histograms: Histograms = field(default_factory=dict)
    phase: str = ""
    phase_start_s: float = 0.0
    events: int = 0


def metrics_of(counts: PhaseCounts, phase: str = "", phase_start_s: float = 0.0, events: int = 0) -> Metrics:
    """What the counts of a phase have to tell so far; the others as Metrics has them."""
    outcomes: dict[str, dict[str, int]] = {}
    cpu_s = {}
    for index, process in enumerate(counts.processes):
        for kind, data in (process.last or {"kinds": {}})["kinds"].items():
            sums = outcomes.setdefault(kind, dict.fromkeys(ENDED, 0))
            for name in sums:
                sums[name] += data[name]
        cpu_s[str(index)] = (process.last or {}).get("cpu_s", 0.0)
    nodes: dict[str, int] = {}
    for (_, address, _), (issued, *_rest) in counts.targets().items():
        nodes[address] = nodes.get(address, 0) + issued
    return Metrics(
        outcomes=outcomes,
        errors=counts.by_class("errors"),
        retries=counts.total("retries"),
        skipped=counts.total("skipped"),
        in_flight=counts.in_flight,
        backlog=counts.backlog,
        nodes=nodes,
        cpu_s=cpu_s,
        histograms=counts.histograms,
        phase=phase,
        phase_start_s=phase_start_s,
        events=events,
    )


def exposition(metrics: Metrics) -> str:
    """The text, ended by `# EOF`."""
    lines: list[str] = []
    _counter(lines, "operations", "Operations that ended, by kind and outcome.", {
        f'{{kind="{_safe(kind)}",outcome="{outcome}"}}': count
        for kind, outcomes in metrics.outcomes.items() for outcome, count in outcomes.items()
    })  # fmt: skip
    by_class = {f'{{class="{_safe(name)}"}}': count for name, count in metrics.errors.items()}
    _counter(lines, "errors", "Operations that ended in an error, by class.", by_class)
    _counter(lines, "retries", "Further attempts of operations.", {"": metrics.retries})
    _counter(lines, "skipped", "Operations that were due and not sent: too many waited.", {"": metrics.skipped})
    by_node = {f'{{node="{_safe(name)}"}}': count for name, count in metrics.nodes.items()}
    _counter(lines, "node_operations", "Operations sent, by node.", by_node)
    cpu_s = {f'{{process="{_safe(name)}"}}': used_s for name, used_s in metrics.cpu_s.items()}
    _counter(lines, "client_cpu_seconds", "CPU time of the load processes.", cpu_s, "seconds")
    _counter(lines, "events", "What was noted: lost processes, pauses, changes of the rate.", {"": metrics.events})
    if metrics.phase:
        _head(lines, "phase_start_seconds", "gauge", "When the phase began, as Unix time.", "seconds")
        lines.append(f'cqlsurge_phase_start_seconds{{phase="{_safe(metrics.phase)}"}} {metrics.phase_start_s:.3f}')
    _gauge(lines, "in_flight", "Operations sent and not answered.", metrics.in_flight)
    _gauge(lines, "backlog", "Operations that are due and not sent.", metrics.backlog)
    _histograms(lines, metrics.histograms)
    return "\n".join([*lines, "# EOF"]) + "\n"


def _head(lines: list[str], name: str, kind: str, text: str, unit: str = "") -> None:
    lines.append(f"# TYPE cqlsurge_{name} {kind}")
    if unit:
        lines.append(f"# UNIT cqlsurge_{name} {unit}")
    lines.append(f"# HELP cqlsurge_{name} {text}")


def _counter(lines: list[str], name: str, text: str, values: Mapping[str, float], unit: str = "") -> None:
    if values:
        _head(lines, name, "counter", text, unit)
        lines += [f"cqlsurge_{name}_total{labels} {value}" for labels, value in values.items()]


def _gauge(lines: list[str], name: str, text: str, value: float) -> None:
    _head(lines, name, "gauge", text)
    lines.append(f"cqlsurge_{name} {value}")


def _histograms(lines: list[str], histograms: Histograms) -> None:
    if not histograms:
        return
    _head(lines, "latency_seconds", "histogram", "Latencies: wait, service, response.", "seconds")
    for kind, by_latency in histograms.items():
        for name, counts in by_latency.items():
            labels = f'kind="{_safe(kind)}",latency="{name}"'
            below = _cumulated(counts)
            total = sum(counts)
            lines += [
                f'cqlsurge_latency_seconds_bucket{{{labels},le="{bound}"}} {count}'
                for bound, count in zip(BOUNDS_S, below, strict=True)
            ]
            lines.append(f'cqlsurge_latency_seconds_bucket{{{labels},le="+Inf"}} {total}')
            lines.append(f"cqlsurge_latency_seconds_count{{{labels}}} {total}")
            lines.append(f"cqlsurge_latency_seconds_sum{{{labels}}} {mean(counts) * total / 1e9:.9f}")


def _cumulated(counts: list[int]) -> list[int]:
    """How many latencies are at or below each bound."""
    below = [0] * len(BOUNDS_S)
    at = 0
    seen = 0
    for index in filled(counts):
        while at < len(BOUNDS_S) and value_at(index) > BOUNDS_S[at] * 1e9:
            below[at] = seen
            at += 1
        seen += counts[index]
    below[at:] = [seen] * (len(BOUNDS_S) - at)
    return below


def _safe(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

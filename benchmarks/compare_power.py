"""How often a comparison errs: thousands of synthetic pairs whose truth is known, made as whole result documents.

    uv run python benchmarks/compare_power.py [--pairs 1000] [--seed 1] [CASE ...]

A run here is 60 s of closed load at 20 K operations per second: a body of latencies that moves against the throughput,
a tail with a factor of its own, client CPU with one more; each factor varies from run to run. Counts of the histogram
are drawn cell by cell. Prints, for each case, the share of pairs that say faster or slower (more, less) anywhere, and
the share that find each metric in the direction given. docs/comparison.md holds the figures of 1000 pairs a case.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cqlsurge import __version__
from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.compare import Comparison, compare
from cqlsurge.results.document import Document, RunFacts, build
from cqlsurge.results.figures import Figures, merged_kinds
from cqlsurge.settings import Settings

SECONDS = 60
OPS_S = 20_000
GRID = [150.0 * 1.004**i for i in range(1500)]  # microseconds, 0.15 to 60 ms; steps of 0.4%
NO_WORDS = {"no difference seen", "too noisy to tell"}

#: counts of operations that are 0 in every run
NONE = ("failed", "unknown", "in_flight", "rows", "retries", "late", "skipped", "backlog", "abandoned")
VERDICT = {"bound_by": "server", "sure": True, "reasons": [], "advice": ""}
CLUSTER = {
    "product": "ScyllaDB", "version": "2026.1", "embedded": False, "nodes": 3, "dcs": ["datacenter1"], "shards": 24,
    "replication": {"class": "NetworkTopologyStrategy", "datacenter1": "3"}, "tls": False,
}  # fmt: skip
FACTS = RunFacts(
    started_at="",
    engine={"name": "wire", "technique": None, "driver": "wire", "compression": None},
    runtime={"name": "PyPy 3.11", "implementation": "pypy", "version": "3.11.11", "path": "pypy3.11"},
    seed=1,
    settings=Settings(concurrency=16, processes=1, duration=float(SECONDS)).to_json(),
    host={"cpu": "synthetic", "cores": 2, "machine": "x86_64"},
    cluster=CLUSTER,
    version=__version__,
)


@dataclass(frozen=True)
class Case:
    """What the runs of a pair are. Shares are relative: 0.03 is 3%."""

    what: str
    throughput: float = 0.0  # the candidate's true difference
    p99: float = 0.0
    cpu: float = 0.0
    runs: int = 5
    variation: float = 0.01  # from run to run
    tail_variation: float = 0.01
    correlation: float = 0.0  # of neighbouring seconds
    ripple: float = 0.02  # from second to second
    fall: float = 0.0  # how much throughput falls over each run
    drift: float = 0.0  # how much each further run is slower than the one before it
    interleaved: bool = True
    outlier: float = 0.0  # how often a run is a third slower
    finds: tuple[tuple[str, str], ...] = ()


CASES = {
    "none": Case("no difference"),
    "throughput": Case("+3% throughput", throughput=0.03, finds=(("throughput", "faster"),)),
    "p99": Case("+10% p99", p99=0.10, finds=(("p99", "slower"),)),
    "noisy": Case("no difference, runs vary by 10%", variation=0.1, tail_variation=0.1),
    "autocorrelated": Case("no difference, seconds vary by 10%, correlated 0.9", correlation=0.9, ripple=0.1),
    "drifting": Case("no difference, falls 20% in each run and 1% from run to run", fall=0.2, drift=0.01),
    "drifting-throughput": Case(
        "+3% throughput, falls 20% in each run and 1% from run to run",
        throughput=0.03, fall=0.2, drift=0.01, finds=(("throughput", "faster"),),
    ),
    "outliers": Case("no difference, a tenth of the runs is a third slower", outlier=0.1),
    "tails": Case("+10% p99, tails vary by 3%", p99=0.1, tail_variation=0.03, finds=(("p99", "slower"),)),
    "cpu": Case("+5% client CPU", cpu=0.05, finds=(("cpu", "more"),)),
    "in-turn": Case("+3% throughput, all of base first", throughput=0.03, interleaved=False,
                    finds=(("throughput", "faster"),)),
    "in-turn-drifting": Case("no difference, each run 1% slower, all of base first", drift=0.01, interleaved=False),
    "three": Case("no difference, 3 runs a side", runs=3),
    "three-10": Case("+10% throughput, 3 runs a side", runs=3, throughput=0.1, finds=(("throughput", "faster"),)),
    "single": Case("no difference, one run a side", runs=1),
    "single-autocorrelated": Case(
        "no difference, one run a side, seconds vary by 10%, correlated 0.9", runs=1, correlation=0.9, ripple=0.1
    ),
    "single-10": Case("+10% throughput, one run a side", runs=1, throughput=0.1, finds=(("throughput", "faster"),)),
}  # fmt: skip


def make_pair(case: Case, rng: random.Random) -> tuple[list[Document], list[Document]]:
    """The documents of both sides, in the order ABBA, or all of base first."""
    places = range(2 * case.runs)
    order = [i % 4 in (1, 2) for i in places] if case.interleaved else [i >= case.runs for i in places]
    sides: tuple[list[Document], list[Document]] = ([], [])
    for place, second in enumerate(order):
        truth = case if second else replace(case, throughput=0.0, p99=0.0, cpu=0.0)
        sides[second].append(make_run(truth, place, rng))
    return sides


def make_run(case: Case, place: int, rng: random.Random) -> Document:
    """One run's document."""
    speed = (1 + case.throughput) * math.exp(rng.gauss(0, case.variation) - case.drift * place)
    if rng.random() < case.outlier:
        speed *= 2 / 3
    tail = (1 + case.p99) * math.exp(rng.gauss(0, case.tail_variation))
    cpu_us = 3.0 * (1 + case.cpu) * math.exp(rng.gauss(0, case.variation))
    ripple, rows = rng.gauss(0, case.ripple), []
    for second in range(SECONDS):
        fresh = case.ripple * math.sqrt(1 - case.correlation**2)
        ripple = case.correlation * ripple + rng.gauss(0, fresh)
        pace = speed * math.exp(ripple) * (1 - case.fall * second / SECONDS)
        p50, p99 = 800 / pace, 800 / pace * 3.2 * tail * math.exp(rng.gauss(0, 0.03))
        rows.append(
            {"t_s": second + 1, "span_s": 1.0, "ok": round(OPS_S * pace), "errors": 0, "p50_us": p50, "p99_us": p99,
             "p99_9_us": p99 * 2 * math.exp(rng.gauss(0, 0.08)), "warmup": False, "heat": ""}
        )  # fmt: skip
    ok = sum(row["ok"] for row in rows)
    counts = draw(ok, SECONDS * OPS_S / ok, tail, rng)
    finished = sum(counts)
    counts_of = {"due": ok, "issued": ok, "ok": ok, **dict.fromkeys(NONE, 0)}
    histograms = {"write": {"wait": no_wait(finished), "service": counts, "response": counts}}
    figures = Figures(
        duration_s=float(SECONDS),
        measured_ok=ok,
        measured_finished=finished,
        operations=counts_of,
        client={
            "processes": 1,
            "cpu_s": cpu_us * finished / 1e6,
            "spin_s": 0.0,
            "cpu_us_per_op": cpu_us,
            "max_rss_mb": 40.0,
        },
        histograms=histograms,
        merged=merged_kinds(histograms),
        timeline=rows,
    )
    facts = replace(FACTS, started_at=f"2026-01-01T{place:02}:00:00.000+00:00")
    return build(facts, figures, VERDICT, state="done")


def draw(total: int, slowness: float, tail: float, rng: random.Random) -> list[int]:
    """A histogram of about `total` latencies: nine tenths and more in a lognormal body, 4% in a wider tail."""
    counts = new_counts()
    before = 0.0
    for low, high in pairwise(GRID):
        if before > 1 - 1e-10:
            break
        share = 0.96 * _below(high, 800 * slowness, 0.25) + 0.04 * _below(high, 1800 * slowness * tail, 0.5)
        expected, before = (share - before) * total, share
        if expected <= 0:
            continue
        drawn = _poisson(expected, rng) if expected < 30 else max(0, round(rng.gauss(expected, math.sqrt(expected))))
        if drawn:
            counts[index_of(round(500 * (low + high)))] += drawn
    return counts


def no_wait(total: int) -> list[int]:
    """The histogram of so many operations that did not wait."""
    counts = new_counts()
    counts[0] = total
    return counts


def _below(value: float, median: float, sigma: float) -> float:
    return 0.5 * math.erfc(-math.log(value / median) / (sigma * math.sqrt(2)))


def _poisson(mean: float, rng: random.Random) -> int:
    limit, product, drawn = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        drawn += 1
    return drawn


def says_something(comparison: Comparison) -> list[str]:
    """The metrics that are said to differ."""
    return [finding.metric for finding in comparison.findings if finding.word not in NO_WORDS]


@dataclass
class Score:
    """What came of the pairs of a case, in shares."""

    anywhere: float
    found: dict[str, float]
    wide: float  # of the pairs, how many say of throughput that it is too noisy to tell


def score(case: Case, pairs: int, seed: int) -> Score:
    """Compares so many pairs of a case."""
    rng = random.Random(f"{seed} {case.what}")
    anywhere = wide = 0
    found = dict.fromkeys((metric for metric, _ in case.finds), 0)
    for _ in range(pairs):
        comparison = compare(*make_pair(case, rng))
        anywhere += bool(says_something(comparison))
        wide += comparison["throughput"].word == "too noisy to tell"
        for metric, word in case.finds:
            found[metric] += comparison[metric].word == word
    return Score(anywhere / pairs, {metric: count / pairs for metric, count in found.items()}, wide / pairs)


def main() -> None:
    """Prints a line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for name in args.cases or CASES:
        begin_s = time.monotonic()
        result = score(CASES[name], args.pairs, args.seed)
        found = "  ".join(f"{metric} found {share:.1%}" for metric, share in result.found.items())
        print(
            f"{name:22} differs anywhere {result.anywhere:6.1%}  throughput too noisy {result.wide:6.1%}  {found}"
            f"  [{args.pairs} pairs: {CASES[name].what}; {time.monotonic() - begin_s:.0f} s]",
            flush=True,
        )


if __name__ == "__main__":
    main()

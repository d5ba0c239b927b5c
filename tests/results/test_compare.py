"""How: synthetic runs whose truth is known, as whole documents (benchmarks/compare_power.py), compared and read back.

The error rates proper are measured there with 1000 pairs a case; here a few seeded pairs of each hold the line. The
histograms are made coarser, which is faster and harder: figures come in steps.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from synthetic import load_power

import cqlsurge.results.compare
from cqlsurge.errors import ResultError, UsageError
from cqlsurge.load.latency.hdr import decode, encode
from cqlsurge.load.latency.histogram import LATENCIES
from cqlsurge.results.comparable import judge_comparable
from cqlsurge.results.compare import compare
from cqlsurge.results.document import latencies
from cqlsurge.results.limits import check_limits, parse_limit
from cqlsurge.results.run_set import RunSet

PAIRS = 6


@pytest.fixture(scope="module")
def power() -> Iterator[ModuleType]:
    module = load_power()
    fine = module.GRID
    module.GRID = fine[::3]
    yield module
    module.GRID = fine


@pytest.fixture(scope="module")
def pair(power: ModuleType) -> tuple[list[Any], list[Any]]:
    """Five runs a side; the candidate's throughput is 10% higher, its p99 30%."""
    case = power.Case("", throughput=0.1, p99=0.3)
    sides: tuple[list[Any], list[Any]] = power.make_pair(case, random.Random(5))
    return sides


def test_the_synthetic_runs_are_whole_documents(pair: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(cqlsurge.results.compare.__file__).parent / "schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(pair[0][0])), schema)


@pytest.mark.parametrize("name", ["none", "noisy", "autocorrelated", "drifting"])
def test_equal_sides_are_hardly_ever_told_apart(power: ModuleType, name: str) -> None:
    result = power.score(power.CASES[name], PAIRS, seed=1)
    assert result.anywhere <= 1 / PAIRS
    assert (result.wide > 0.5) == (name in {"noisy", "autocorrelated"})


@pytest.mark.parametrize("name", ["throughput", "p99", "drifting-throughput", "cpu"])
def test_real_differences_are_found(power: ModuleType, name: str) -> None:
    result = power.score(power.CASES[name], PAIRS, seed=2)
    assert min(result.found.values()) >= 1 - 1 / PAIRS


def test_findings_have_values_changes_intervals_and_words(pair: Any) -> None:
    comparison = compare(*pair)
    throughput, p99, errors = comparison["throughput"], comparison["p99"], comparison["errors"]
    assert throughput.word == "faster"
    assert throughput.change == pytest.approx(0.1, abs=0.02)
    assert throughput.low is not None
    assert throughput.high is not None
    assert 0 < throughput.low < throughput.change < throughput.high
    assert p99.word == "slower"
    assert (errors.word, errors.change, errors.low) == ("no difference seen", 0.0, None)
    assert comparison["cpu"].word == "no difference seen"
    merged = sum(run["throughput_ops_s"] for run in pair[0]) / 5
    assert throughput.base == pytest.approx(merged, rel=1e-3)
    json.dumps(comparison.to_json(), allow_nan=False)
    with pytest.raises(UsageError, match="no metric 'p98'"):
        comparison["p98"]


def test_percentiles_are_those_of_the_merged_histogram(pair: Any) -> None:
    counts = [
        sum(cells) for cells in zip(*(decode(run["histograms"]["write"]["service"]) for run in pair[0]), strict=True)
    ]
    figures = latencies({"write": dict.fromkeys(LATENCIES, counts)}, dict.fromkeys(LATENCIES, counts))["all"]["service"]
    side = RunSet(pair[0], "service")
    for name in ("mean", "p50", "p99", "p99_9", "p99_99"):
        assert side.tail("all", name).whole == pytest.approx(figures[name], rel=1.1e-3), name


def test_the_interval_excludes_zero_exactly_where_a_difference_is_told(power: ModuleType) -> None:
    rng = random.Random(11)
    for throughput in (0.0, 0.02, 0.05):
        comparison = compare(*power.make_pair(power.Case("", throughput=throughput), rng))
        for finding in comparison.findings:
            if finding.low is not None and finding.high is not None:
                assert (finding.low > 0 or finding.high < 0) == (finding.word in {"faster", "slower", "more", "less"})


def test_one_run_a_side_is_judged_by_its_seconds_and_says_so(power: ModuleType) -> None:
    base, candidate = power.make_pair(power.Case("", throughput=0.2, runs=1), random.Random(1))
    comparison = compare(base, candidate)
    assert comparison["throughput"].word == "faster"
    assert "one run a side" in comparison.warnings[0]
    assert comparison["cpu"].word == "too noisy to tell"
    assert comparison["cpu"].low is None
    assert "says nothing" in comparison["cpu"].note
    shorter = copy.deepcopy((base, candidate))
    for side in shorter:
        side[0]["timeline"] = side[0]["timeline"][:9]
    assert compare(*shorter)["throughput"].word == "too noisy to tell"


def test_one_run_against_many_is_taken_to_vary_as_they_do(power: ModuleType) -> None:
    base, candidate = power.make_pair(power.Case("", throughput=0.2), random.Random(1))
    for comparison in (compare(base, candidate[:1]), compare(base[:1], candidate)):
        assert comparison["throughput"].word == "faster"
        assert "one side has one run" in comparison.warnings[0]


def test_percentiles_beyond_the_operations_are_not_judged(power: ModuleType) -> None:
    runs = copy.deepcopy(power.make_pair(power.Case("", runs=2), random.Random(1)))
    for side in runs:
        for document in side:
            counts = [count // 100 for count in decode(document["histograms"]["write"]["service"])]
            document["histograms"]["write"]["service"] = encode(counts)
    found = compare(*runs)["p99.99"]
    assert found.word == "too noisy to tell"
    assert "operations of a run" in found.note


def test_kinds_are_compared_apart_and_together(pair: Any) -> None:
    sides = copy.deepcopy(pair)
    for side in sides:
        for document in side:
            document["histograms"]["read"] = document["histograms"]["write"]
    names = [finding.metric for finding in compare(*sides).findings]
    assert names[0] == "throughput"
    assert {"p99", "read.p99", "write.p99.99", "cpu", "errors"} <= set(names)


def test_errors_are_compared_as_shares(pair: Any) -> None:
    sides = copy.deepcopy(pair)
    for document in sides[1]:
        document["operations"]["failed"] = document["operations"]["ok"] // 100
    found = compare(*sides)["errors"]
    assert found.word == "more"
    assert found.change == pytest.approx(0.01, rel=0.02)
    single = compare(sides[0][:1], sides[1][:1])["errors"]
    assert single.change == pytest.approx(0.01, rel=0.02)


def test_runs_in_turn_and_runs_one_side_after_the_other(power: ModuleType, pair: Any) -> None:
    assert not [text for text in compare(*pair).warnings if "interleaved" in text]
    in_turn = power.make_pair(power.Case("", interleaved=False), random.Random(1))
    assert [text for text in compare(*in_turn).warnings if "interleaved" in text]


def test_nothing_measured_is_refused(pair: Any) -> None:
    empty = {**pair[0][0], "throughput_ops_s": 0.0}
    with pytest.raises(ResultError, match="measured nothing"):
        compare([empty], pair[1])
    with pytest.raises(ResultError, match="population"):
        compare([{**pair[0][0], "phase": "populate"}], pair[1])
    with pytest.raises(UsageError, match="each side"):
        compare([], pair[1])


def changed(document: Any, **changes: Any) -> Any:
    """A document with some values changed: `settings__concurrency=3`."""
    whole = copy.deepcopy(document)
    for name, value in changes.items():
        group, key = name.split("__")
        whole[group][key] = value
    return whole


def test_what_differs_is_refused_unless_allowed(pair: Any) -> None:
    base = [changed(document, settings__json="a") for document in pair[0]]
    same = [changed(document, settings__json="b") for document in pair[1]]
    assert judge_comparable(base, same).differences == []
    other = [changed(document, settings__concurrency=8, engine__name="fake", cluster__nodes=1) for document in pair[1]]
    with pytest.raises(UsageError, match=r"differ in cluster.nodes, concurrency, engine.name .*--allow-different"):
        judge_comparable(base, other)
    with pytest.raises(UsageError, match=r"differ in cluster.nodes \(cluster.nodes: 3 against 1\)"):
        judge_comparable(base, other, ["concurrency", "engine"])
    found = judge_comparable(base, other, ["all"]).differences
    assert {"name": "concurrency", "base": [16], "candidate": [8]} in found
    mixed = [base[0], other[1]]
    with pytest.raises(UsageError, match="differ in"):
        judge_comparable(mixed, mixed)


def test_odd_runs_are_named(pair: Any) -> None:
    base = pair[0]
    assert judge_comparable(base, base).warnings == [
        "a run is given twice: that makes runs look more alike than they are"
    ]
    cut = {**pair[1][0], "state": "interrupted", "verdict": {"bound_by": "client"}}
    warnings = judge_comparable(base, [cut]).warnings
    assert [text for text in warnings if "did not end as asked" in text]
    assert [text for text in warnings if "client was the limit" in text]


def test_limits_are_read() -> None:
    limit = parse_limit("p99 > +5%")
    assert (limit.metric, limit.above, limit.change) == ("p99", True, 0.05)
    assert parse_limit("read.p99.9>12.5 %").change == 0.125
    assert parse_limit("throughput < -3%").change == -0.03
    for text in ("p99", "p99 > 5", "> 5%", "p99 = 5%", "throughput < -100%", "p99 > +5% or so"):
        with pytest.raises(UsageError):
            parse_limit(text)


def test_a_limit_is_broken_only_where_the_interval_says_so(pair: Any) -> None:
    comparison = compare(*pair)  # throughput +10%, p99 about +20% (a higher throughput shortens the body)
    texts = ["p99 > +5%", "p99 > +90%", "throughput < -3%", "throughput > +9.9%", "errors > +0.1%"]
    outcomes = check_limits(comparison, [parse_limit(text) for text in texts])
    assert [one.broken for one in outcomes] == [True, False, False, False, False]
    assert "within the limit" in outcomes[1].text
    assert "may be chance" in outcomes[3].text or "within" in outcomes[3].text
    with pytest.raises(UsageError, match="no metric"):
        check_limits(comparison, [parse_limit("p98 > 5%")])
    assert check_limits(comparison, []) == []

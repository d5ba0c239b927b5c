"""Comparison of runs: each figure's difference, its confidence interval, and a plain word.

The method, and how often it errs on runs whose truth is known, stands in docs/comparison.md.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cqlsurge.errors import UsageError
from cqlsurge.load.latency.histogram import PERCENTILES
from cqlsurge.results.document import Document
from cqlsurge.results.run_set import ALL, Figure, RunSet, resolution, series
from cqlsurge.results.statistics import (
    SERIES_MIN,
    Difference,
    Spread,
    borrowed,
    difference,
    holm,
    interleaved,
    series_spread,
    spread_of,
    with_trend,
)

KIND = "cqlsurge comparison"
#: the share of comparisons without a difference that may say there is one, anywhere
LEVEL = 0.05
#: variation from run to run that is assumed where neither side has a second run
RUN_VARIATION = 0.02
#: standard errors below this are not believed: half a thousandth
ERROR_FLOOR = 0.0005
LARGEST = math.log(1e6)
#: a percentile is judged where so many operations of a run lie beyond it
BEYOND_MIN = 10
#: weights of a metric in the family, the headline's and the rest's
HEADLINE, SECOND, REST = 20.0, 6.0, 1.0

TAKEN_OUT = "a trend over the order of the runs is taken out"
MAYBE_TREND = "follows the order of the runs, which may be all of the difference"

Word = Literal["faster", "slower", "less", "more", "no difference seen", "too noisy to tell"]
TOO_NOISY: Word = "too noisy to tell"
NO_DIFFERENCE: Word = "no difference seen"


@dataclass(frozen=True)
class Metric:
    """What is compared. `margin`: an interval no wider than this to each side is fit to say `no difference seen`."""

    name: str
    unit: str
    margin: float
    weight: float
    words: tuple[Word, Word]  # where the candidate has more, where it has less
    kind: str = ALL
    figure: str = ""

    @property
    def is_share(self) -> bool:
        """Whether differences are of shares themselves, not relative."""
        return self.unit == "share"


THROUGHPUT = Metric("throughput", "ops/s", 0.05, HEADLINE, ("faster", "slower"))
CPU = Metric("cpu", "us/op", 0.05, REST, ("more", "less"))


@dataclass(frozen=True)
class Finding:
    """One metric compared. `change`, `low` and `high` are relative to base (0.05 is 5% more); for `errors`, whose
    unit is `share`, they are differences of shares. `level` is what the interval was made for; None: not judged."""

    metric: str
    unit: str
    base: float
    candidate: float
    change: float
    low: float | None
    high: float | None
    level: float | None
    word: Word
    note: str
    difference: Difference | None = dataclasses.field(repr=False, default=None)


@dataclass(frozen=True)
class Comparison:
    """All findings about two sides, and what their reader should know."""

    base_runs: int
    candidate_runs: int
    latency: str
    findings: list[Finding]
    differences: list[dict[str, Any]]
    warnings: list[str]

    def __getitem__(self, metric: str) -> Finding:
        """The finding about a metric: throughput, p99, read.p99, cpu, errors ... Raises UsageError."""
        for finding in self.findings:
            if finding.metric == metric:
                return finding
        known = ", ".join(finding.metric for finding in self.findings)
        raise UsageError(f"there is no metric {metric!r} in this comparison; there are {known}")

    def to_json(self) -> dict[str, Any]:
        """As a JSON-able dict."""
        findings = [
            {key: value for key, value in vars(finding).items() if key != "difference"} for finding in self.findings
        ]
        return {"kind": KIND, "schema": 1, **vars(self), "findings": findings}


def compare(
    base: Sequence[Document],
    candidate: Sequence[Document],
    *,
    latency: str | None = None,
    run_variation: float = RUN_VARIATION,
    differences: list[dict[str, Any]] | None = None,
    warnings: Sequence[str] = (),
) -> Comparison:
    """Compares two sides of one or more documents. `latency`: wait, service or response (default: the headline).

    Whether they may be compared is not asked here (comparable.py). Raises UsageError and ResultError.
    """
    if not base or not candidate:
        raise UsageError("a comparison needs a run on each side: cqlsurge compare BASE... -- CANDIDATE...")
    rated = all(document["settings"].get("rate") is not None for document in [*base, *candidate])
    latency = latency or ("response" if rated else "service")
    pair = Pair(RunSet(base, latency), RunSet(candidate, latency), run_variation)
    drafts = [pair.draft(metric) for metric in _metrics(pair, rated)]
    return Comparison(
        len(base), len(candidate), latency, _judged(drafts), differences or [], [*warnings, *pair.warnings()]
    )


def _metrics(pair: Pair, rated: bool) -> list[Metric]:
    kinds = sorted(pair.base.kinds & pair.candidate.kinds)
    metrics = [replace(THROUGHPUT, weight=SECOND if rated else HEADLINE)]
    for kind in [ALL, *kinds] if len(kinds) > 1 else [ALL]:
        for figure, margin in (
            ("mean", 0.05),
            ("p50", 0.05),
            ("p90", 0.1),
            ("p99", 0.1),
            ("p99_9", 0.2),
            ("p99_99", 0.2),
        ):
            weight = REST
            if kind == ALL and figure == "p99":
                weight = HEADLINE if rated else SECOND
            prefix = "" if kind == ALL else f"{kind}."
            name = prefix + figure.replace("_", ".")
            metrics.append(Metric(name, "us", margin, weight, ("slower", "faster"), kind, figure))
    metrics.append(CPU)
    metrics.append(Metric("errors", "share", 0.001, REST, ("more", "less")))
    return metrics


@dataclass(frozen=True)
class Draft:
    """A finding before the family is judged. No difference: nothing is known of how it varies."""

    metric: Metric
    base: float
    candidate: float
    difference: Difference | None
    note: str = ""


class Pair:
    """Two sides, and how far their figures can be told apart."""

    def __init__(self, base: RunSet, candidate: RunSet, run_variation: float) -> None:
        self.base, self.candidate, self.run_variation = base, candidate, run_variation
        started = sorted(run.started_at for side in (base, candidate) for run in side.runs)
        places = [[float(started.index(run.started_at)) for run in side.runs] for side in (base, candidate)]
        self.order = (places[0], places[1])
        self.ordered = len(set(started)) == len(started)
        self.trends: set[str] = set()

    def draft(self, metric: Metric) -> Draft:
        """The difference of one metric."""
        base, candidate = self._figure(self.base, metric), self._figure(self.candidate, metric)
        share = dict(PERCENTILES).get(metric.figure)
        if share is not None:
            beyond = min(side.count(metric.kind) for side in (self.base, self.candidate)) * (1 - share / 100)
            if beyond < BEYOND_MIN:
                return Draft(
                    metric, base.whole, candidate.whole, None, f"only {beyond:.1f} operations of a run beyond it"
                )
        if min(*base.each, *candidate.each) <= 0 and not metric.is_share:
            return Draft(metric, base.whole, candidate.whole, None, "not measured")
        found = self._difference(metric, base, candidate)
        note = "" if found or not (base.whole or candidate.whole) else self._silence()
        if metric.name in self.trends:
            note = TAKEN_OUT if interleaved(self.order) else MAYBE_TREND
        return Draft(metric, base.whole, candidate.whole, found, note)

    def _silence(self) -> str:
        """Why one run a side does not tell how a figure varies."""
        seconds = min(len(run.rows) for side in (self.base, self.candidate) for run in side.runs)
        if seconds < SERIES_MIN:
            return f"one run a side, of only {seconds} whole seconds after warm-up: {SERIES_MIN} show how it varies"
        return "one run a side says nothing about how it varies"

    def warnings(self) -> list[str]:
        """What limits the whole comparison, in words."""
        counts = len(self.base.runs), len(self.candidate.runs)
        if max(counts) == 1:
            return [
                f"one run a side: how much runs vary is not seen, {self.run_variation:.1%} is assumed; "
                "5 a side tell more"
            ]
        found = []
        if min(counts) == 1:
            found.append("one side has one run: it is taken to vary as the other side's runs do")
        elif max(counts) < 4:
            found.append("fewer than 4 runs a side show large differences only; 5 a side tell more")
        if self.ordered and min(counts) > 1 and self._one_after_the_other():
            found.append(
                "all runs of one side came before the other's: a machine that changes over time looks like a "
                "difference; `cqlsurge ab` runs them interleaved"
            )
        return found

    def _one_after_the_other(self) -> bool:
        base, candidate = self.order
        return max(base) < min(candidate) or max(candidate) < min(base)

    def _figure(self, side: RunSet, metric: Metric) -> Figure:
        if metric.figure:
            return side.tail(metric.kind, metric.figure)
        return {"throughput": side.throughput, "cpu": side.cpu_us, "errors": side.error_share}[metric.name]()

    def _difference(self, metric: Metric, base: Figure, candidate: Figure) -> Difference | None:
        floor = self._floor(metric)
        if not metric.is_share:
            base, candidate = base.logarithms(), candidate.logarithms()
        runs = len(base.each), len(candidate.each)
        if max(runs) == 1:
            return self._within(metric, base.whole, candidate.whole, floor)
        if min(runs) == 1:
            known = (
                spread_of(base.whole, base.each, base.without)
                if runs[1] == 1
                else spread_of(candidate.whole, candidate.each, candidate.without)
            )
            single = borrowed(candidate.whole if runs[1] == 1 else base.whole, known, max(runs))
            return difference(known, single, floor) if runs[1] == 1 else difference(single, known, floor)
        trended = with_trend(base.each, candidate.each, self.order) if self.ordered else None
        if trended is not None:
            self.trends.add(metric.name)
            return replace(trended, error=math.hypot(trended.error, floor))
        return difference(
            spread_of(base.whole, base.each, base.without),
            spread_of(candidate.whole, candidate.each, candidate.without),
            floor,
        )

    def _floor(self, metric: Metric) -> float:
        """The least standard error: of what the figures cannot resolve, however well the runs agree."""
        if metric.is_share:
            sides = (self.base, self.candidate)
            errors = [sum(run.errors for run in side.runs) for side in sides]
            ended = [sum(run.ended for run in side.runs) for side in sides]
            return math.hypot(*(math.sqrt(count + 0.5) / all_ for count, all_ in zip(errors, ended, strict=True)))
        if not metric.figure:
            return ERROR_FLOOR
        values = (side.tail(metric.kind, metric.figure).whole for side in (self.base, self.candidate))
        return max(ERROR_FLOOR, *(resolution(value) / 2 for value in values))

    def _within(self, metric: Metric, base: float, candidate: float, floor: float) -> Difference | None:
        """One run a side: variation within the runs, and the assumed one from run to run."""
        spreads = [
            self._run_spread(side, metric, value) for side, value in ((self.base, base), (self.candidate, candidate))
        ]
        if spreads[0] is None or spreads[1] is None:
            return None
        assumed = 0.0 if metric.is_share else math.sqrt(2) * self.run_variation
        return difference(spreads[0], spreads[1], math.hypot(floor, assumed))

    def _run_spread(self, side: RunSet, metric: Metric, value: float) -> Spread | None:
        names = {"mean": ("p50", "p99"), "p90": ("p50", "p99"), "cpu": (), "p99_99": ()}
        name = metric.figure or metric.name
        found = [series_spread(series(side.runs[0], one)) for one in names.get(name, (name,))]
        known = [spread for spread in found if spread is not None]
        if not known or len(known) < len(found):
            return None
        widest = max(known, key=lambda spread: spread.variance)
        return Spread(value, widest.variance, widest.df)


def _itself(value: float) -> float:
    return value


def _ratio(logarithm: float) -> float:
    """The relative change of a difference of logarithms, at most a millionfold."""
    return math.expm1(min(logarithm, LARGEST))


def _judged(drafts: list[Draft]) -> list[Finding]:
    """Holm over all that can be judged; each interval is of the level at which its metric was held.

    A share that is 0 on both sides can tell no difference, and so takes no part of the level.
    """
    known = [draft for draft in drafts if draft.difference is not None and (draft.base or draft.candidate)]
    p_values = [draft.difference.p_value() for draft in known if draft.difference is not None]
    verdicts = holm(p_values, [draft.metric.weight for draft in known], LEVEL)
    by_name = {draft.metric.name: verdict for draft, verdict in zip(known, verdicts, strict=True)}
    return [_finding(draft, *by_name.get(draft.metric.name, (False, None))) for draft in drafts]


def _finding(draft: Draft, differs: bool, level: float | None) -> Finding:
    metric, found = draft.metric, draft.difference
    as_change = _itself if metric.is_share else _ratio
    low = high = None
    if found is None or level is None:
        change = draft.candidate - draft.base
        if not metric.is_share:
            change = change / draft.base if draft.base else 0.0
        word = NO_DIFFERENCE if metric.is_share and not draft.base and not draft.candidate else TOO_NOISY
    else:
        change = as_change(found.estimate)
        low, high = (as_change(end) for end in found.interval(level))
        if differs:
            word = metric.words[0] if found.estimate > 0 else metric.words[1]
        else:
            word = NO_DIFFERENCE if max(high, -low) <= metric.margin else TOO_NOISY
    return Finding(
        metric.name, metric.unit, draft.base, draft.candidate, change, low, high, level, word, draft.note, found
    )

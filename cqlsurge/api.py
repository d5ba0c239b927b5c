"""The Python API: a run from a script, a notebook or a test, its result as an object, results compared.

    from cqlsurge import Settings, run
    result = run(Settings(operations=100_000, concurrency=64))
    result.throughput_ops_s, result.latency("write").p99_us

Nothing is printed. Signal handlers are set during a run only, and only in the main thread, so that Ctrl-C ends the load
in good order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.load.latency.hdr import decode
from cqlsurge.load.latency.histogram import LATENCIES, add, percentile
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.results.comparable import judge_comparable
from cqlsurge.results.compare import Comparison
from cqlsurge.results.compare import compare as compare_documents
from cqlsurge.results.document import Document
from cqlsurge.results.files import ResultFile, read_document
from cqlsurge.results.folder import keep
from cqlsurge.results.listener import Listener
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.run import exit_code
from cqlsurge.runs.run import run as run_session
from cqlsurge.settings import Settings

ALL = "all"


@dataclass(frozen=True)
class Latency:
    """Latencies of one kind of operation, in microseconds, and how many operations they are of."""

    count: int
    mean_us: float
    p50_us: float
    p90_us: float
    p99_us: float
    p99_9_us: float
    p99_99_us: float
    max_us: float


@dataclass(frozen=True)
class Operations:
    """Counts of the whole run: issued = ok + failed + unknown + in_flight; due = issued + skipped + backlog."""

    due: int
    issued: int
    ok: int
    failed: int
    unknown: int
    in_flight: int
    skipped: int
    backlog: int
    rows: int
    retries: int
    late: int
    abandoned: int


@dataclass(frozen=True, repr=False)
class Result:
    """What a run came to. `document` is the whole of it, as `--json` writes it."""

    document: Document

    def __repr__(self) -> str:
        return (
            f"<Result of {self.document['settings']['mode']} through {self.document['engine']['name']}, {self.state}: "
            f"{self.throughput_ops_s:.0f} ops/s, p99 {self.latency().p99_us:.0f} us, "
            f"{self.operations.failed + self.operations.unknown} errors>"
        )

    @property
    def state(self) -> str:
        """`done`, `partial` where load processes were lost, or `interrupted`."""
        return str(self.document["state"])

    @property
    def passed(self) -> bool:
        """Whether the command line would exit 0: done, errors within the budget, no wrong or missing row."""
        return exit_code(self.document) == 0

    @property
    def settings(self) -> Settings:
        """The settings of the run."""
        return Settings.from_json(self.document["settings"])

    @property
    def duration_s(self) -> float:
        """How long the measured phase took."""
        return float(self.document["duration_s"])

    @property
    def throughput_ops_s(self) -> float:
        """Operations ok per second of the measured phase."""
        return float(self.document["throughput_ops_s"])

    @property
    def cpu_us_per_op(self) -> float:
        """CPU time of the load processes an operation."""
        return float(self.document["client"]["cpu_us_per_op"])

    @property
    def operations(self) -> Operations:
        """How many operations were due, issued, ok, failed ..."""
        counts = self.document["operations"]
        return Operations(**{name: int(counts[name]) for name in Operations.__dataclass_fields__})

    @property
    def errors(self) -> dict[str, int]:
        """Operations that failed or whose outcome is unknown, by error class; empty where there are none."""
        return dict(self.document["errors"])

    @property
    def bound_by(self) -> str:
        """What limited the throughput: server, client, concurrency or rate."""
        return str(self.document["verdict"]["bound_by"])

    @property
    def kinds(self) -> list[str]:
        """The kinds of operations that latencies are known of, such as write and read."""
        return list(self.document["histograms"])

    @property
    def timeline(self) -> list[dict[str, Any]]:
        """One row a second: t_s, ok, errors, p50_us, p99_us, p99_9_us, warmup ..."""
        return list(self.document["timeline"])

    @property
    def headline(self) -> str:
        """Which latency is told first: response where a rate was asked for, else service."""
        return "service" if self.document["settings"].get("rate") is None else "response"

    def latency(self, kind: str = ALL, which: str | None = None) -> Latency:
        """Latencies of a kind, or of all; `which`: wait, service or response (default: the headline).

        Zeros where nothing was measured. Raises UsageError for a kind or latency that there is not.
        """
        figures = self.document["latency_us"].get(kind)
        if figures is None and kind != ALL:
            raise UsageError(
                f"no operations of kind {kind!r} were measured; there are {', '.join(self.kinds) or 'none'}"
            )
        one = figures[self._which(which)] if figures else {}
        values = {name: float(one.get(name, 0.0)) for name in ("mean", "p50", "p90", "p99", "p99_9", "p99_99", "max")}
        return Latency(count=int(one.get("count", 0)), **{f"{name}_us": value for name, value in values.items()})

    def percentile_us(self, wanted: float, kind: str = ALL, which: str | None = None) -> float:
        """Any percentile, 0 to 100, in microseconds, from the histogram; 0 where nothing was measured."""
        kinds = self.kinds if kind == ALL else [kind]
        counts = new_counts()
        for name in kinds:
            if name not in self.document["histograms"]:
                raise UsageError(f"no operations of kind {name!r} were measured")
            add(counts, decode(self.document["histograms"][name][self._which(which)]))
        return percentile(counts, wanted) / 1000

    def _which(self, which: str | None) -> str:
        if which not in {None, *LATENCIES}:
            raise UsageError(f"there is no latency {which!r}: wait, service or response")
        return which or self.headline

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Writes the document; `force` lets it replace a file that is no result document. Raises ResultError."""
        ResultFile(str(path), force=force).write(self.document)

    @classmethod
    def load(cls, path: str | Path) -> Result:
        """The result in a file. Raises ResultError."""
        return cls(read_document(str(path)))

    def keep(self, folder: str | Path) -> str:
        """Stores the document in a folder of runs under a short name, which is given back. Raises ResultError."""
        return keep(self.document, Path(folder))

    def to_pandas(self) -> Any:
        """The timeline as a pandas.DataFrame. Raises UsageError where pandas is not installed."""
        return _package("pandas", "to_pandas").DataFrame(self.timeline)

    def to_polars(self) -> Any:
        """The timeline as a polars.DataFrame. Raises UsageError where polars is not installed."""
        return _package("polars", "to_polars").DataFrame(self.timeline)


class Interrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C during the load; `result` holds what was measured until then."""

    def __init__(self, result: Result) -> None:
        super().__init__("interrupted")
        self.result = result


def run(settings: Settings | None = None, *, listener: Listener | None = None) -> Result:
    """Carries out a run and gives its result; a `listener` is told how it goes.

    Raises UsageError for settings that cannot be, other CqlsurgeErrors where nothing could be measured, Interrupted for
    Ctrl-C during the load and KeyboardInterrupt for one before it.
    """
    interrupts = Interrupts()
    with interrupts.installed():
        result = Result(run_session((settings or Settings()).check(), listener, interrupts))
    if result.state == "interrupted":
        raise Interrupted(result)
    return result


def compare(
    base: Result | Sequence[Result],
    candidate: Result | Sequence[Result],
    *,
    allow_different: Collection[str] = (),
    latency: str | None = None,
) -> Comparison:
    """Compares results with results, as `cqlsurge compare` does: `compare(before, after)["p99"].word`.

    `allow_different`: names of settings or facts in which the sides may differ, or "all". Raises UsageError where they
    differ in others.
    """
    sides = [[one.document for one in ([side] if isinstance(side, Result) else side)] for side in (base, candidate)]
    allowed = {allow_different} if isinstance(allow_different, str) else allow_different
    judged = judge_comparable(sides[0], sides[1], allowed)
    return compare_documents(
        sides[0], sides[1], latency=latency, differences=judged.differences, warnings=judged.warnings
    )


def _package(name: str, method: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(f"{method}() needs {name}, which is not installed: pip install {name}") from error

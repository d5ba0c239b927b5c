"""The Python API for limits: the highest rate that holds a goal, and the curve of response times against rate.

    from cqlsurge import Settings, find, curve
    found = find(Settings(address="10.0.0.1"), "p99 < 10ms")
    found.rate, found.low, found.high, found.bound_by
    curve(Settings(address="10.0.0.1")).knee

Nothing is printed. Ctrl-C ends the load in good order, and what is known so far is returned, `state` interrupted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.limits.search import Bounds
from cqlsurge.results.document import Document
from cqlsurge.results.listener import Listener
from cqlsurge.runs.curve import CurvePlan
from cqlsurge.runs.curve import curve as measure_curve
from cqlsurge.runs.find import find as search
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.settings import Settings


class Table(ABC):
    """Rows that become a data frame."""

    @property
    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """One flat row each: names to plain values."""

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame. Raises UsageError where pandas is not installed."""
        return _package("pandas").DataFrame(self.rows)

    def to_polars(self) -> Any:
        """The rows as a polars DataFrame. Raises UsageError where polars is not installed."""
        return _package("polars").DataFrame(self.rows)


@dataclass(frozen=True, repr=False)
class Found(Table):
    """What a search came to. `document` is the whole of it, as `cqlsurge find --json` writes it. Rates in ops/s."""

    document: Document

    def __repr__(self) -> str:
        return f"<Found {self.rate} ops/s for {self.document['slo']}, {self.low} to {self.high}, {self.state}>"

    @property
    def state(self) -> str:
        """found, bracket (the interval is wider than asked), none, unlimited; or interrupted, partial."""
        process = str(self.document["state"])
        return str(self.document["answer"]["state"]) if process == "done" else process

    @property
    def rate(self) -> float | None:
        """The highest rate that holds the goals; None where none does."""
        value: float | None = self.document["answer"]["rate"]
        return value

    @property
    def low(self) -> float:
        """The lower end of the 95 % interval of the limit."""
        return float(self.document["answer"]["low"])

    @property
    def high(self) -> float | None:
        """Its upper end; None where no limit was met."""
        value: float | None = self.document["answer"]["high"]
        return value

    @property
    def confirmed(self) -> bool:
        """Whether the rate itself was held for long."""
        return bool(self.document["answer"]["confirmed"])

    @property
    def bound_by(self) -> str:
        """server, client or concurrency."""
        return str(self.document["answer"]["bound_by"])

    @property
    def drift(self) -> list[str]:
        """What was not the same twice, in words."""
        return list(self.document["answer"]["drift"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The steps in their order."""
        return [_flat(step) for step in self.document["steps"]]


@dataclass(frozen=True, repr=False)
class Curves(Table):
    """One curve or several. `document` is the whole of it, as `cqlsurge curve --json` writes it."""

    document: Document

    def __repr__(self) -> str:
        return f"<Curves of {len(self.document['curves'])}, knee of the first: {self.knee}>"

    @property
    def state(self) -> str:
        """done, interrupted or partial."""
        return str(self.document["state"])

    @property
    def knee(self) -> float | None:
        """The rate of the first curve's knee; None where it has none up to the highest rate."""
        return self.knees[0]

    @property
    def knees(self) -> list[float | None]:
        """The same of all curves."""
        return [None if each["knee"] is None else each["knee"]["rate"] for each in self.document["curves"]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The points of all curves in their order; `curve` has the name."""
        return [{"curve": each["name"], **_flat(point)} for each in self.document["curves"] for point in each["points"]]


def find(
    settings: Settings, slo: str, *, listener: Listener | None = None, bounds: Bounds | None = None, **limits: Any
) -> Found:
    """Searches the highest rate that holds the goals, as in `p99 < 10ms, errors < 0.1%`.

    `bounds` or its fields by name (max_time_s, max_steps, precision, hold_s, first_rate, max_rate) say how far it may
    go. Raises UsageError and other CqlsurgeErrors, KeyboardInterrupt before there is load.
    """
    if limits:
        bounds = Bounds(**{**vars(bounds or Bounds()), **limits})
    interrupts = Interrupts()
    with interrupts.installed():
        return Found(search(settings, slo, bounds, listener, interrupts))


def curve(
    settings: Settings | Mapping[str, Settings], *, listener: Listener | None = None, plan: CurvePlan | None = None
) -> Curves:
    """Measures response times from idle to beyond saturation and back; of several settings, by name, at the same rates.

    Raises UsageError and other CqlsurgeErrors, KeyboardInterrupt before there is load.
    """
    sides = [("", settings)] if isinstance(settings, Settings) else list(settings.items())
    if not sides:
        raise UsageError("curve() needs settings: give at least one")
    interrupts = Interrupts()
    with interrupts.installed():
        return Curves(measure_curve(sides, plan, listener, interrupts))


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A step or point without the folders in it: latency_us.response.p99 is response_p99_us."""
    flat = {name: value for name, value in row.items() if not isinstance(value, dict)}
    for goal, share in row.get("over", {}).items():
        flat[f"over {goal}"] = share
    for latency, figures in row["latency_us"].items():
        flat.update({f"{latency}_{name}_us": value for name, value in figures.items()})
    return flat


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(f"to_{name}() needs {name}, which is not installed: uv pip install {name}") from error

"""The phases of a run: what each does, as the message that starts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cqlsurge.conditions import Condition, parse_condition
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.load.pacing.schedule import pacing_json
from cqlsurge.processes.dealer import LARGEST
from cqlsurge.results.acknowledged import missing_partitions
from cqlsurge.results.files import read_document
from cqlsurge.settings import Settings

#: operations in flight in each process while the population is written
POPULATE_CONCURRENCY = 128
#: operations that never end by themselves are given up this long after their deadline
DRAIN_GRACE_S = 2.0

Message = dict[str, Any]


@dataclass
class PhasePlan:
    """What a phase is.

    total: operations that end it, None where only time does; message: the body of the `phase` message but for phase and
    start_ns (messages.py); headline: the latency that is told first; measured: whether the run is made for its figures;
    writes: whether its operations are writes, whose rows a later run may look for; written_before: the numbers below
    this were written by an earlier phase. Of a run that is taken up again: `first`, the first number that nobody had,
    and `again`, lower ones that must be done again. block: numbers that a process is given at once, at most. expect:
    what its figures shall be; stop_if: what ends it.
    """

    name: str
    total: int | None
    message: Message
    headline: str = "service"
    measured: bool = True
    writes: bool = False
    written_before: int = 0
    first: int = 0
    again: tuple[tuple[int, int], ...] = ()
    block: int = LARGEST
    expect: tuple[Condition, ...] = ()
    stop_if: tuple[Condition, ...] = ()


def phases_of(settings: Settings) -> list[PhasePlan]:
    """All phases, in order. Raises UsageError where --verify names a run of other rows."""
    populates = settings.mode == "mixed" and settings.populate
    return [*([populate_phase(settings)] if populates else []), measure_phase(settings)]


def workload(settings: Settings, mode: str) -> dict[str, Any]:
    """The workload of a phase in a mode."""
    parameters = {
        "seed": settings.seed,
        "keyspace": settings.keyspace,
        "table": settings.table,
        "mode": mode,
        "keys": settings.population,
        "key_offset": settings.key_offset,
        "blob_size": settings.blob_size,
        "read_ratio": settings.read_ratio,
        "consistency": settings.consistency,
        "fill": settings.fill,
    }
    return {"name": "kv", "parameters": parameters}


def populate_phase(settings: Settings) -> PhasePlan:
    """The phase that writes the whole population."""
    closed = settings.in_flight_limit if settings.rate is None else 1
    message = {
        "workload": workload(settings, "write"),
        "concurrency": max(closed, POPULATE_CONCURRENCY),
        "drain_s": settings.request_timeout + DRAIN_GRACE_S,
    }
    return PhasePlan("populate", settings.population, message, measured=False, writes=True)


def measure_phase(settings: Settings) -> PhasePlan:
    """The phase that is measured. Raises UsageError where --verify names a run of other rows."""
    pacing = None if settings.rate is None else pacing_json(parse_rate(settings.rate), settings.arrivals)
    message = {
        "workload": None,
        "concurrency": settings.in_flight_limit,
        "pacing": pacing,
        "warmup_s": settings.warmup,
        "duration_s": settings.duration,
        "drain_s": settings.request_timeout + DRAIN_GRACE_S,
        "max_backlog": settings.max_backlog,
        "verify_share": settings.verify_share if settings.verify is not None else 0.0,
        "may_be_missing": missing_partitions(read_document(settings.verify), settings) if settings.verify else [],
        "spin": settings.spin,
    }
    headline = "service" if settings.rate is None else "response"
    populated = settings.mode == "mixed" and settings.populate
    return PhasePlan(
        "measure",
        settings.total_operations,
        message,
        headline,
        writes=settings.mode == "write" or (settings.mode == "mixed" and not populated),
        written_before=settings.population if populated else 0,
        expect=conditions(settings.expect),
        stop_if=conditions(settings.stop_if),
    )


def conditions(texts: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions that were written so."""
    return tuple([parse_condition(text) for text in texts])

"""The messages that make load processes do what the settings say: the plan, and the phases."""

from __future__ import annotations

from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.load.engines.contract import Target
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.load.pacing.schedule import pacing_json
from cqlsurge.load.worker.messages import VERSION
from cqlsurge.results.document import Document
from cqlsurge.results.files import read_document
from cqlsurge.runs.phase import PhasePlan
from cqlsurge.settings import Settings

#: operations in flight in each process while the population is written
POPULATE_CONCURRENCY = 128
#: operations that never end by themselves are given up this long after their deadline
DRAIN_GRACE_S = 2.0


def engine_plan(
    settings: Settings, engine: str, technique: str, target: Target, *, worker: int, workers: int, core: int
) -> dict[str, Any]:
    """The `plan` message of one load process. It holds secrets."""
    return {
        "type": "plan",
        "version": VERSION,
        "engine": engine,
        "seed": settings.seed,
        "worker": worker,
        "workers": workers,
        "workload": workload(settings, settings.mode),
        "target": target.to_json(),
        "options": {
            "technique": technique,
            "request_timeout_s": settings.request_timeout,
            "retries": settings.retries,
            "on_error": settings.on_error,
            "concurrency": settings.in_flight_limit,
        },
        "core": core,
    }


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
    return PhasePlan("populate", settings.population, message, writes_below=settings.population)


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
    total = settings.total_operations
    writes = settings.mode == "write" or (settings.mode == "mixed" and not settings.populate)
    writes_below = (total or settings.population) if writes else 0
    return PhasePlan("measure", total, message, headline, writes_below)


def missing_partitions(document: Document, settings: Settings) -> list[tuple[int, int]]:
    """The partitions that an earlier run may have left unwritten, as ranges [first, past). Raises UsageError."""
    earlier = Settings.from_json(document["settings"])
    for name in ("seed", "keyspace", "table", "blob_size", "fill"):
        if getattr(earlier, name) != getattr(settings, name):
            raise UsageError(
                f"--verify {settings.verify}: that run had {name.replace('_', '-')} {getattr(earlier, name)}, "
                f"this one has {getattr(settings, name)}"
            )
    keys, offset = earlier.population, earlier.key_offset
    partitions = []
    for first, past in document["unacknowledged"]["ranges"]:
        if past - first >= keys:
            return [(offset, offset + keys)]
        begin, end = first % keys, (past - 1) % keys + 1
        if begin < end:
            partitions.append((offset + begin, offset + end))
        else:  # the numbers go on at the first key again
            partitions += [(offset + begin, offset + keys), (offset, offset + end)]
    return partitions

"""What lessons.py measures: the groups, their cases, and the case that the others of the group are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lessons_client import SETTINGS, TEN, TUNED

WRITES = 10_000
AGAIN = "(the same again)"


@dataclass(frozen=True)
class Case:
    """One thing to run: an example, an engine of cqlsurge, or lessons_client.py with a job."""

    label: str
    runtime: str = "cpython"
    example: str = ""
    engine: str = ""
    words: tuple[Any, ...] = ()
    job: dict[str, Any] = field(default_factory=dict)
    all_cores: bool = False


@dataclass(frozen=True)
class Group:
    """Cases that run in the same rounds, on server cassandra or null, held against the one called base."""

    server: str
    base: str
    cases: tuple[Case, ...]
    unit: str = "operation"


def job(label, settings=(), **more):
    """A case of lessons_client.py."""
    return Case(label, job={"settings": list(settings), "count": WRITES, **more})


def example(label, name, *words, runtime="cpython", all_cores=False):
    """A case that is an example as printed."""
    return Case(label, runtime, name, words=words, all_cores=all_cores)


def engine(label, name, runtime, operations):
    """A case that is a run of cqlsurge."""
    return Case(label, engine=name, words=("--engine", name, "--runtime", runtime, "--operations", operations))


def settings():
    """One setting at a time, then all; for reads what matters to rows."""
    elsewhere = {"tuple_factory", "dict_factory", "Timer.cancel() lets go of its callback"}
    alone = [job(name, [name]) for name in SETTINGS if name not in elsewhere]
    return (
        job("defaults"),
        job(AGAIN),
        *alone,
        job("ten settings at once", TEN),
        job("ten settings and joined sends", [*TEN, "joined sends"]),
    )


def reads():
    """Reads of one row of 1000 bytes."""
    return (
        job("defaults", kind="read"),
        job(AGAIN, kind="read"),
        *(job(name, [name], kind="read") for name in ("tuple_factory", "dict_factory", "default_fetch_size=None")),
    )


GROUPS = {
    "rungs": Group(
        "cassandra",
        "callback_window.py",
        (
            example("one_at_a_time.py", "one_at_a_time.py", 1500),
            example("batches.py", "batches.py", 6000),
            example("callback_window.py", "callback_window.py", 6000),
            example("asyncio_bounded.py", "asyncio_bounded.py", 6000),
            example("driver_settings.py", "driver_settings.py", 6000),
            example("batches.py, PyPy", "batches.py", 40_000, runtime="pypy"),
            example("callback_window.py, PyPy", "callback_window.py", 40_000, runtime="pypy"),
            example("driver_settings.py, PyPy", "driver_settings.py", 40_000, runtime="pypy"),
            example("cpp_driver.py", "cpp_driver.py", 12_000, runtime="acsylla"),
            example("rust_driver.py", "rust_driver.py", 12_000, runtime="scylladb-rs"),
            example("speak_cql.py", "speak_cql.py", 100_000),
            example("speak_cql.py, PyPy", "speak_cql.py", 100_000, runtime="bare pypy"),
            engine("cqlsurge --engine wire", "wire", "cpython", 100_000),
            engine("cqlsurge --engine wire, PyPy", "wire", "pypy", 100_000),
        ),
    ),
    "settings": Group("null", "defaults", settings()),
    "reads": Group("null", "defaults", reads()),
    "timer": Group(
        "null",
        "defaults",
        (
            job("defaults"),
            job(AGAIN),
            *(job(name, [name]) for name in ("request_timeout=None", "gc.disable()")),
            job("Timer.cancel() lets go of its callback", ["Timer.cancel() lets go of its callback"]),
        ),
    ),
    "techniques": Group(
        "null",
        "callbacks",
        (
            job("callbacks"),
            job(AGAIN),
            job("callbacks, request_timeout=None", ["request_timeout=None"]),
            job("execute_concurrent_with_args, one call", technique="execute_concurrent"),
            job("execute_concurrent_with_args, batches of 100", technique="batches"),
            job("futures and result()", technique="result()"),
            job("execute(), one at a time", technique="execute()", count=6000),
            job("callbacks, simple statements", simple=True, count=6000),
            example("asyncio_bounded.py", "asyncio_bounded.py", WRITES),
        ),
    ),
    "protocol": Group(
        "cassandra",
        "v4, no compression",
        (
            job("v4, no compression", ["request_timeout=None", "protocol_version=4", "compression=False"]),
            job("v4, LZ4", ["request_timeout=None", "protocol_version=4"]),
            job("v5, no compression", ["request_timeout=None", "compression=False"]),
            job("v5, LZ4", ["request_timeout=None"]),
        ),
    ),
    "concurrency": Group(
        "cassandra",
        "100",
        tuple(
            job(str(number), TUNED, concurrency=number, count=8000 if number > 1 else 2000)
            for number in (1, 10, 30, 100, 300, 1000)
        ),
    ),
    "processes": Group(
        "null",
        "1 process",
        (
            example("1 process", "process_per_core.py", WRITES, 1, all_cores=True),
            example("2 processes", "process_per_core.py", 2 * WRITES, 2, all_cores=True),
        ),
    ),
    "paging": Group(
        "cassandra",
        "1000",
        tuple(example(str(size), "paging.py", 8_000, size) for size in (10, 100, 1000, 5000)),
        unit="row",
    ),
}

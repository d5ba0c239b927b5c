"""Engines by name: where each one lives, what it runs on and what it needs. A driver is imported only when chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from cqlsurge.load.engines.contract import Engine, EngineError

DEFAULT_ENGINE = "wire"


@dataclass(frozen=True)
class EngineInfo:
    """What is known of an engine without importing it.

    runtimes: lowest version by implementation ("cpython", "pypy"), implementations that are not listed cannot run it;
    packages: pip requirements; imports: the modules that these bring; techniques: the first one is the default; hidden:
    not for users.
    """

    name: str
    text: str
    module: str
    class_name: str
    runtimes: Mapping[str, tuple[int, int]]
    packages: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    hidden: bool = False

    @property
    def remedy(self) -> str:
        """How to add what the engine needs, as one command; empty where it needs nothing."""
        quoted = " ".join(f"'{package}'" for package in self.packages)
        return f"add it with: pip install {quoted}" if quoted else ""

    def runs_on(self, implementation: str, version: tuple[int, int]) -> bool:
        """Whether the engine can run on an interpreter, its packages aside."""
        lowest = self.runtimes.get(implementation)
        return lowest is not None and version >= lowest


ENGINES = {
    info.name: info
    for info in (
        EngineInfo(
            "wire",
            "speaks CQL itself, routed to node and shard: the fastest",
            "cqlsurge.load.engines.wire.engine",
            "WireEngine",
            {"cpython": (3, 9), "pypy": (3, 9)},
        ),
        EngineInfo(
            "scylla-driver",
            "ScyllaDB's Python driver, tuned (window) or as applications use it (the others)",
            "cqlsurge.load.engines.scylla_driver.engine",
            "ScyllaDriverEngine",
            # Wheels: CPython 3.10 and up, PyPy 3.11.
            {"cpython": (3, 10), "pypy": (3, 11)},
            packages=("scylla-driver>=3.29.12",),
            imports=("cassandra",),
            techniques=("window", "window-default", "batch", "sync"),
        ),
        EngineInfo(
            "acsylla",
            "the C++ driver under asyncio",
            "cqlsurge.load.engines.acsylla_engine",
            "AcsyllaEngine",
            {"cpython": (3, 9)},
            packages=("acsylla>=1.2",),
            imports=("acsylla",),
        ),
        EngineInfo(
            "scylladb-rs",
            "the Rust driver under asyncio",
            "cqlsurge.load.engines.scylladb_rs_engine",
            "ScyllaDbRsEngine",
            {"cpython": (3, 10)},
            packages=("scylladb-rs-driver>=0.2",),
            imports=("scylla",),
        ),
        EngineInfo(
            "fake",
            "no database at all: known latencies and faults, for tests",
            "cqlsurge.load.engines.fake",
            "FakeEngine",
            {"cpython": (3, 9), "pypy": (3, 9)},
            hidden=True,
        ),
    )
}


def engine_info(name: str) -> EngineInfo:
    """What is known of the engine; KeyError with the names there are."""
    try:
        return ENGINES[name]
    except KeyError:
        names = ", ".join(info.name for info in ENGINES.values() if not info.hidden)
        raise KeyError(f"no engine is called {name!r}; there are {names}") from None


def check_technique(info: EngineInfo, technique: str | None) -> str:
    """The technique to use, the engine's default where none is asked for; ValueError for one that it does not have."""
    if technique is None:
        return info.techniques[0] if info.techniques else ""
    if technique not in info.techniques:
        choice = f"it has {', '.join(info.techniques)}" if info.techniques else "it has none to choose from"
        raise ValueError(f"engine {info.name} has no technique {technique!r}; {choice}")
    return technique


def load_engine(name: str) -> type[Engine]:
    """The engine's class; EngineError where its driver is not installed on this interpreter."""
    info = engine_info(name)
    try:
        module = import_module(info.module)
    except ImportError as error:
        if (error.name or "").split(".")[0] not in info.imports:
            raise
        raise EngineError(
            f"engine {name} needs {' '.join(info.packages)}, which is not installed; {info.remedy}"
        ) from None
    return cast("type[Engine]", getattr(module, info.class_name))

"""What the tests of engines share: a workload, the engine `fake`, and phases of it in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cqlsurge.load.engines.contract import Engine, Setup, Target
from cqlsurge.load.engines.registry import load_engine
from cqlsurge.load.workload.kv import KeyValue
from tests.phases import Messages, Ran, run_in_process

TARGET = Target(contact_points=(("127.0.0.1", 9),), local_dc="datacenter1", keyspace="test", table="kv")


def workload(mode: str = "write", keys: int = 1 << 20) -> KeyValue:
    return KeyValue(seed=1, keyspace="test", table="kv", mode=mode, keys=keys, blob_size=32)


@pytest.fixture
def make_fake() -> Callable[..., Engine]:
    """A fake engine, opened, with the options given."""

    def make(**options: Any) -> Engine:
        engine = load_engine("fake")(Setup(workload(), TARGET, options))
        engine.open()
        return engine

    return make


@pytest.fixture
def run_phase() -> Callable[..., Ran]:
    """Runs a phase of `count` numbers (None: without an end) and gives what it left behind."""

    def run(
        engine: Engine,
        count: int | None = 1000,
        *,
        concurrency: int = 10,
        steps: dict[int, Messages | None] | None = None,
        mode: str = "write",
        **more: Any,
    ) -> Ran:
        """`steps`: the messages that arrive at a count of polls; None is the parent's end."""
        said = steps or {}
        return run_in_process(
            engine, workload(mode), count, concurrency, says=lambda polls: said.get(polls, []), **more
        )

    return run

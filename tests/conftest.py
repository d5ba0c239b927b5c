"""Fixtures that any test may ask for: a real Cassandra, three of them, and PyPy.

What a machine cannot have is a skip with its reason; with CQLSURGE_REQUIRE_ALL=1, as in CI, it is a failure.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cqlsurge.database.embedded import EmbeddedCluster, start
from cqlsurge.errors import RunError, UsageError
from cqlsurge.processes.interpreters import find_pypy

if TYPE_CHECKING:
    from collections.abc import Iterator

# Java's first compiler alone: a node then costs 5.7 CPU seconds to start instead of 9.1, and tests bring little load.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's `&` has it ignored, and what tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # So does nohup, under which a holder is meant to outlive its starter. We still do not heed it; children begin anew.
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all", action="store_true", help="the long tests too: soak, fuzz, statistics, three nodes, scale-out"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the long tests, unless --all is given or nothing but long ones are named."""
    for item in items:
        if "cassandra3" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)
    long = [item for item in items if item.get_closest_marker("long")]
    asked = config.getoption("--all") or "long" in config.option.markexpr
    if not asked and 0 < len(long) < len(items):
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def cannot_have(reason: str) -> None:
    """Skip the test, or fail it where everything must be there."""
    if os.environ.get("CQLSURGE_REQUIRE_ALL") == "1":
        pytest.fail(f"CQLSURGE_REQUIRE_ALL=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def start_or_skip(nodes: int) -> EmbeddedCluster:
    try:
        return start(nodes)
    except (RunError, UsageError) as error:
        cannot_have(str(error))
        raise


@pytest.fixture(scope="session")
def cassandra() -> Iterator[EmbeddedCluster]:
    """One node, shared by the session's tests: .address, .host, .port. Use keyspaces of your own and stop nothing."""
    with start_or_skip(1) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cassandra3() -> Iterator[EmbeddedCluster]:
    """Three nodes, shared by the session's tests. Who stops or kills one starts it again: `start_node(n)`."""
    with start_or_skip(3) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def pypy() -> Path:
    """The newest PyPy 3 of this machine."""
    found = find_pypy()
    if found is None:
        cannot_have("no PyPy 3.9 or newer was found: CQLSURGE_PYPY, PATH, /opt, uv's folder")
    assert found is not None
    return Path(found.path)

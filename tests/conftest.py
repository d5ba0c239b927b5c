"""Fixtures that any test may ask for: a real Cassandra, three of them, and PyPy.

What a machine cannot have is a skip with its reason; with CQLSURGE_REQUIRE_ALL=1, as in CI, it is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cqlsurge.embedded import EmbeddedCluster, start
from cqlsurge.errors import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Java's first compiler alone: a node then costs 5.7 CPU seconds to start instead of 9.1, and tests bring little load.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")

PYPY_NAMES = ("pypy3.11", "pypy3.10", "pypy3.9", "pypy3")
PYPY_PLACES = ("/opt/pypy3*/bin/pypy3", "/usr/bin/pypy3", "{home}/.local/share/uv/python/pypy-3*/bin/pypy3")


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
    found = [path for name in PYPY_NAMES if (path := shutil.which(name))]
    for place in PYPY_PLACES:
        pattern = place.format(home=Path.home()).lstrip("/")
        found += [str(path) for path in Path("/").glob(pattern)]
    if named := os.environ.get("CQLSURGE_PYPY"):
        found.insert(0, named)
    versions: dict[str, tuple[int, ...]] = {path: version for path in found if (version := pypy_version(path))}
    if not versions:
        cannot_have("no PyPy 3 was found: CQLSURGE_PYPY, PATH, /opt, uv's folder")
    return Path(named if named in versions else max(versions, key=lambda path: versions[path]))


def pypy_version(path: str) -> tuple[int, ...] | None:
    """The Python version that an interpreter speaks, None when it is no PyPy."""
    code = "import sys; print(*sys.version_info[:3], sys.implementation.name)"
    try:
        said = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True, timeout=30, check=False).stdout
    except OSError:
        return None
    *version, name = said.split() or [""]
    return tuple(map(int, version)) if name == "pypy" else None

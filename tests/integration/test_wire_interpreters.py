"""The wire engine on the interpreters of this machine, in processes of their own as load processes have them.

How: wire_smoke.py runs under each interpreter with -I against one sharded simulator with tablets; each value that it
reads is checked, every request must reach the right shard.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.wire_support import Simulator, make_target, simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

SMOKE = Path(__file__).with_name("wire_smoke.py")
PLACES = (
    "/usr/bin/pypy3",
    "/usr/local/bin/pypy3.11",
    "~/.pyenv/versions/3.9*/bin/python",
    "~/.pyenv/versions/3.13*/bin/python",
)


def interpreters() -> list[str]:
    """This interpreter, and those of the oldest and newest kind that are found here."""
    found = [sys.executable]
    for place in PLACES:
        full = Path(place).expanduser()
        found += [str(path) for path in sorted(Path("/").glob(str(full).lstrip("/")))]
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("smoke"), "--nodes", "3", "--shards", "2", "--tablets") as started:
        yield started


@pytest.mark.parametrize("blob_size", [10, 1000])
@pytest.mark.parametrize("python", interpreters())
def test_smoke(running: Simulator, python: str, blob_size: int) -> None:
    target = make_target(
        running.host, running.port, replication="{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
    )
    running.ask("reset")
    job = {"target": target.to_json(), "keys": 3000, "blob_size": blob_size, "in_flight": 100}
    result = subprocess.run(
        [python, "-I", str(SMOKE)], input=json.dumps(job), capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["facts"]["connections"] == 6
    assert said["facts"]["notes"] == []
    assert ("cffi" in said["facts"]["buffers"]) == (said["name"] == "pypy")
    total = running.ask()["total"]
    assert (total["wrong_shard"], total["wrong_node"]) == (0, 0)
    assert total["right"] == 3 * 3000 + 2000

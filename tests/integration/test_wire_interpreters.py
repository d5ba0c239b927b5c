"""The wire engine on the interpreters of this machine, in processes of their own as load processes have them.

How: wire_smoke.py runs under each interpreter with -I against one sharded simulator with tablets, in plain and with
TLS and LZ4; each value that it reads is checked, every request must reach the right shard.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cqlsurge.database.embedded.certificates import certificates
from cqlsurge.database.secrets import Security
from tests.integration.wire_support import Simulator, make_target, simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cqlsurge.load.engines.contract import Target

SMOKE = Path(__file__).with_name("wire_smoke.py")
THREE = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
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


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Simulator, Path]]:
    folder = tmp_path_factory.mktemp("encrypted")
    paths = certificates(folder, ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    options = ("--nodes", "3", "--shards", "2", "--tablets", "--tls", str(paths.server), str(paths.server))
    with simulator(folder, *options) as started:
        yield started, paths.ca


def smoke(python: str, target: Target, blob_size: int, fill: str) -> dict[str, Any]:
    """What the script says of itself under an interpreter."""
    job = {"target": target.to_json(), "keys": 3000, "blob_size": blob_size, "fill": fill, "in_flight": 100}
    result = subprocess.run(
        [python, "-I", str(SMOKE)], input=json.dumps(job), capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    said: dict[str, Any] = json.loads(result.stdout)
    assert said["facts"]["connections"] == 6
    assert ("cffi" in said["facts"]["buffers"]) == (said["name"] == "pypy")
    return said


def assert_all_right(state: dict[str, Any]) -> None:
    total = state["total"]
    assert (total["right"], total["wrong_shard"], total["wrong_node"]) == (3 * 3000 + 2000, 0, 0)


@pytest.mark.parametrize("python", interpreters())
def test_plain(running: Simulator, python: str) -> None:
    target = make_target(running.host, running.port, replication=THREE)
    running.ask("reset")
    assert smoke(python, target, 1000, "random")["facts"]["notes"] == []
    assert_all_right(running.ask())


@pytest.mark.long
@pytest.mark.parametrize("python", interpreters())
def test_tls_and_lz4(encrypted: tuple[Simulator, Path], python: str) -> None:
    simulated, ca_file = encrypted
    security = Security(None, None, {"ca_file": str(ca_file), "check_hostname": True})
    target = make_target(simulated.host, simulated.port, replication=THREE, security=security)
    simulated.ask("reset")
    with_lz4 = "pypy" in python
    facts = smoke(python, dataclasses.replace(target, compression=with_lz4), 3000, "text")["facts"]
    assert facts["tls"] is True
    assert facts["compression"] == ("lz4" if with_lz4 else None)
    assert_all_right(simulated.ask())


@pytest.mark.parametrize("python", interpreters())
def test_a_broken_tls_connection_is_a_lost_one(tmp_path: Path, python: str) -> None:
    script = SMOKE.with_name("tls_breaks.py")
    command = [python, "-I", str(script), str(certificates(tmp_path, ["127.0.0.1"]).server)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr

"""Each example runs as printed, against the real Cassandra; those on shards and retries also against the simulator.

How: a subprocess with ADDRESS and a small COUNT, as a reader would start it; its output is what its docstring promises.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cqlsurge.load.engines.registry import engine_info
from cqlsurge.processes.environments import ensure
from tests.simulator.simulated import simulated

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
COUNT = 2000
TIMEOUT_S = 60
FIGURES = re.compile(r"([\d,]+) (?:ops|rows)/s, (\d+\.\d) us of CPU per (?:operation|row)\n")
# What runs on an environment of its own, by the engine that needs the same packages.
NATIVE = {"rust_driver.py": "scylladb-rs", "cpp_driver.py": "acsylla"}
NAMES = sorted(path.name for path in EXAMPLES.glob("*.py"))


def run(name: str, address: str, *words: str, python: str | Path = sys.executable) -> str:
    """What the example prints; its figures are checked."""
    command = [str(python), str(EXAMPLES / name), address, *(words or [str(COUNT)])]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert result.returncode == 0, result.stderr
    figures = FIGURES.search(result.stdout)
    assert figures, result.stdout
    assert float(figures[2]) > 0
    return result.stdout


@pytest.mark.cassandra
@pytest.mark.parametrize("name", NAMES)
def test_example(name, cassandra):
    python = ensure(engine_info(NATIVE[name]), sys.executable) if name in NATIVE else sys.executable
    printed = run(name, cassandra.address, python=python)
    if name == "paging.py":
        assert printed.startswith(f"{COUNT:,} rows: "), "each row is read once"


@pytest.mark.long
@pytest.mark.cassandra
@pytest.mark.pypy
@pytest.mark.parametrize("name", ["callback_window.py", "speak_cql.py"])
def test_on_pypy(name, cassandra, pypy):
    python = pypy if name == "speak_cql.py" else ensure(engine_info("scylla-driver"), str(pypy))
    run(name, cassandra.address, python=python)


def test_retries_end_well():
    with simulated("--fault=write_timeout:p=0.05", "--fault=overloaded:p=0.05") as server:
        printed = run("retries.py", server.address)
    outcomes = {word: int(number) for number, word in re.findall(r"(\d+) (ok|failed|unknown|retries)", printed)}
    assert outcomes["ok"] + outcomes["failed"] + outcomes["unknown"] == COUNT
    assert outcomes["ok"] > COUNT * 0.99
    assert outcomes["retries"] > COUNT * 0.05


def test_each_shard_has_a_connection_and_its_requests():
    with simulated("--shards=4") as server:
        assert "4 of 4 shards have a connection" in run("shard_aware.py", server.address)
        counts = server.get()
    assert counts["total"]["right"] == COUNT

"""What a load process on PyPy takes before its first operation, for values of any size.

How: the process as the product starts it, its engine open on a null server; the most memory it has held is the kernel's
word (VmHWM), beside that of a process with small values.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from contract_support import Bench

from tests.integration.wire_support import make_target, simulator

pytestmark = pytest.mark.long

WARM_MB = 200


def most_mb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("the kernel does not say")


@pytest.mark.parametrize("mode", ["read", "mixed"])
def test_the_warm_up_needs_little_memory_at_any_size(tmp_path: Path, pypy: str, mode: str) -> None:
    found = {}
    with simulator(tmp_path, "--null", "--like", "cassandra") as started:
        target = make_target(started.host, started.port)
        for blob_size in (1000, 1 << 20):
            bench = Bench(str(pypy), "wire", target, {"mode": mode, "keys": 1000, "blob_size": blob_size})
            assert bench.facts["warmed_s"] > 0
            found[blob_size] = most_mb(bench._process.pid)
            bench.close()
    assert found[1 << 20] < found[1000] + WARM_MB, found

"""Twenty seconds of benchmarks/soak.py: every fault of the simulator comes and goes, and the accounts are exact."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_accounts_are_exact_after_every_fault() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "soak.py"), "--duration", "20s", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("PASS")

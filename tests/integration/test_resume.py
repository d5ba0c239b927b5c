"""A soak whose starter is killed at random moments and taken up again: every number is done, every row is there.

How: `kill -9` of the parent, as the out-of-memory killer does it; then a read run that audits all rows.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cqlsurge.results.document import broken_laws
from tests.simulator.simulated import simulated

MAIN = "import sys; from cqlsurge.cli.main import main; sys.exit(main())"
OPERATIONS, RATE, KILLS = 10_000, 400, 3


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"operations": {"ok": 0}}
    return document


@pytest.mark.long
def test_a_soak_that_is_killed_again_and_again(tmp_path: Path) -> None:
    file, draw = tmp_path / "soak.json", random.Random(5)
    with simulated() as server:
        words = [
            "soak", server.address, "--rate", str(RATE), "--operations", str(OPERATIONS), "--json", str(file),
            "--quiet", "--processes", "2", "--runtime", "cpython",
        ]  # fmt: skip
        for _ in range(KILLS):
            before = read(file)["operations"]["ok"]
            process = start(*words)
            deadline = time.monotonic() + 60
            while read(file)["operations"]["ok"] <= before and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(draw.random())
            process.kill()
            process.communicate()
            words = ["soak", "--resume", str(file), "--quiet"]
        process = start(*words)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
        document = read(file)
        assert document["state"] == "done"
        assert broken_laws(document) == []
        repeated = sum(each["repeated"] for each in document["resumes"])
        assert document["operations"]["issued"] - repeated == OPERATIONS
        assert document["operations"]["ok"] == document["operations"]["issued"]
        assert document["open"]["ranges"] == []
        assert len(document["resumes"]) == KILLS
        # What may have been done twice is what a few seconds bring, and it is listed.
        assert all(0 < each["again"] <= 10 * RATE for each in document["resumes"])
        assert sum("gap_s" in event for event in document["events"]) == KILLS
        audit = start(
            "run", server.address, "--mode", "read", "--operations", str(OPERATIONS), "--verify", str(file),
            "--concurrency", "16", "--quiet",
        )  # fmt: skip
        said, _ = audit.communicate(timeout=120)
        assert audit.returncode == 0, said
    again = start("soak", "--resume", str(file))
    said, _ = again.communicate(timeout=60)
    assert again.returncode == 2
    assert "has ended" in said


def test_a_resumed_run_has_its_own_settings(tmp_path: Path) -> None:
    process = start("soak", "--resume", str(tmp_path / "none.json"), "--rate", "5k")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "leave rate away" in said

"""`cqlsurge ladder` on the simulator: whole, interrupted, with a load process and then the server killed.

How: short runs of few rungs through the command line's own entry, in this process or, where signals matter, in another.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cqlsurge.cli.main import main
from cqlsurge.processes import interpreters
from tests.simulator.simulated import Simulated, simulated

SHORT = ["--duration", "300ms", "--warmup", "100ms", "--keys", "500", "--concurrency", "10"]
COMMAND = [sys.executable, "-c", "import sys; from cqlsurge.cli.main import main; sys.exit(main())", "ladder"]


@pytest.fixture
def server() -> Iterator[Simulated]:
    with simulated("--nodes=1", "--shards=2") as running:
        yield running


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--rungs top", "no rung is called 'top'"),
        ("--explain top", "there are one-at-a-time, batch"),
        ("--rounds 0", "not 1 or more"),
        ("--duration 0", "longer than 0"),
        ("--keyspace 1a", "no identifier"),
        ("--engine wire", "--engine"),
        ("--json /", "is a folder"),
    ],
)
def test_wrong_usage_is_said_before_any_load(line: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["ladder", "127.0.0.1:1", *line.split()])
    except SystemExit as done:
        code = int(str(done.code))
    assert code in {1, 2}
    assert says in capsys.readouterr().err


def test_explaining_measures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ladder", "--explain", "window"]) == 0
    assert "FallthroughRetryPolicy()" in capsys.readouterr().out


def test_nothing_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ladder", "127.0.0.1:1", "--rungs", "wire"]) == 1
    assert "nothing answers at 127.0.0.1:1" in capsys.readouterr().err


def test_a_short_ladder(
    server: Simulated, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "pypy_candidates", list)  # a machine without PyPy
    file, page = tmp_path / "ladder.json", tmp_path / "ladder.html"
    words = ["--rungs", "wire,one-at-a-time,window-default,window-pypy,acsylla", "--rounds", "1", "--json", str(file)]
    assert main(["ladder", server.address, *SHORT, *words, "--mode", "read", "--translate", "10.9.9.9=127.0.0.1"]) == 0
    out = capsys.readouterr().out
    assert "window-pypy cannot run here" in out
    assert "uv python install pypy@3.11" in " ".join(out.split())
    ladder = json.loads(file.read_text())
    states = [(rung["name"], rung["state"]) for rung in ladder["rungs"]]
    assert states == [
        ("one-at-a-time", "measured"), ("window-default", "measured"), ("window-pypy", "absent"), ("acsylla", "absent"),
        ("wire", "measured"),
    ]  # fmt: skip
    assert "acsylla cannot run here: engine acsylla cannot translate addresses" in " ".join(out.split())
    lowest, window, _, _, wire = ladder["rungs"]
    assert (lowest["in_flight"], window["in_flight"], window["technique"]) == (1, 10, "window-default")
    assert wire["over"]["rung"] == "window-default"
    for rung in (lowest, window, wire):
        (run,) = rung["runs"]
        counts, settings = run["operations"], run["settings"]
        assert counts["rows"] == counts["ok"] > 0, "the keys are there, and the same for all"
        assert (settings["keys"], settings["seed"], run["engine"]["compression"]) == (500, 1, None)
    assert main(["report", str(file), "-o", str(page)]) == 0
    assert "one-at-a-time" in page.read_text()
    assert main(["report", str(file), "--csv"]) == 2


def started(server: Simulated, *words: str) -> subprocess.Popen[str]:
    command = [*COMMAND, server.address, *SHORT, "--rounds", "50", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_an_interrupt_sums_up(server: Simulated) -> None:
    with started(server, "--rungs", "wire,acsylla,batch") as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("round 2 of 50, run 2"):
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
        text = "".join(lines)
    assert process.returncode == 130, text
    assert "INTERRUPTED" in text
    assert "wire against batch" in text


def load_processes(parent: int) -> list[int]:
    """The load processes of a run, by their command line."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in children if b"bootstrap.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
def test_what_dies_is_named(server: Simulated) -> None:
    with started(server, "--rungs", "wire", "--duration", "1s", "--request-timeout", "1s") as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("round 2 of"):
                while not (found := load_processes(process.pid)):
                    time.sleep(0.05)
                time.sleep(0.3)
                os.kill(found[0], signal.SIGKILL)
            if line.startswith("round 3 of"):
                server.process.terminate()
        text = " ".join("".join(lines).split())
    assert process.returncode == 1, text
    assert "does not count: round 2 of 50: load process 0" in text
    assert "killed by" in text
    # The server goes away before the run connects, or while it does.
    assert re.search(r"ENDED EARLY: (nothing answers at|looking at the database: no node answers)", text)

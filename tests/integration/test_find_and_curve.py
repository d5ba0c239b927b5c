"""find and curve against a queue of known capacity, from the command line and from Python; both are small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cqlsurge import Bounds, CurvePlan, Settings, curve, find
from cqlsurge.errors import UsageError
from tests.simulator.simulated import simulated

#: 100 a second, one server: what else runs on this machine hardly shows beside its times
MAIN = "import sys; from cqlsurge.cli.main import main; sys.exit(main())"
QUEUE = ("--null", "--queue", "exp:mean=10ms")


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MAIN, *words], capture_output=True, text=True, check=False, timeout=240
    )


@pytest.mark.long
def test_find_from_the_command_line(tmp_path: Path) -> None:
    document, page = tmp_path / "found.json", tmp_path / "found.html"
    with simulated(*QUEUE) as server:
        done = command(
            "find", server.address, "--slo", "p50 < 100ms, errors < 1%", "--max-time", "25s", "--from-rate", "20",
            "--arrivals", "poisson", "--processes", "1", "--json", str(document), "--report", str(page),
            "--at-least", "1M",
        )  # fmt: skip
    assert done.returncode == 1, done.stderr  # by far less than --at-least
    found = json.loads(document.read_text())
    assert found["kind"] == "cqlsurge find"
    assert found["state"] == "done"
    answer = found["answer"]
    assert 30 < answer["rate"] < 110
    assert answer["low"] <= answer["rate"] <= answer["high"]
    assert answer["bound_by"] == "server"
    assert all(step["state"] != "running" for step in found["steps"])
    assert "hold p50 < 100ms" in done.stdout
    assert "Response time by rate" in page.read_text()


@pytest.mark.long
def test_find_and_its_table_from_python() -> None:
    with simulated("--null") as server:
        found = find(
            Settings(address=server.address, processes=1, runtime="cpython"),
            "p99 < 5s",
            bounds=Bounds(max_rate=400, first_rate=100, hold_s=5, max_time_s=30),
        )
    assert (found.state, found.rate, found.high) == ("unlimited", 400, None)
    assert found.rows[0]["purpose"] == "climb"
    assert found.rows[0]["response_p99_us"] > 0


@pytest.mark.long
def test_a_curve_and_its_page(tmp_path: Path) -> None:
    document, page = tmp_path / "curve.json", tmp_path / "curve.html"
    with simulated(*QUEUE) as server:
        done = command(
            "curve", server.address, "--points", "4", "--step", "2s", "--concurrency", "8", "--arrivals", "poisson",
            "--processes", "1", "--json", str(document), "--report", str(page), "--with", "--", "--consistency", "ONE",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    curves = json.loads(document.read_text())["curves"]
    assert [each["name"] for each in curves] == ["as given", "--consistency ONE"]
    assert [each["settings"]["consistency"] for each in curves] == ["LOCAL_QUORUM", "ONE"]
    up = [[point["rate"] for point in each["points"] if point["direction"] == "up"] for each in curves]
    assert up[0] == pytest.approx(up[1])
    assert len(up[0]) == 4
    assert {point["direction"] for point in curves[0]["points"]} >= {"up", "down"}
    assert 30 < curves[0]["closed"]["throughput_ops_s"] < 110
    text = page.read_text()
    assert "--consistency ONE" in text
    assert "closed load" in text


@pytest.mark.long
def test_a_flat_system_has_no_knee() -> None:
    with simulated("--null", "--latency", "fixed:40ms") as server:
        plan = CurvePlan(points=3, step_s=2.0, rates=(50.0, 100.0, 200.0))
        made = curve(Settings(address=server.address, processes=1), plan=plan)
    assert made.state == "done"
    assert made.knee is None
    assert made.document["curves"][0]["knee"]["high"] == pytest.approx(200, rel=0.1)
    assert {row["direction"] for row in made.rows} == {"up", "down"}


@pytest.mark.parametrize(
    ("settings", "slo", "words"),
    [
        (Settings(rate="10k"), "p99 < 1ms", "--rate"),
        (Settings(), "p99 = 1ms", "no goal"),
        (Settings(engine="scylla-driver", technique="batch"), "p99 < 1ms", "batch"),
    ],
)
def test_what_find_refuses(settings: Settings, slo: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find(settings, slo)


def test_curves_of_other_settings_come_after_with() -> None:
    refused = command("curve", "--points", "4", "--", "--engine", "wire")
    assert refused.returncode == 2
    assert "--with --" in refused.stderr

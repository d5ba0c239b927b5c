"""How: the whole command line in this process, on files of synthetic runs; what is printed is read back."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from synthetic import load_power

from cqlsurge.cli.main import main
from cqlsurge.results.folder import keep


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ten runs: 1 to 5 the base, 6 to 10 with 10% more throughput and another concurrency."""
    power = load_power()
    folder = tmp_path_factory.mktemp("runs")
    sides = power.make_pair(power.Case("", throughput=0.1), random.Random(4))
    for side, concurrency in zip(sides, (16, 32), strict=True):
        for document in side:
            document["settings"] = {**document["settings"], "concurrency": concurrency}
            keep(document, folder)
    return folder


@pytest.fixture(autouse=True)
def in_folder(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CQLSURGE_RUNS", str(runs))


def words(line: str) -> list[str]:
    return ["compare", *line.split()]


def test_it_refuses_what_differs_and_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("1-5 -- 6-10")) == 2
    error = capsys.readouterr().err
    assert "differ in concurrency" in error
    assert "--allow-different concurrency" in error
    assert main(words("1-5 -- 6-10 --allow-different concurrency")) == 0


def test_the_table_fits_eighty_columns_and_tells_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("--allow-different all 1-5 -- 6-10")) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    line = next(line for line in out.splitlines() if "throughput" in line)
    assert "faster" in line
    assert "differs: concurrency: 16 -> 32" in out


def test_limits_set_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    base = ["compare", "--allow-different", "all", "6-10", "--", "1-5"]
    assert main([*base, "--fail-if", "throughput < -3%"]) == 1
    assert "throughput < -3%: broken" in capsys.readouterr().out
    assert main([*base, "--fail-if", "throughput < -30%", "--fail-if", "errors > +0.1%"]) == 0
    with pytest.raises(SystemExit, match="2"):
        main([*base, "--fail-if", "throughput is bad"])
    assert main([*base, "--fail-if", "p98 > 5%"]) == 2


def test_json_and_markdown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = "--allow-different all 1-5 -- 6-10 --markdown --json"
    target = tmp_path / "comparison.json"
    assert main(words(f"{line} {target}")) == 0
    assert "| throughput |" in capsys.readouterr().out
    data = json.loads(target.read_text())
    assert (data["kind"], data["base_runs"], data["candidate_runs"]) == ("cqlsurge comparison", 5, 5)
    assert next(one for one in data["findings"] if one["metric"] == "throughput")["word"] == "faster"
    assert main(words(f"{line} {target}")) == 0
    capsys.readouterr()
    assert main(words(f"{line} -")) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == data
    assert "| throughput |" in captured.err
    other = tmp_path / "other.json"
    other.write_text("[1]")
    assert main(words(f"{line} {other}")) == 1
    assert other.read_text() == "[1]"


@pytest.mark.parametrize("line", ["1-5", "1-5 --", "-- 6-10", "1-5 -- 6-11", "none.json -- 1"])
def test_wrong_usage_is_one_line(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(line)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_runs_lists_names_and_figures(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "20260101-write-wire-10" in out
    assert out.count("server") == 10
    assert main(["runs", str(runs), "--last", "2"]) == 0
    assert capsys.readouterr().out.count("server") == 2
    assert main(["runs", "--last", "0"]) == 2


def test_runs_without_any(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["runs", str(tmp_path)]) == 0
    assert "no runs are kept" in capsys.readouterr().out
    (tmp_path / "20260101-write-wire-1.json").write_text("{")
    assert main(["runs", str(tmp_path)]) == 0
    assert "not JSON" in capsys.readouterr().err
    monkeypatch.delenv("CQLSURGE_RUNS")
    assert main(["runs"]) == 2
    assert main(["runs", str(tmp_path / "none")]) == 1

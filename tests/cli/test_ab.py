"""How: parsing and order alone; then real runs of the fake engine on the session's Cassandra, in this process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cqlsurge.cli.ab import order_of, split
from cqlsurge.cli.main import main
from cqlsurge.database.embedded import EmbeddedCluster
from cqlsurge.errors import UsageError

LOAD = ["--engine", "fake", "--runtime", "cpython", "--processes", "1", "--keyspace", "ab"]


def test_words_are_split_at_both_marks() -> None:
    assert split(["ab", "--rate", "5", "--", "--seed", "1", "--"]) == (["ab", "--rate", "5"], [["--seed", "1"], []])
    for line in ("ab", "ab -- a", "ab -- a -- b -- c"):
        with pytest.raises(UsageError, match="both sides"):
            split(line.split())


def test_orders_are_balanced() -> None:
    assert order_of(3, "abba", 1) == [0, 1, 1, 0, 0, 1]
    drawn = order_of(50, "random", 1)
    assert all(sorted(drawn[i : i + 2]) == [0, 1] for i in range(0, 100, 2))
    assert drawn != order_of(50, "random", 2)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--repeat 0 -- --seed 1 -- --seed 2", "--repeat"),
        ("-- --create-with compression={} --", "its own --table"),
        ("-- --replication 3 -- --table other", "its own --keyspace"),
        ("-- --keyspace 1a --", "no identifier"),
    ],
)
def test_wrong_usage_is_one_line(line: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ab", *line.split()]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_two_settings_in_turn(cassandra: EmbeddedCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target, folder = tmp_path / "comparison.json", tmp_path / "runs"
    own = ["--repeat", "2", "--keep-in", str(folder), "--json", str(target), "--operations", "2000"]
    words = ["ab", cassandra.address, *LOAD, *own, "--", "--concurrency", "2", "--", "--concurrency", "4"]
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--fail-if", "throughput < -99%"])  # a limit belongs to the common options
    capsys.readouterr()
    words.insert(2, "--fail-if=throughput < -99%")
    assert main(words) == 0
    out = capsys.readouterr().out
    assert [line.split(": ")[1] for line in out.splitlines() if line.startswith("run ")] == ["A", "B", "B", "A"]
    assert "differs: concurrency: 2 -> 4" in out
    data = json.loads(target.read_text())
    assert (data["base_runs"], data["candidate_runs"]) == (2, 2)
    asked = [json.loads(path.read_text())["settings"]["concurrency"] for path in sorted(folder.iterdir())]
    assert asked == [2, 4, 4, 2]
    again = out.splitlines()[-1].split("cqlsurge ")[1].split()
    assert main(again) == 0


@pytest.mark.long
@pytest.mark.usefixtures("cassandra")  # skipped where there can be none
def test_the_embedded_database_is_started_once_for_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--repeat", "1", "--rehearse", "0", "--keep-in", str(tmp_path), "--operations", "500"]
    code = main(["ab", *LOAD, *own, "--", "--concurrency", "2", "--", "--concurrency", "4"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert captured.out.count("starting Apache Cassandra") == 1
    documents = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert [document["settings"]["address"] for document in documents] == [None, None]
    assert all(document["cluster"]["embedded"] for document in documents)


def test_a_run_that_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ab", "127.0.0.1:1", *LOAD, "--keep-in", str(tmp_path), "--", "--", "--concurrency", "2"]
    assert main(words) == 1
    assert "127.0.0.1" in capsys.readouterr().err


def test_an_interrupt_compares_what_there_is(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    own = ["--repeat", "50", "--keep-in", str(tmp_path / "runs"), "--duration", "1s"]
    words = [cassandra.address, *LOAD, *own, "--", "--", "--concurrency", "2"]
    command = [sys.executable, "-c", "import sys; from cqlsurge.cli.main import main; sys.exit(main())", "ab", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("run 4 "):
                process.send_signal(signal.SIGINT)
        text = "".join(lines)
    assert process.returncode == 130, text
    assert "base 1 run, candidate 2 runs" in text
    assert "throughput" in text

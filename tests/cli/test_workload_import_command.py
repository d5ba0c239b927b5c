"""`cqlsurge workload import`: the file, the report beside it, and errors of one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cqlsurge.cli.main import main

PROFILES = Path(__file__).parent.parent / "workload" / "imports" / "profiles"


def test_the_file_goes_to_standard_output_and_the_report_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workload", "import", str(PROFILES / "views.yaml"), "--mix", "insert=3,read_user=1"]) == 0
    out, err = capsys.readouterr()
    assert yaml.safe_load(out)["phases"]["run"]["mix"] == {"insert": 3, "read_user": 1}
    assert err.startswith(("kept\n", "mended\n"))
    assert "cqlsurge run ADDRESS --workload FILE.yaml --retries 9" in err


def test_it_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.yaml"
    words = ["workload", "import", "--stress", "write n=10 truncate=once", "-o", str(path)]
    assert main(words) == 0
    assert yaml.safe_load(path.read_text())["workload"] == "keyspace1.standard1"
    assert f"--workload {path} --retries 9 --truncate" in capsys.readouterr().err
    assert main(words) == 2
    assert "is there already" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0


def test_holes_of_a_profile_are_filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        (PROFILES / "views.yaml").read_text().replace("users (", "${t} (").replace("table: users", "table: ${t}")
    )
    assert main(["workload", "import", str(path), "-p", "t=people", "--mix", "insert=1"]) == 0
    assert "stress_views.people" in yaml.safe_load(capsys.readouterr().out)["tables"]
    assert main(["workload", "import", str(path)]) == 2
    assert "give -p t=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "nothing to import"),
        (["none.yaml"], "none.yaml cannot be read"),
        (["a.yaml", "--ycsb", "workloada"], "give one thing"),
        (["--stress", "user ops(insert=1) n=1"], "which profile"),
        (["a.yaml", "--stress", "write n=1"], "has no profile"),
        (["a.yaml", "--stress", "user profile=b.yaml ops(insert=1)"], "given twice"),
        (["a.yaml", "-p", "x"], "NAME=VALUE"),
        (["--stress", "write n=1", "-o", "/nowhere/x.yaml"], "cannot be written"),
        (["--ycsb", "workloada", "-p", "recordcuont=1"], "nearest is recordcount"),
        (["--scylla-bench", "-mode write"], "-workload is missing"),
        (["a.yaml", "--mix", "insert"], "write it as insert=3"),
    ],
)
def test_errors(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workload", "import", *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1

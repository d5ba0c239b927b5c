"""`cqlsurge report` on saved documents (documents.py), through the command line's own entry: what is written where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from documents import make_document

from cqlsurge.cli.main import main


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for seed, path in enumerate(paths, 1):
        path.write_text(json.dumps(make_document(seed=seed)))
    return [str(path) for path in paths]


def test_a_page_of_two_runs_with_their_comparison(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "both.html"
    assert main(["report", *runs, "-o", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "b.json compared with a.json" in text
    assert "both.html" in capsys.readouterr().out
    assert main(["report", runs[0], "-o", str(page)]) == 0, "a page is replaced by a page"


def test_nothing_else_is_replaced(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(runs[1]).read_text()
    assert main(["report", runs[0], "-o", runs[1]]) == 1
    assert "holds something else than a report" in capsys.readouterr().err
    assert Path(runs[1]).read_text() == before


def test_markdown_and_csv_go_to_standard_output(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *runs, "--markdown"]) == 0
    assert "### b.json" in capsys.readouterr().out
    assert main(["report", runs[0], "--csv"]) == 0
    head, first, *rest = capsys.readouterr().out.splitlines()
    assert head == "t_s,span_s,ok,errors,ops_s,p50_us,p99_us,p99_9_us,warmup"
    assert first.startswith("1,1.0,1000,0,1000.0,")
    assert first.endswith(",1")
    assert len(rest) == 19


def test_wrong_use_is_said(runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *runs, "--csv"]) == 2
    assert "the timeline of one run" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "no.json")]) in {1, 2}
    (tmp_path / "other.json").write_text("{}")
    assert main(["report", str(tmp_path / "other.json")]) == 1
    assert "no result document" in capsys.readouterr().err

"""docs/coming-from.md: its imports run as they stand there, and the words that it shows are ours."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cqlsurge.cli.main import main
from cqlsurge.workload.generators import GENERATORS
from cqlsurge.workload.imports.cassandra_stress.phase import unwritten_share
from cqlsurge.workload.loader import load_workload
from cqlsurge.workload.picks import PICKS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
PROFILE = ROOT / "tests" / "workload" / "imports" / "profiles" / "narrow.yaml"
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
IMPORTS = [line for line in LINES if line.startswith("cqlsurge workload import")]


def test_the_page_shows_imports() -> None:
    assert len(IMPORTS) == 5


@pytest.mark.parametrize("line", IMPORTS)
def test_an_import_runs_as_it_is_shown_and_its_file_loads(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parcels.yaml").write_text(PROFILE.read_text())
    words = shlex.split(line)
    assert main(words[1:]) == 0
    text = (tmp_path / words[words.index("-o") + 1]).read_text() if "-o" in words else capsys.readouterr().out
    assert load_workload(text, "shown.yaml", {}).phases


def test_the_share_of_keys_that_a_bell_leaves_out() -> None:
    assert "half of the keys" in PAGE
    assert unwritten_share(1_000_000, 1_000_000) == pytest.approx(0.5, abs=0.02)


def test_generators_and_picks_that_are_named_are_there() -> None:
    for name in ("any_row", "blob", "text", "uniform", "uuid", "null"):
        assert f"{name}(" in PAGE
        assert name in GENERATORS
    for name in ("sequence", "zipf", "hotspot", "written", "next"):
        assert name in PICKS

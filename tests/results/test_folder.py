"""How: documents kept in temporary folders, from several threads too, and found again by every way to name them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cqlsurge.errors import ResultError, UsageError
from cqlsurge.results.folder import find_runs, folder_of, keep, kept_runs, read_runs


def document(mode: str = "write", engine: str = "wire") -> dict[str, Any]:
    return {
        "kind": "cqlsurge run", "schema": 1, "started_at": "2026-11-23T13:21:44.793+00:00",
        "settings": {"mode": mode}, "engine": {"name": engine},
    }  # fmt: skip


def test_names_tell_date_mode_engine_and_number(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "runs"
    assert keep(document(), folder) == "20261123-write-wire-1"
    assert keep(document("read", "scylla-driver"), folder) == "20261123-read-scylla-driver-2"
    (folder / "notes.json").write_text("{}")
    (folder / "20261123-write-wire-1.json").unlink()
    assert keep(document(), folder) == "20261123-write-wire-3"
    assert list(kept_runs(folder)) == [2, 3]


def test_many_supervisors_at_once_take_different_numbers(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: keep(document(), tmp_path), range(24)))
    assert len(set(names)) == 24
    assert list(kept_runs(tmp_path)) == list(range(1, 25))


def test_runs_are_found_by_file_name_number_and_range(tmp_path: Path) -> None:
    for _ in range(4):
        keep(document(), tmp_path)
    kept = kept_runs(tmp_path)
    assert find_runs([str(kept[2])], None) == [kept[2]]
    assert find_runs(["20261123-write-wire-3", "1", "2-4"], tmp_path) == [kept[3], kept[1], kept[2], kept[3], kept[4]]
    assert read_runs(["4"], tmp_path) == [document()]
    for word in ("5", "3-5", "4-2", "write"):
        with pytest.raises(UsageError, match="cqlsurge runs"):
            find_runs([word], tmp_path)
    with pytest.raises(UsageError, match="CQLSURGE_RUNS"):
        find_runs(["7"], None)


def test_the_folder_comes_from_the_option_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CQLSURGE_RUNS", raising=False)
    assert folder_of(None) is None
    monkeypatch.setenv("CQLSURGE_RUNS", str(tmp_path))
    assert folder_of(None) == tmp_path
    assert folder_of("other") == Path("other")


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="cannot be made"):
        keep(document(), tmp_path / "file" / "runs")
    with pytest.raises(ResultError, match="cannot be read"):
        kept_runs(tmp_path / "none")

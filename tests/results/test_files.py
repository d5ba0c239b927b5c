"""Files that a run leaves: replaced only by their own kind, or when forced; written whole. On real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cqlsurge.errors import ResultError
from cqlsurge.results.csv import COLUMNS
from cqlsurge.results.csv import KIND as TIMELINE
from cqlsurge.results.files import OutputFile, ResultFile, marked, read_document
from cqlsurge.results.hdr_log import HdrLog

PAGE = marked("page", "<page>")
DOCUMENT = {"kind": "cqlsurge run", "schema": 1}


def test_a_file_of_the_same_kind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "page"
    for text in ("<page> one", "<page> two"):
        OutputFile(str(path), "--page", PAGE).write_text(text)
    assert path.read_text() == "<page> two"
    assert list(tmp_path.iterdir()) == [path], "nothing else is left behind"


def test_another_kind_is_not_replaced_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    for refused in (
        lambda: OutputFile(str(path), "--page", PAGE),
        lambda: ResultFile(str(path)),
        lambda: HdrLog(str(path)),
        lambda: OutputFile(str(path), "--csv", TIMELINE),
    ):
        with pytest.raises(ResultError, match=r"holds something else .* --force"):
            refused()
    OutputFile(str(path), "--page", PAGE, force=True).write_text("<page>")
    assert path.read_text() == "<page>"


def test_kinds_are_not_mixed_up(tmp_path: Path) -> None:
    path = tmp_path / "x"
    ResultFile(str(path)).write(DOCUMENT)
    with pytest.raises(ResultError, match="timeline in CSV"):
        OutputFile(str(path), "--csv", TIMELINE)
    path.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(ResultError, match="result document"):
        ResultFile(str(path))
    OutputFile(str(path), "--csv", TIMELINE)


def test_what_cannot_be_written_is_found_out_before(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="there is no folder"):
        OutputFile(str(tmp_path / "no" / "page"), "--page", PAGE)
    with pytest.raises(ResultError, match="is a folder"):
        OutputFile(str(tmp_path), "--page", PAGE)
    with pytest.raises(ResultError, match="needs a file"):
        HdrLog("-")


def test_reading_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text, words in (
        ("{", "not JSON"),
        ("[]", "no result document"),
        (json.dumps({**DOCUMENT, "schema": 99}), "schema 99, this version reads 1"),
    ):
        path.write_text(text)
        with pytest.raises(ResultError, match=words):
            read_document(str(path))
    path.write_text(json.dumps(DOCUMENT))
    assert read_document(str(path)) == DOCUMENT

"""An output that cannot be written takes neither the load nor the other outputs with it.

How: whole runs against the simulator; a FIFO whose reader has gone, and a device that is always full (root), stand for
files that could be opened and cannot be written.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from wire_support import Simulator, simulator

from cqlsurge.cli.main import program
from cqlsurge.results.csv import COLUMNS
from cqlsurge.results.listener import Listener
from cqlsurge.runs.run import exit_code, run
from cqlsurge.settings import Settings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("simulator"), "--nodes", "1") as running:
        yield running


class ReaderGoes(Listener):
    """Ends a FIFO's reader once the run is under way, and keeps what is said."""

    def __init__(self, reader: int) -> None:
        self.reader = reader
        self.warnings: list[str] = []

    def connected(self, *facts: object) -> None:
        if self.reader >= 0:
            os.close(self.reader)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def full_device(path: Path) -> Path:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7))
        path.open("w").close()
    except OSError:
        pytest.skip("device nodes can be made and opened by root alone")
    return path


def test_a_report_that_cannot_be_written_leaves_the_others(
    server: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = full_device(tmp_path / "full")
    table, kept = tmp_path / "run.csv", tmp_path / "kept"
    words = [f"{server.host}:{server.port}", "--operations", "50", "--processes", "1", "--engine", "fake", "--quiet"]
    code = program([*words, "--report", str(full), "--csv", str(table), "--keep-in", str(kept)])
    said = capsys.readouterr()
    assert code == 1, "what was asked for is not there"
    assert said.err == f"program.py: {full} could not be written: No space left on device; free some space\n"
    assert table.read_text().startswith(",".join(COLUMNS))
    assert len(list(kept.iterdir())) == 1
    assert "throughput" in said.out


@pytest.mark.parametrize("option", ["json", "hdr_log"])
def test_an_output_that_breaks_does_not_end_the_load(server: Simulator, tmp_path: Path, option: str) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    listener = ReaderGoes(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    document = run(
        Settings(
            address=f"{server.host}:{server.port}", operations=50, processes=1, engine="fake", **{option: str(path)}
        ),
        listener,
    )
    assert document["operations"]["ok"] == 50
    assert len(listener.warnings) == 1
    assert "its reader has gone" in listener.warnings[0]
    assert exit_code(document) == (1 if option == "json" else 0)
    assert stat.S_ISFIFO(path.lstat().st_mode)


def test_a_fifo_gets_the_document_once(server: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    settings = Settings(
        address=f"{server.host}:{server.port}", operations=50, processes=1, engine="fake", json=str(path)
    )
    document = run(settings)
    got = b""
    while piece := os.read(reader, 1 << 20):
        got += piece
    os.close(reader)
    assert json.loads(got) == json.loads(json.dumps(document))

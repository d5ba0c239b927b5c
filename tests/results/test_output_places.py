"""Output files are the user's: links, devices and FIFOs stay what they are.

On real ones of our own; devices are made here, which root alone can.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from cqlsurge.errors import ResultError
from cqlsurge.results.files import OutputFile, ResultFile, marked
from cqlsurge.results.hdr_log import HdrLog

PAGE = marked("page", "<page>")
DOCUMENT = {"kind": "cqlsurge run", "schema": 1}


def identity(path: Path) -> tuple[int, int]:
    there = path.lstat()
    return stat.S_IFMT(there.st_mode), there.st_ino


def device(path: Path, minor: int) -> Path:
    """A character device of our own: 1:3 swallows, 1:7 is always full."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        path.open("w").close()
    except OSError:
        pytest.skip("device nodes can be made and opened by root alone")
    return path


def test_a_device_is_written_through(tmp_path: Path) -> None:
    path = device(tmp_path / "null", 3)
    before = identity(path)
    file = ResultFile(str(path))
    assert file.streams, "written once, at the end"
    file.write(DOCUMENT)
    OutputFile(str(path), "--report", PAGE).write_text("<page>")
    log = HdrLog(str(path))
    log.begin(0.0)
    log.write(0.0, 1.0, {})
    assert identity(path) == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_that_takes_nothing_is_an_error_and_stays(tmp_path: Path) -> None:
    path = device(tmp_path / "full", 7)
    before = identity(path)
    with pytest.raises(ResultError, match="free some space"):
        ResultFile(str(path)).write(DOCUMENT)
    assert identity(path) == before


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link, target = tmp_path / "latest", tmp_path / "real" / "target"
    link.symlink_to("real/target")
    for text in ("<page> one", "<page> two"):
        OutputFile(str(link), "--page", PAGE).write_text(text)
        assert link.is_symlink()
        assert target.read_text() == text
    target.write_text("my notes")
    with pytest.raises(ResultError, match="something else"):
        OutputFile(str(link), "--page", PAGE)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["latest", "real", "target"]


def test_a_link_to_a_device_is_written_through(tmp_path: Path) -> None:
    path = device(tmp_path / "null", 3)
    link = tmp_path / "link"
    link.symlink_to("null")
    OutputFile(str(link), "--page", PAGE, force=True).write_text("<page>")
    assert link.is_symlink()
    assert stat.S_ISCHR(path.stat().st_mode)


def test_a_fifo_is_written_through_to_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    heard: list[str] = []
    opened = threading.Event()

    def read() -> None:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8") as reader:
            os.set_blocking(reader.fileno(), True)
            opened.set()
            assert sent.wait(20)
            heard.append(reader.read())

    sent = threading.Event()
    thread = threading.Thread(target=read)
    thread.start()
    assert opened.wait(20)
    file = OutputFile(str(path), "--csv", PAGE)
    file.write_text("one")
    file.add(" two")
    del file  # lets the FIFO go: its reader is at the end
    sent.set()
    thread.join(20)
    assert heard == ["one two"]
    assert stat.S_ISFIFO(path.lstat().st_mode)


def test_a_fifo_without_a_reader_is_refused_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(ResultError, match="nobody reads: start its reader first"):
        ResultFile(str(path))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = ResultFile(str(path))
    os.close(reader)
    with pytest.raises(ResultError, match="its reader has gone"):
        file.write(DOCUMENT)
    assert stat.S_ISFIFO(path.lstat().st_mode)


def test_block_devices_and_sockets_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "place"
    kinds = [(stat.S_IFSOCK, "is a socket"), (stat.S_IFBLK, "is a block device")]
    for kind, words in kinds if os.geteuid() == 0 else kinds[:1]:
        os.mknod(path, kind | 0o666, os.makedev(7, 250))
        with pytest.raises(ResultError, match=words):
            OutputFile(str(path), "--json", PAGE, force=True)
        assert stat.S_IFMT(path.lstat().st_mode) == kind
        path.unlink()


def test_what_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.touch(mode=0o600)
    ResultFile(str(path)).write(DOCUMENT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_standard_output_by_other_names_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    file = OutputFile("/dev/stdout", "--json", PAGE)
    assert file.path == "-"
    file.write_text("all of it")
    assert capsys.readouterr().out == "all of it"

"""--ready-file and --control-file: one line, there as long as the server is; nobody else's file is touched."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.host.files import Announcement


def test_it_is_written_for_its_owner_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "ready"
    for old in (None, "", "127.0.0.1:9042,127.0.0.2:9042\n", "http://127.0.0.1:80/ab"):
        if old is not None:
            path.write_text(old)
        announcement = Announcement(path)
        assert not path.exists(), "an old address would be taken for the new one"
        announcement.write("127.0.0.1:1234")
        assert path.read_text() == "127.0.0.1:1234"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        announcement.remove()
        assert list(tmp_path.iterdir()) == []


def test_what_is_not_an_announcement_is_refused_and_stays(tmp_path: Path) -> None:
    notes, pipe = tmp_path / "notes", tmp_path / "pipe"
    notes.write_text("buy milk")
    os.mkfifo(pipe)
    made = [notes, pipe]
    if os.geteuid() == 0:
        made.append(tmp_path / "null")
        os.mknod(made[-1], stat.S_IFCHR | 0o666, os.makedev(1, 3))
    before = [(path.stat().st_mode, path.stat().st_ino) for path in made]
    for path in made:
        with pytest.raises(UsageError, match="name a file of its own"):
            Announcement(path)
    assert [(path.stat().st_mode, path.stat().st_ino) for path in made] == before


def test_a_link_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("target")
    announcement = Announcement(link)
    announcement.write("127.0.0.1:1")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "127.0.0.1:1"
    announcement.remove()
    assert link.is_symlink()
    assert not link.exists()


def test_the_announcement_of_a_successor_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ready"
    first = Announcement(path)
    first.write("127.0.0.1:1")
    Announcement(path).write("127.0.0.1:2")
    first.remove()
    assert path.read_text() == "127.0.0.1:2"

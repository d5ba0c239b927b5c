"""Run folders: real folders, locks and processes (small ones) under a cache of the test's own; no Java is started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from cqlsurge.database.embedded.runs import MIB_A_NODE, command_line, open_run, remove_leftovers
from cqlsurge.errors import EmbeddedError, UsageError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cqlsurge"


def test_run_folder_goes_when_closed(cache):
    run = open_run(1, None)
    assert run.path.parent == cache / "runs"
    assert str(os.getpid()) in run.path.name
    run.close()
    run.close()
    assert not run.path.exists()


def test_leftovers_of_killed_runs_are_removed_and_held_ones_stay(cache):
    held = open_run(1, None)
    leftover = cache / "runs" / "run-1-gone"
    (leftover / "node1").mkdir(parents=True)
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    command = [sys.executable, "-c", "import time; time.sleep(60)", f"@{leftover / 'node1' / 'conf'}"]
    orphan = subprocess.Popen(command)
    (leftover / "node1" / "pids").write_text(f"{other.pid} {orphan.pid}\n")
    while str(leftover) not in command_line(orphan.pid):
        time.sleep(0.01)  # a process that has only just been started shows no arguments yet
    remove_leftovers()
    assert orphan.wait(5) == -9
    assert other.poll() is None, "a process that is not about the folder was ended"
    assert [path.name for path in (cache / "runs").iterdir() if path.is_dir()] == [held.path.name]
    other.communicate()
    held.close()


def test_kept_folder_is_for_one_cluster_at_a_time_and_stays(cache, tmp_path):
    folder = tmp_path / "kept data"
    run = open_run(1, folder)
    run.write_record({"nodes": 1})
    with pytest.raises(EmbeddedError, match="in use by another cluster"):
        open_run(1, folder)
    run.close()
    again = open_run(1, folder)
    assert again.record() == {"nodes": 1}
    again.close()
    assert folder.exists()


def test_folder_with_other_things_in_it_is_refused(cache, tmp_path):
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        open_run(1, tmp_path)


def test_no_space_names_the_need(cache, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5 << 20))  # a full disk is hard to have
    with pytest.raises(EmbeddedError, match=rf"needs {3 * MIB_A_NODE} MiB .* which has 5 MiB"):
        open_run(3, None)

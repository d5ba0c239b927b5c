"""Keys on a real pseudo-terminal, under a shell with job control: read one by one, and the terminal always restored."""

from __future__ import annotations

import os
import pty
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import os, signal, subprocess, sys, time
from cqlsurge.show.terminal.keys import Keys
def mode(name): open(name, "w").write(subprocess.run(["stty", "-g"], capture_output=True, text=True).stdout)
keys = Keys(0)
keys.start()
mode("in")
open("ready", "w").close()
pressed = ""
while "q" not in pressed:
    pressed += keys.read()
    time.sleep(0.01)
open("pressed", "w").write(pressed)
if sys.argv[1] == "crash":
    raise RuntimeError("told to")
os.kill(os.getpid(), signal.SIGTSTP)
keys.read()
mode("again")
keys.stop()
"""


def in_terminal(folder: Path, how: str) -> None:
    """A shell with job control runs the script; its modes are written to files before, between and after."""
    (folder / "script.py").write_text(SCRIPT)
    run = f"PYTHONPATH={ROOT} {sys.executable} script.py {how}"
    shell = f"cd {folder}; stty -g > before; {run}; stty -g > stopped; fg; stty -g > after; touch done"
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("bash", ["bash", "--norc", "-m", "-c", shell])
    deadline = time.monotonic() + 30
    typed = False
    while not (folder / "done").exists() and time.monotonic() < deadline:
        if (folder / "ready").exists() and not typed:
            typed = True
            os.write(terminal, b"+-pq")
        time.sleep(0.02)
    os.close(terminal)
    os.waitpid(child, 0)
    assert (folder / "done").exists()


def read(folder: Path, name: str) -> str:
    return (folder / name).read_text().strip()


def test_keys_come_one_by_one_and_a_stopped_process_leaves_the_terminal_alone(tmp_path: Path) -> None:
    in_terminal(tmp_path, "stop")
    assert read(tmp_path, "pressed") == "+-pq"
    assert read(tmp_path, "before") != read(tmp_path, "in") == read(tmp_path, "again")
    assert read(tmp_path, "stopped") == read(tmp_path, "after") == read(tmp_path, "before")


def test_a_crash_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    in_terminal(tmp_path, "crash")
    assert read(tmp_path, "after") == read(tmp_path, "before")

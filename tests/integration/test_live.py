"""What a run shows, on a real pseudo-terminal and in a pipe.

How: program.py runs against the simulator; on the terminal the keys are typed as a person would.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wire_support import Simulator, simulator

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("--mode", "mixed", "--no-populate", "--keys", "500", "--processes", "1", "--runtime", "cpython")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("simulator"), "--nodes", "2", "--shards", "2") as running:
        yield running


def command(server: Simulator, *options: str) -> list[str]:
    return [sys.executable, str(ROOT / "program.py"), f"{server.host}:{server.port}", *OPTIONS, *options]


def on_terminal(words: list[str], typed: dict[str, bytes]) -> tuple[str, int]:
    """Runs a command on a terminal of 80 x 24; types bytes when their text has appeared. What was shown, exit code."""
    sized, size = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        os.close(size)
        os.environ.update(TERM="xterm-256color")
        os.environ.pop("CI", None)
        os.read(sized, 1)
        os.execv(words[0], words)
    os.close(sized)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.close(size)  # ends the child's wait
    before = termios.tcgetattr(terminal)
    shown, deadline = "", time.monotonic() + 90
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            shown += os.read(terminal, 65536).decode(errors="replace")
        except OSError:  # the other side is closed
            break
        for text in [text for text in typed if text in shown]:
            os.write(terminal, typed.pop(text))
        if "bound by" in shown.rpartition("INTERRUPTED")[2] and "INTERRUPTED" in shown:
            assert termios.tcgetattr(terminal) == before, "the terminal is as it was"
    os.close(terminal)
    return shown, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_keys_steer_a_run_on_a_terminal(server: Simulator) -> None:
    typed = {"rate at 100%": b"+", "rate at 110%": b"p", "PAUSED": b"q"}
    shown, code = on_terminal(command(server, "--rate", "200", "--duration", "80"), typed)
    assert typed == {}, shown[-2000:]
    assert code == 130
    assert "INTERRUPTED" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is shown again"


def test_in_a_pipe_there_are_plain_lines_and_files_are_written(server: Simulator, tmp_path: Path) -> None:
    page, table = tmp_path / "run.html", tmp_path / "run.csv"
    words = command(server, "--operations", "500", "--report", str(page), "--csv", str(table))
    said = subprocess.run(words, capture_output=True, text=True, timeout=90, check=True).stdout
    assert "\x1b" not in said
    assert "measure" in said
    assert "bound by" in said
    assert "Throughput over time" in page.read_text(encoding="utf-8")
    assert table.read_text().startswith("t_s,")


def test_quiet_shows_the_summary_alone(server: Simulator) -> None:
    words = command(server, "--operations", "200", "--quiet")
    said = subprocess.run(words, capture_output=True, text=True, timeout=90, check=True).stdout
    assert "measure" not in said
    assert "throughput" in said

"""The supervisor: the real program over small Python processes that stand where the JVM does; no Java is started."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from held import gone, wait_until

from cqlsurge.database.embedded import supervisor

STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
    "print('up', flush=True)\nend_s = time.monotonic() + 60\nwhile time.monotonic() < end_s:\n    time.sleep(1)"
)
MEEK = "import time\nprint('up', flush=True)\ntime.sleep(60)"


class Kept:
    """A supervisor over a program, once that program is up."""

    def __init__(self, folder: Path, program: str, linger_s: float = 0.0):
        self.output = folder / "output"
        arguments = [str(linger_s), str(folder / "pids"), str(self.output), sys.executable, "-c", program]
        command = [sys.executable, "-I", "-S", supervisor.__file__, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        wait_until(lambda: self.output.exists() and "up" in self.output.read_text())
        self.kept_pid = int((folder / "pids").read_text().split()[1])

    def order(self, word: str):
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode())
        self.process.stdin.flush()

    def close_input(self):
        assert self.process.stdin is not None
        self.process.stdin.close()


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def test_end_of_input_kills_at_once_even_what_ignores_sigterm(tmp_path):
    kept = Kept(tmp_path, STUBBORN)
    kept.close_input()
    assert kept.process.wait(5) == 128 + signal.SIGKILL
    assert gone(kept.kept_pid)


def test_end_of_input_with_linger_terms_first_then_kills(tmp_path):
    kept = Kept(tmp_path, MEEK, linger_s=30)
    kept.close_input()
    assert kept.process.wait(5) == 128 + signal.SIGTERM
    (tmp_path / "other").mkdir()
    kept = Kept(tmp_path / "other", STUBBORN, linger_s=0.3)
    kept.close_input()
    assert kept.process.wait(5) == 128 + signal.SIGKILL


@pytest.mark.parametrize(("word", "end"), [("stop", signal.SIGTERM), ("kill", signal.SIGKILL)])
def test_orders(tmp_path, word, end):
    kept = Kept(tmp_path, MEEK)
    kept.order(word)
    assert kept.process.wait(5) == 128 + end


def test_kill_hastens_a_stop(tmp_path):
    kept = Kept(tmp_path, STUBBORN)
    kept.order("stop")
    wait_until(lambda: "asked" in kept.output.read_text())
    assert not gone(kept.kept_pid)
    kept.order("kill")
    assert kept.process.wait(5) == 128 + signal.SIGKILL


def test_killed_supervisor_takes_the_jvm_with_it(tmp_path):
    kept = Kept(tmp_path, STUBBORN)
    kept.process.kill()
    kept.process.wait()
    wait_until(lambda: gone(kept.kept_pid))


def test_exit_code_and_output_come_through(tmp_path):
    kept = Kept(tmp_path, "import sys\nprint('up')\nsys.exit(3)")
    assert kept.process.wait(5) == 3
    assert "up" in kept.output.read_text()

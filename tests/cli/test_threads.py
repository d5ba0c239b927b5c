"""A bug on a thread beside the load: one line, no traceback over the screen."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import threading
from cqlsurge.cli.main import main

def watch():
    return {}["tablets"]

main(["runs", "."])
thread = threading.Thread(target=watch, name="tablet watch")
thread.start()
thread.join()
"""


def test_it_is_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "cqlsurge: 'tablet watch' ended by a bug, and what it watched is not told any more: KeyError"
    )

"""What this machine's interpreters can carry: the engine against our own null server, one load process on one core."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cqlsurge.errors import RunError
from cqlsurge.host.cores import core_ids
from cqlsurge.processes.interpreters import Interpreter
from cqlsurge.runs.run import run
from cqlsurge.settings import Settings

START_TIMEOUT_S = 30.0
WARMUP_S = 1.5
CONCURRENCY = 1024


@dataclass(frozen=True)
class Ceiling:
    """The client's own cost of an operation, and what one core could carry of it if nothing else held it back."""

    interpreter: Interpreter
    cpu_us_per_op: float
    ops_s: float

    @property
    def per_core_ops_s(self) -> float:
        """Operations per second of a core that does nothing but this."""
        return 1e6 / self.cpu_us_per_op if self.cpu_us_per_op else 0.0


@contextmanager
def null_server(blob_size: int, nodes: int = 1, shards: int = 1) -> Iterator[str]:
    """A null server in a process of its own, on the last core; gives its ADDRESS. Raises RunError."""
    with tempfile.TemporaryDirectory(prefix="cqlsurge-") as folder:
        ready = Path(folder, "ready")
        words = ["--null", "--port", "0", "--nodes", str(nodes), "--shards", str(shards), "--blob-size", str(blob_size)]
        server = subprocess.Popen(
            [sys.executable, "-m", "cqlsurge.simulator", *words, "--ready-file", str(ready), "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not ready.exists():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RunError("the null server does not start: try `cqlsurge simulate --null` to see why")
                time.sleep(0.05)
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(server.pid, {core_ids()[-1]})
            yield ready.read_text(encoding="utf-8").strip()
        finally:
            assert server.stdin is not None
            server.stdin.close()
            try:
                server.wait(3)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def measure_ceiling(interpreter: Interpreter, address: str, *, blob_size: int, duration_s: float) -> Ceiling:
    """Runs the wire engine on one interpreter against the server for a while."""
    settings = Settings(
        address=address,
        runtime=interpreter.path,
        blob_size=blob_size,
        processes=1,
        concurrency=CONCURRENCY,
        duration=duration_s,
        warmup=WARMUP_S,
        compression=False,
    )
    document = run(settings)
    return Ceiling(interpreter, document["client"]["cpu_us_per_op"], document["throughput_ops_s"])

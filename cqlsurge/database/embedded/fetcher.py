"""The program that fetches jars: run by path in a process of its own, with jgo as its only need.

A process of its own can be ended at once at any moment, and may be another Python than the parent's (jgo is not for
PyPy). Its first input line is JSON: {"folder", "repository" (or null for Maven Central), "jars": [pins]}. It answers
with JSON lines: {"bytes": n} as they arrive, at the end {"done": true} or {"failed": kind, "text": why} with kind
"network", "checksum" or "disk". It ends when its input does. Each jar that is right is moved into the folder at once,
so that the next try goes on where this one stopped.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARALLEL = 8
TRIES = 3
TIMEOUT_S = 20
REPORT_BYTES = 256 * 1024
TEXT_LENGTH = 300
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class ChecksumMismatch(Exception):
    """A fetched file is not the pinned one."""


def say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


@contextmanager
def report_bytes(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
    """jgo's progress hook, one use a file: says how many bytes arrived, not too often."""
    pending = 0

    def update(count: int) -> None:
        nonlocal pending
        pending += count
        if pending >= REPORT_BYTES:
            say(bytes=pending)
            pending = 0

    yield update
    say(bytes=pending)


def fetch_jar(pin: dict[str, Any], folder: Path, repository: str | None) -> None:
    from jgo.maven import MavenContext, PythonResolver

    staging = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
    try:
        context = MavenContext(
            resolver=PythonResolver(progress_callback=report_bytes),
            repo_cache=staging,
            remote_repos={"pinned": repository} if repository else None,
            timeout=TIMEOUT_S,
        )
        component = context.project(pin["group"], pin["artifact"]).at_version(pin["version"])
        fetched = component.artifact(pin.get("classifier", "")).resolve()
        content = fetched.read_bytes()
        if len(content) != pin["size"] or hashlib.sha256(content).hexdigest() != pin["sha256"]:
            raise ChecksumMismatch(pin["file"])
        os.replace(fetched, folder / pin["file"])
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def fetch_with_retries(pin: dict[str, Any], folder: Path, repository: str | None) -> None:
    for left in reversed(range(TRIES)):
        try:
            return fetch_jar(pin, folder, repository)
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo says "not found" by RuntimeError
            if not left or getattr(error, "errno", None) in NO_SPACE:
                raise
            time.sleep(1)
    return None


def end_with_input() -> None:
    while sys.stdin.readline():
        pass
    os._exit(1)


def main() -> int:
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_input, daemon=True).start()
    folder = Path(order["folder"])
    for stale in folder.glob(".part-*"):
        shutil.rmtree(stale, ignore_errors=True)
    failure: dict[str, str] = {}
    with ThreadPoolExecutor(PARALLEL) as pool:
        tries = [pool.submit(fetch_with_retries, pin, folder, order["repository"]) for pin in order["jars"]]
        for one in tries:
            try:
                one.result()
            except ChecksumMismatch as error:
                failure = {"failed": "checksum", "text": str(error)}
            except (OSError, RuntimeError) as error:
                kind = "disk" if getattr(error, "errno", None) in NO_SPACE else "network"
                text = " ".join(str(error).split())
                failure = {"failed": kind, "text": f"{type(error).__name__}: {text[:TEXT_LENGTH]}"}
            if failure:
                pool.shutdown(wait=False, cancel_futures=True)
                say(**failure)
                os._exit(1)
    say(done=True)
    return 0


if __name__ == "__main__":
    os._exit(main())

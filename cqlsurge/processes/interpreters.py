"""Which interpreter load processes run on: what there is on this machine, and what the engine can run on.

Finding PyPy must not cost seconds at each start: each candidate is asked once who it is, and the answer is kept by its
path and modification time.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.load.engines.registry import EngineInfo
from cqlsurge.processes.environments import cache_folder

PYPY_VARIABLE = "CQLSURGE_PYPY"
PYPY_NAMES = ("pypy3.11", "pypy3.10", "pypy3.9", "pypy3")
OLDEST = (3, 9)
PROBE = (
    "import json, platform, sys;"
    "print(json.dumps([platform.python_implementation().lower(), list(sys.version_info[:3]),"
    " '.'.join(map(str, getattr(sys, 'pypy_version_info', sys.version_info)[:3]))]))"
)
PROBE_TIMEOUT_S = 20
#: PyPy's collector. Room for young objects: it would take half of the largest cache, which may be 240 MB that no core
#: has to itself. Memory marked in one step of a major collection: it would take four times that room, 15 ms at a time.
COLLECTOR = {"PYPY_GC_NURSERY": "4M", "PYPY_GC_INCREMENT_STEP": "1M"}


@dataclass(frozen=True)
class Interpreter:
    """An interpreter: its path, implementation (cpython or pypy), language version and own release."""

    path: str
    implementation: str
    version: tuple[int, int, int]
    release: str

    @property
    def text(self) -> str:
        """As people say it: CPython 3.11.7, PyPy 3.11 (7.3.19)."""
        if self.implementation == "pypy":
            return f"PyPy {self.version[0]}.{self.version[1]} ({self.release})"
        return f"CPython {'.'.join(map(str, self.version))}"

    @property
    def facts(self) -> dict[str, Any]:
        """The `runtime` of a result."""
        return {
            "name": self.text,
            "implementation": self.implementation,
            "version": ".".join(map(str, self.version)),
            "path": self.path,
        }


@dataclass(frozen=True)
class Choice:
    """The interpreter that was chosen, and a line on why and on what the other would bring; empty where obvious."""

    interpreter: Interpreter
    note: str = ""


def own() -> Interpreter:
    """The interpreter that runs this program."""
    pypy = getattr(sys, "pypy_version_info", None)
    release = ".".join(map(str, (pypy or sys.version_info)[:3]))
    return Interpreter(sys.executable, sys.implementation.name, tuple(sys.version_info[:3]), release)  # type: ignore[arg-type]


def probe(path: str) -> Interpreter | None:
    """Who an interpreter is, or None if it does not run; asked once and kept."""
    try:
        stamp = f"{os.path.realpath(path)}:{os.stat(path).st_mtime_ns}"
    except OSError:
        return None
    kept_file = cache_folder() / "interpreters.json"
    kept = _read_kept(kept_file)
    if stamp not in kept:
        try:
            result = subprocess.run(
                [path, "-I", "-c", PROBE], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=True
            )
            implementation, version, release = json.loads(result.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):
            return None
        kept[stamp] = asdict(Interpreter(path, implementation, tuple(version), release))
        _write_kept(kept_file, kept)
    found = kept[stamp]
    return Interpreter(path, found["implementation"], tuple(found["version"]), found["release"])


def _read_kept(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write_kept(path: Path, kept: object) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(kept), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        pass  # only a cache: the next start asks again


def pypy_candidates() -> list[str]:
    """Paths where a PyPy may be, the preferred ones first."""
    folders = [
        os.environ.get("UV_PYTHON_INSTALL_DIR", ""),
        os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"), "uv", "python"),
    ]
    paths = [os.environ.get(PYPY_VARIABLE), *(shutil.which(name) for name in PYPY_NAMES)]
    paths += sorted(glob.glob("/opt/pypy3*/usr/bin/pypy3.*[0-9]") + glob.glob("/opt/pypy3*/bin/pypy3"), reverse=True)
    for folder in filter(None, folders):
        paths += sorted(glob.glob(os.path.join(folder, "pypy-*", "bin", "pypy3")), reverse=True)
    return list(dict.fromkeys(path for path in paths if path and os.access(path, os.X_OK)))


def find_pypy() -> Interpreter | None:
    """The newest PyPy on this machine, 3.9 or newer; the one that CQLSURGE_PYPY names before all others."""
    found = [interpreter for path in pypy_candidates() if (interpreter := probe(path)) and _is_usable_pypy(interpreter)]
    asked = os.environ.get(PYPY_VARIABLE)
    if asked and found and found[0].path == asked:
        return found[0]
    return max(found, key=lambda interpreter: (interpreter.version, interpreter.release), default=None)


def _is_usable_pypy(interpreter: Interpreter) -> bool:
    return interpreter.implementation == "pypy" and interpreter.version[:2] >= OLDEST


def choose(runtime: str, engine: EngineInfo) -> Choice:
    """The interpreter for an engine's load processes. Raises UsageError where the one asked for cannot be."""
    if runtime == "cpython":
        return _checked(_own_cpython(), engine)
    if runtime == "pypy":
        pypy = find_pypy()
        if pypy is None:
            raise UsageError(
                "--runtime pypy: no PyPy 3.9 or newer found; install one (uv python install pypy@3.11, or your "
                f"system's pypy3), or name it in {PYPY_VARIABLE}"
            )
        return _checked(pypy, engine)
    if runtime != "auto":
        interpreter = probe(shutil.which(runtime) or runtime)
        if interpreter is None:
            raise UsageError(f"--runtime {runtime}: no Python interpreter there; give auto, cpython, pypy or a path")
        return _checked(interpreter, engine)
    return _automatic(engine)


def _automatic(engine: EngineInfo) -> Choice:
    pypy = find_pypy()
    if engine.packages:
        return _checked(_own_cpython(), engine)
    if pypy is not None and engine.runs_on("pypy", pypy.version[:2]):
        return Choice(pypy)
    here = _checked(own(), engine)
    hint = "PyPy would need about half the CPU: uv python install pypy@3.11, or your system's pypy3"
    return Choice(here.interpreter, hint if engine.runs_on("pypy", (3, 11)) else "")


def _own_cpython() -> Interpreter:
    here = own()
    if here.implementation == "cpython":
        return here
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        found = probe(shutil.which(name) or "")
        if found is not None and found.implementation == "cpython" and found.version[:2] >= (3, 10):
            return found
    return here


def _checked(interpreter: Interpreter, engine: EngineInfo) -> Choice:
    if not engine.runs_on(interpreter.implementation, interpreter.version[:2]):
        kinds = ", ".join(f"{name} {low[0]}.{low[1]}+" for name, low in engine.runtimes.items())
        raise UsageError(f"engine {engine.name} runs on {kinds}, not on {interpreter.text}: choose with --runtime")
    return Choice(interpreter)


def environment() -> dict[str, str]:
    """The environment of a process that may run on PyPy: this one's, and COLLECTOR where it does not say otherwise."""
    return {**COLLECTOR, **os.environ}

"""What the ladder says about rungs that cannot run: what to install, and no option that it does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from cqlsurge.errors import CqlsurgeError
from cqlsurge.load.engines.registry import ENGINES
from cqlsurge.processes import environments, interpreters
from cqlsurge.processes.interpreters import Interpreter
from cqlsurge.runs.ladder_runs import cure


def refusal(engine: str, runtime: str) -> str:
    info = ENGINES[engine]
    with pytest.raises(CqlsurgeError) as refused:
        environments.ensure(info, interpreters.choose(runtime, info).interpreter.path)
    text = cure(str(refused.value), info, runtime)
    assert "--runtime" not in text
    assert "\n" not in text
    return text


def test_without_pypy_or_with_an_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "find_pypy", lambda: None)
    assert "no PyPy 3.9 or newer found; install one (uv python install pypy@3.11" in refusal("wire", "pypy")
    monkeypatch.setattr(interpreters, "find_pypy", lambda: Interpreter("/pypy", "pypy", (3, 9, 1), "7.3"))
    assert "not on PyPy 3.9 (7.3); uv python install pypy@3.11" in refusal("scylla-driver", "pypy")


def test_without_a_driver_and_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environments, "has_imports", lambda python, info: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("UV", "")
    monkeypatch.setenv("PATH", "")
    assert "add it with: pip install 'acsylla>=1.2'" in refusal("acsylla", "cpython")

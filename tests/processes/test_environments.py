"""Environments for engines: when one is needed, where it lies, how it is made, what is said when it cannot be.

How: the packages are one that this file writes itself (a folder that uv installs without a network), and one that is
nowhere; interpreters are the one that runs the tests.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from cqlsurge.errors import RunError
from cqlsurge.load.engines.registry import ENGINES, EngineInfo
from cqlsurge.processes import environments
from cqlsurge.processes.environments import cache_folder, ensure, environment_folder, has_imports

PROJECT = """
[project]
name = "surgetest"
version = "1"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

# The least of a build backend: a wheel is a zip file with its metadata.
BACKEND = """
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "surgetest-1-py3-none-any.whl"
    info = "surgetest-1.dist-info"
    with zipfile.ZipFile(wheel_directory + "/" + name, "w") as wheel:
        wheel.writestr("surgetest.py", "VALUE = 1")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: surgetest\\nVersion: 1\\n")
        tags = "Generator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\n" + tags)
        wheel.writestr(info + "/RECORD", "")
    return name
"""


@pytest.fixture
def info(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineInfo:
    """An engine that needs the package `surgetest`, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "backend.py").write_text(BACKEND)
    return EngineInfo("test", "", "", "", {}, packages=(f"surgetest @ {source.as_uri()}",), imports=("surgetest",))


def test_an_interpreter_that_has_the_packages_is_used_as_it_is(info: EngineInfo) -> None:
    assert ensure(ENGINES["wire"], sys.executable) == Path(sys.executable)
    assert ensure(ENGINES["scylla-driver"], sys.executable) == Path(sys.executable)
    assert not cache_folder().exists()


def test_a_missing_package_gets_an_environment_once(info: EngineInfo) -> None:
    told: list[str] = []
    python = ensure(info, sys.executable, told.append)
    assert cache_folder() in python.parents
    assert len(told) == 1
    code = "import surgetest; print(surgetest.VALUE)"
    assert subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"
    assert ensure(info, sys.executable, told.append) == python
    assert len(told) == 1
    assert not has_imports(sys.executable, info)


def test_two_runs_at_once_make_one_environment(info: EngineInfo) -> None:
    told: list[str] = []
    threads = [threading.Thread(target=ensure, args=(info, sys.executable, told.append)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("once" in text for text in told) == 1


def test_a_half_made_environment_is_made_anew(info: EngineInfo) -> None:
    folder = environment_folder(info, sys.executable)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    assert has_imports(str(ensure(info, sys.executable)), info)


def test_environments_are_told_apart(info: EngineInfo) -> None:
    first = environment_folder(info, sys.executable)
    assert first == environment_folder(info, sys.executable)
    assert first != environment_folder(replace(info, packages=("other",)), sys.executable)
    assert first != environment_folder(info, "/bin/sh")


def test_what_cannot_be_installed_is_told_on_one_line(info: EngineInfo) -> None:
    absent = replace(info, packages=("surgetest @ file:///nowhere/at/all",))
    with pytest.raises(RunError, match=r"uv failed .*try it by hand: ") as raised:
        ensure(absent, sys.executable)
    assert "\n" not in str(raised.value)


def test_without_uv_the_way_by_hand_is_told(info: EngineInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setattr(environments.shutil, "which", lambda name: None)
    with pytest.raises(RunError, match="by hand: python -m venv"):
        ensure(info, sys.executable)


def test_no_such_interpreter(info: EngineInfo) -> None:
    with pytest.raises(RunError, match="no interpreter at /nowhere/python"):
        ensure(info, "/nowhere/python")

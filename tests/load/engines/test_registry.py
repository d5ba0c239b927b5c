"""The table of engines: names, needs and remedies.

How: by hand-picked cases, and on the real table; what is installed here decides which engines can be loaded at all.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from cqlsurge.load.engines import registry
from cqlsurge.load.engines.contract import Engine, EngineError
from cqlsurge.load.engines.registry import ENGINES, EngineInfo, check_technique, engine_info, load_engine


def test_default_engine_needs_nothing_and_runs_anywhere() -> None:
    info = ENGINES[registry.DEFAULT_ENGINE]
    assert info.packages == ()
    assert info.remedy == ""
    assert info.runs_on("pypy", (3, 9))
    assert info.runs_on("cpython", (3, 14))


def test_unknown_engine_is_told_the_names() -> None:
    with pytest.raises(
        KeyError, match=r"no engine is called 'wyre'; there are wire, scylla-driver, acsylla, scylladb-rs"
    ):
        engine_info("wyre")


def test_hidden_engines_are_not_offered() -> None:
    with pytest.raises(KeyError) as raised:
        load_engine("none")
    assert "fake" not in str(raised.value)


@pytest.mark.parametrize("name", ["fake", "scylla-driver"])
def test_loading_gives_a_named_engine(name: str) -> None:
    engine = load_engine(name)
    assert issubclass(engine, Engine)
    assert engine.name == name


def test_absent_driver_is_an_engine_error_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    info = EngineInfo(
        "absent", "", "no_such_driver.part", "X", {"cpython": (3, 9)}, packages=("nsd>=1",), imports=("no_such_driver",)
    )
    monkeypatch.setitem(ENGINES, "absent", info)
    with pytest.raises(EngineError, match=r"needs nsd>=1, which is not installed; add it with: pip install 'nsd>=1'"):
        load_engine("absent")


def test_a_bug_in_an_engine_module_is_no_absent_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    info = EngineInfo("broken", "", "no_such_module", "X", {}, packages=("nsd>=1",), imports=("no_such_driver",))
    monkeypatch.setitem(ENGINES, "broken", info)
    with pytest.raises(ModuleNotFoundError):
        load_engine("broken")


def test_techniques() -> None:
    driver = ENGINES["scylla-driver"]
    assert check_technique(driver, None) == "window"
    assert check_technique(driver, "batch") == "batch"
    assert check_technique(ENGINES["wire"], None) == ""
    with pytest.raises(ValueError, match="it has window, window-default, batch, sync"):
        check_technique(driver, "turbo")
    with pytest.raises(ValueError, match="it has none to choose from"):
        check_technique(ENGINES["wire"], "window")


def test_runtimes() -> None:
    assert ENGINES["scylla-driver"].runs_on("pypy", (3, 11))
    assert not ENGINES["scylla-driver"].runs_on("pypy", (3, 9))
    assert not ENGINES["acsylla"].runs_on("pypy", (3, 11))


def test_the_table_imports_no_driver() -> None:
    code = (
        "import sys, cqlsurge.load.engines.registry;"
        "print(sorted({'cassandra', 'acsylla', 'scylla', 'cqlsurge.load.engines.fake'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

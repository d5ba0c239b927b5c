"""docs/workloads.md: its files load, its commands run as they stand, its tables say all that there is.

How: blocks whose first line is `# NAME` are written to files; commands of other blocks are run one after the other,
with the real Cassandra in place of 10.0.0.1.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cqlsurge.cli.main import main
from cqlsurge.workload import builtin
from cqlsurge.workload.generators import GENERATORS
from cqlsurge.workload.loader import KEYS, load_workload
from cqlsurge.workload.phases import KEYS as PHASE_KEYS
from cqlsurge.workload.picks import PICKS
from cqlsurge.workload.population import KEYS as TABLE_KEYS

if TYPE_CHECKING:
    from cqlsurge.database.embedded import EmbeddedCluster

PAGE = (Path(__file__).parent.parent.parent / "docs" / "workloads.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for language, text in BLOCKS if not language for line in text.splitlines() if line]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files, which is the current one."""
    for language, text in BLOCKS:
        if language:
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(command: str) -> list[str]:
    name, *rest = shlex.split(command)
    assert name == "cqlsurge"
    return rest


def test_the_commands_that_look_at_workloads(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    looking = [command for command in COMMANDS if words(command)[0] == "workload"]
    assert len(looking) >= 5
    for command in looking:
        assert main(words(command)) == 0, command
    assert "no error" in capsys.readouterr().out


@pytest.mark.cassandra
@pytest.mark.timeout(600)
def test_the_commands_that_run(cassandra: EmbeddedCluster, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = [command for command in COMMANDS if words(command)[0] == "run"]
    assert len(running) >= 4
    for command in running:
        arguments = [cassandra.address if word == "10.0.0.1" else word for word in words(command)]
        assert main([*arguments, "--quiet", "--request-timeout", "60"]) == 0, capsys.readouterr().out


def test_generators_picks_and_what_comes_along_are_all_told() -> None:
    for generator in GENERATORS.values():
        if generator.example:
            assert f"| `{generator.form}` | {generator.about} | `{generator.example}` |" in PAGE
    for form, about in PICKS.values():
        assert f"| `{form}` | {about} |" in PAGE
    for name in builtin.names():
        assert f"| `{name}` | {builtin.about(name)} |" in PAGE


def test_keys_are_told() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert set(KEYS) - {"imported"} <= told
    assert set(TABLE_KEYS) <= told
    assert set(PHASE_KEYS) - {"count"} <= told


def test_the_file_of_the_readme_loads() -> None:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    spec = load_workload(found[1], "mine.yaml")
    assert [phase.name for phase in spec.phases] == ["load", "run"]

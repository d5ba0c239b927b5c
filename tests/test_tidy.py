"""The style of this repository, as a test: sizes, syntax level, import direction, leftovers.

How: every Python file is parsed once with `ast`; each rule walks the trees and lists its offenders by file and line.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "cqlsurge"

MODULE_LINES = 400
FUNCTION_LINES = 70
# The few hot loops: free functions on local values, each with its benchmark (at most three).
HOT_LOOPS: dict[str, str] = {
    "cqlsurge/load/engines/wire/loop.py:receive": "benchmarks/wire_null.py",
}
HOT_LOOP_LINES = 140

# room -> rooms it may import from (besides itself, and errors/units, which all but load/ may use)
ROOMS: dict[str, set[str]] = {
    "load": set(),
    "units": set(),
    "errors": set(),
    "conditions": set(),
    "options": {"load", "conditions"},
    "settings": {"load", "options"},
    "host": {"load"},
    "results": {"limits", "load", "settings", "options", "conditions", "host"},
    "database": {"load", "settings", "host", "workload"},
    "simulator": {"load", "host"},
    "workload": {"load", "settings", "conditions"},
    "limits": set(),
    "processes": {"load", "settings", "host", "results"},
    "show": {"results", "load", "settings"},
    "runs": {
        "limits",
        "load",
        "settings",
        "options",
        "conditions",
        "database",
        "processes",
        "results",
        "host",
        "workload",
    },
    "cli": {
        "limits",
        "load",
        "settings",
        "options",
        "database",
        "simulator",
        "processes",
        "results",
        "host",
        "show",
        "runs",
        "workload",
    },
    "__main__": {"cli"},
    "api": {"load", "settings", "runs", "results", "workload"},
    "api_limits": {"limits", "settings", "runs", "results"},
    "__init__": {"limits", "settings", "runs", "results", "api", "api_limits"},
}
COMMON = {"errors", "units"}

# load/ room -> rooms of load/ it may import from
LOAD_ROOMS: dict[str, set[str]] = {
    "cql": set(),
    "routing": {"cql"},
    "workload": {"cql", "routing", "outcomes"},
    "compiled": {"cql", "routing", "workload"},
    "pacing": set(),
    "outcomes": set(),
    "latency": set(),
    "engines": {"cql", "routing", "workload", "compiled", "pacing", "outcomes", "latency"},
    "worker": {"cql", "routing", "workload", "compiled", "pacing", "outcomes", "latency", "engines"},
    "bootstrap": {"worker"},
}
# Optional accelerators and drivers: each module outside the standard library that load/ may try to import, and where.
LOAD_OPTIONAL = {"lz4", "cassandra", "numpy", "cffi", "_cffi_backend", "__pypy__", "acsylla", "scylla"}


def python_files() -> list[Path]:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode == 0 and tracked.stdout:
        return [ROOT / name for name in tracked.stdout.split() if (ROOT / name).exists()]
    return [path for path in ROOT.rglob("*.py") if ".venv" not in path.parts]


def package_files() -> list[Path]:
    return [path for path in python_files() if PACKAGE in path.parents]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def imports(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of each import in a file, at any depth; relative ones resolved; `from a import b` is a.b."""
    found: list[tuple[int, str]] = []
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, node.module] if node.module else base)
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


def test_modules_are_small() -> None:
    too_long = [
        f"{where(path, 1)} has {count} lines"
        for path in python_files()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MODULE_LINES
    ]
    assert not too_long, too_long


def test_test_modules_have_names_of_their_own() -> None:
    """pytest imports them by their bare names: of two alike, one stops the whole collection."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names)), sorted(name for name in set(names) if names.count(name) > 1)


def test_functions_are_small() -> None:
    too_long = []
    for path in package_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                name = f"{path.relative_to(ROOT)}:{node.name}"
                limit = HOT_LOOP_LINES if name in HOT_LOOPS else FUNCTION_LINES
                if length > limit:
                    too_long.append(f"{where(path, node.lineno)} {node.name} has {length} lines")
    assert not too_long, too_long


def test_hot_loops_are_few_and_have_benchmarks() -> None:
    assert len(HOT_LOOPS) <= 3
    for name, benchmark in HOT_LOOPS.items():
        path, function = name.split(":")
        assert (ROOT / benchmark).exists(), f"{name}: no {benchmark}"
        assert any(isinstance(node, ast.FunctionDef) and node.name == function for node in ast.walk(tree(ROOT / path)))


def test_load_processes_speak_python_39() -> None:
    for path in [*(PACKAGE / "load").rglob("*.py"), PACKAGE / "__init__.py"]:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))


def room_of(parts: list[str], rooms: dict[str, set[str]]) -> str | None:
    return next((part for part in parts[:1] if part in rooms), None)


def test_imports_go_downward() -> None:
    wrong = []
    for path in package_files():
        inside = list(path.relative_to(PACKAGE).with_suffix("").parts)
        room = inside[0]
        assert room in ROOMS, f"{path} lies in no known room"
        for line, name in imports(path):
            parts = name.split(".")
            if parts[0] != "cqlsurge" or len(parts) < 2:
                continue
            other = parts[1]
            if other == room or other not in ROOMS:
                continue
            allowed = ROOMS[room] | (COMMON if room not in {"load", "units"} else set())
            if other not in allowed:
                wrong.append(f"{where(path, line)} {room} imports {name}")
    assert not wrong, wrong


def test_rooms_of_load_go_downward() -> None:
    wrong = []
    for path in (PACKAGE / "load").rglob("*.py"):
        inside = list(path.relative_to(PACKAGE / "load").with_suffix("").parts)
        room = inside[0]
        if room == "__init__":
            continue
        assert room in LOAD_ROOMS, f"{path} lies in no known room of load/"
        for line, name in imports(path):
            parts = name.split(".")
            if parts[:2] == ["cqlsurge", "load"] and len(parts) > 2:
                other = parts[2]
                if other in LOAD_ROOMS and other != room and other not in LOAD_ROOMS[room]:
                    wrong.append(f"{where(path, line)} {room} imports {name}")
    assert not wrong, wrong


def test_load_needs_only_the_standard_library() -> None:
    wrong = []
    for path in (PACKAGE / "load").rglob("*.py"):
        for line, name in imports(path):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names | LOAD_OPTIONAL | {"cqlsurge", "__future__"}:
                wrong.append(f"{where(path, line)} imports {name}")
            if top == "cqlsurge" and name.split(".")[1:2] not in (["load"], ["__version__"]):
                wrong.append(f"{where(path, line)} imports {name}")
    assert not wrong, wrong


#: names that do not say what a module holds
BANNED_NAMES = {
    "gather", "side", "shares", "crew", "rungs", "words", "ladder_words", "ground", "keeper", "tally", "intake",
    "state", "variant",
}  # fmt: skip


def test_modules_say_what_they_hold() -> None:
    found = [where(path, 1) for path in package_files() if path.stem in BANNED_NAMES]
    assert not found, found


def test_no_leftovers() -> None:
    # Spelled apart so that this file does not find itself.
    banned = re.compile(
        r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|breakpoint\(\)|import p" + r"db|NotImplemented" + r"Error"
    )
    found = [
        f"{where(path, number)} {line.strip()}"
        for path in python_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if banned.search(line)
    ]
    assert not found, found


def test_no_printing_or_exiting_deep_inside() -> None:
    """Only the rooms that face people print; only entry points exit."""
    wrong = []
    for path in package_files():
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name == "print" and room not in {"show", "cli"}:
                wrong.append(f"{where(path, node.lineno)} prints")
            if name in {"sys.exit", "exit", "quit"} and not any(
                part in {"__main__.py", "bootstrap.py"} for part in path.parts
            ):
                wrong.append(f"{where(path, node.lineno)} exits")
    assert not wrong, wrong


def test_every_module_says_what_it_is_for() -> None:
    silent = [where(path, 1) for path in package_files() if not ast.get_docstring(tree(path))]
    assert not silent, silent


def test_markdown_pages_have_one_title() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")]:
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        titles = [line for line in text.splitlines() if line.startswith("# ")]
        assert len(titles) == 1, f"{path.relative_to(ROOT)} has {len(titles)} titles"


def run_tool(*command: str) -> None:
    result = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if "No module named" in result.stderr:
        pytest.skip(f"{command[0]} is not installed on this interpreter")
    assert result.returncode == 0, result.stdout + result.stderr


def test_ruff() -> None:
    run_tool("ruff", "check", "--no-fix", ".")


def test_format() -> None:
    run_tool("ruff", "format", "--check", ".")


def test_mypy_strict() -> None:
    run_tool("mypy")

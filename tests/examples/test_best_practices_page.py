"""docs/best-practices.md says what was measured, and shows lines that its examples have."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "best-practices.md"
SECTION = re.compile(r"^\[examples/(\w+\.py)\].*?```python\n(.*?)```", re.DOTALL | re.MULTILINE)


def test_tables_follow_from_the_data(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    from lessons_tables import DATA, PAGES, page

    data = json.loads(DATA.read_text())
    for path in PAGES:
        assert page(path.read_text(), data) == path.read_text()
        assert not re.search(r"-->\n<!-- end", path.read_text()), "something was not measured"


def code_lines(text: str) -> list[str]:
    """The lines without indentation and comments."""
    return [line for raw in text.splitlines() if (line := raw.split("  #")[0].strip())]


@pytest.mark.parametrize(("name", "block"), SECTION.findall(PAGE.read_text()))
def test_lines_are_those_of_the_example(name, block):
    names = [name, "rust_driver.py"] if name == "cpp_driver.py" else [name]
    example = {line for one in names for line in code_lines((ROOT / "examples" / one).read_text())}
    assert [line for line in code_lines(block) if line not in example] == []

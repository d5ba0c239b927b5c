"""What the pages say of the tree is so: each file and folder that they name is there, and the README stays short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
README_LINES = 120
#: where a path in a page may begin: the pages leave out what is plain from the context
ROOTS = (
    "",
    "cqlsurge",
    "cqlsurge/load",
    "cqlsurge/load/engines",
    "cqlsurge/load/engines/wire",
    "cqlsurge/results",
    "tests",
)
_CODE = re.compile(r"`([^`\n]+)`|\]\(([^)#\s]+)")
_BLOCK = re.compile(r"```.*?```", re.DOTALL)
#: what looks like a path of ours: folders and a file with an ending, or a folder with its slash
_PATH = re.compile(r"(?:[\w.-]+/)*(?:[\w-]+\.(?:py|md|yaml|json|toml|svg)|[\w.-]+/)")


def exists(path: str) -> bool:
    return any((ROOT / root / path).exists() for root in ROOTS)


def paths_in(text: str) -> set[str]:
    """The paths that a page names in code or links, but for those in its blocks of commands."""
    words = [one or other for one, other in _CODE.findall(_BLOCK.sub("", text))]
    return {word for word in words if _PATH.fullmatch(word)}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page: str) -> None:
    paths = paths_in((ROOT / page).read_text(encoding="utf-8"))
    assert paths
    assert not [path for path in sorted(paths) if not exists(path)]


def test_the_house_is_drawn_as_it_stands() -> None:
    """Each room of the package, and of load/, stands in ARCHITECTURE.md's drawing, and nothing else does."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    drawing = page.split("## The house")[1].split("```")[1]
    drawn = {
        2: set(re.findall(r"^  ([\w./]+?)/? ", drawing, re.MULTILINE)),
        4: set(re.findall(r"^    ([\w./]+?)/? ", drawing, re.MULTILINE)),
    }
    for indent, folder in ((2, ROOT / "cqlsurge"), (4, ROOT / "cqlsurge" / "load")):
        rooms = {path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"}
        missing = rooms - drawn[indent]
        gone = {name for name in drawn[indent] if not (folder / name).exists()}
        assert not missing, f"{folder.name}/ has rooms that are not drawn: {missing}"
        assert not gone, f"drawn in {folder.name}/ but not there: {gone}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES

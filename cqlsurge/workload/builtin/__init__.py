"""The workloads that come with the package: one YAML file each, to be run or copied."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
_NAME = re.compile(r"[a-z][a-z0-9-]*\Z")
_ABOUT = re.compile(r"^about: *(.*)$", re.MULTILINE)


def names() -> list[str]:
    """The names of all."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def is_name(text: str) -> bool:
    """Whether a text is the name of one."""
    return bool(_NAME.match(text)) and (FOLDER / f"{text}.yaml").is_file()


def text_of(name: str) -> str:
    """The file of one."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def about(name: str) -> str:
    """What one is, on a line."""
    found = _ABOUT.search(text_of(name))
    return found[1].strip() if found else ""

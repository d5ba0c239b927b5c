"""Reading the small text files with which a kernel describes itself, and writing files for one pair of eyes."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path("/")


def read(root: Path, name: str) -> str | None:
    """The text of a file below `root`; None where it is absent or may not be read."""
    try:
        return (root / name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def read_line(root: Path, name: str) -> str | None:
    """The text of a file without white space at its ends; None where there is none."""
    return (read(root, name) or "").strip() or None


def read_numbers(root: Path, name: str) -> list[int] | None:
    """The whole numbers of a file of nothing else; None where it is absent or holds something else."""
    fields = (read(root, name) or "").split()
    try:
        return [int(field) for field in fields] or None
    except ValueError:
        return None


def read_pairs(root: Path, name: str, separator: str | None = None) -> dict[str, str]:
    """`key value` lines as a dict, the first of each key; empty where the file is absent."""
    pairs: dict[str, str] = {}
    for line in (read(root, name) or "").splitlines():
        key, *rest = line.split(separator, 1)
        if rest:
            pairs.setdefault(key.strip(), rest[0].strip())
    return pairs


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)

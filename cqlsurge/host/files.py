"""Reading the small text files with which a kernel describes itself, and writing files for one pair of eyes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cqlsurge.errors import UsageError

ROOT = Path("/")
#: an announcement is no longer: addresses of a thousand nodes
LINE_SIZE = 65536
#: nothing, addresses with ports, or a URL
_LINE = re.compile(r"\s*(https?://\S+|[\w.:,\[\]%-]*:[0-9]+)?\s*", re.A)


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


class Announcement:
    """A file of one line for one pair of eyes, such as an address or URL, that is there as long as what it names.

    Making it finds out whether it can be written, and removes what an earlier one left. Only such a line is ever
    replaced or removed: notes, devices and FIFOs are the user's. Raises UsageError.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))
        self._text = ""
        refused = f"cannot write {path}"
        if self._path.is_dir() or not os.access(self._path.parent, os.W_OK | os.X_OK):
            raise UsageError(f"{refused}; name a file in a folder that exists and that you may write to")
        if path.exists():
            if not path.is_file() or not self._path.exists():
                raise UsageError(f"{refused}: it is a device or FIFO; name a file of its own")
            if not self._holds_a_line():
                raise UsageError(f"{refused}: it holds something else than an address; name a file of its own")
            self._path.unlink()

    def _holds_a_line(self) -> bool:
        try:
            with open(self._path, encoding="utf-8") as file:
                text = file.read(LINE_SIZE + 1)
        except (OSError, UnicodeDecodeError):
            return False
        return len(text) <= LINE_SIZE and _LINE.fullmatch(text) is not None

    def write(self, text: str) -> None:
        """Writes it whole or not at all, for its owner alone. Raises UsageError."""
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            part.replace(self._path)
        except OSError as error:
            raise UsageError(f"cannot write {self._path}: {error.strerror}") from error
        self._text = text

    def remove(self) -> None:
        """Removes it, unless somebody has put another in its place."""
        if self._text and read_line(self._path.parent, self._path.name) == self._text.strip():
            self._path.unlink(missing_ok=True)

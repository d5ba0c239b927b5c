"""Result documents on disk: written whole or not at all, and never over something else."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from cqlsurge.errors import ResultError
from cqlsurge.results.document import SCHEMA, Document

STANDARD_OUTPUT = "-"


class ResultFile:
    """A place for one run's document. Opening it finds out, before the run, whether it can be written.

    A file that is there is replaced only if it is a result document itself (or `force` is set).
    """

    def __init__(self, path: str, *, force: bool = False) -> None:
        self.path = path
        if path == STANDARD_OUTPUT:
            return
        target = Path(path)
        if target.is_dir():
            raise ResultError(f"--json {path} is a folder: name a file")
        if target.exists() and not force and not _is_document(target):
            raise ResultError(
                f"--json {path} holds something else than a result document: name another, or use --force"
            )
        folder = target.absolute().parent
        if not folder.is_dir():
            raise ResultError(f"--json {path}: there is no folder {folder}")
        try:
            self._temporary().write_bytes(b"")
            self._temporary().unlink()
        except OSError as error:
            raise ResultError(f"--json {path} cannot be written: {error.strerror}") from error
        if target.exists() and not os.access(target, os.W_OK):
            raise ResultError(f"--json {path} cannot be written: it is read-only")

    def _temporary(self) -> Path:
        target = Path(self.path).absolute()
        return target.with_name(f".{target.name}.{os.getpid()}")

    def write(self, document: Document) -> None:
        """Replaces the file by the document, atomically. Raises ResultError; what stood there before then stays."""
        text = json.dumps(document, indent=1) + "\n"
        if self.path == STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        temporary = self._temporary()
        try:
            with open(temporary, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ResultError(f"{self.path} could not be written: {error.strerror}; free some space") from error


def _is_document(path: Path) -> bool:
    if path.stat().st_size == 0:
        return True
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and data.get("kind") == "cqlsurge run"


def read_document(path: str) -> Document:
    """A result document from its file. Raises ResultError."""
    try:
        data: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ResultError(f"{path} is no result document: not JSON ({error})") from error
    if not isinstance(data, dict) or data.get("kind") != "cqlsurge run":
        raise ResultError(f"{path} is no result document of cqlsurge")
    if data.get("schema") != SCHEMA:
        raise ResultError(
            f"{path} is of schema {data.get('schema')}, this version reads {SCHEMA}: use a newer cqlsurge"
        )
    return data

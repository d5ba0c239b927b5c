"""Files that a run leaves behind: written whole or not at all, and never over something of another kind."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cqlsurge.errors import ResultError
from cqlsurge.results.document import SCHEMA, Document

STANDARD_OUTPUT = "-"
HEAD_SIZE = 2048


@dataclass(frozen=True)
class FileKind:
    """A kind of file: what people call it, and whether a file that is there is one."""

    name: str
    holds: Callable[[Path], bool]


def marked(name: str, *marks: str) -> FileKind:
    """The kind of files that have one of the marks near their start."""

    def holds(path: Path) -> bool:
        with open(path, encoding="utf-8", errors="replace") as file:
            head = file.read(HEAD_SIZE)
        return any(mark in head for mark in marks)

    return FileKind(name, holds)


class OutputFile:
    """A place for one text. Opening it finds out, before the run, whether it can be written.

    A file that is there is replaced only if it is of the same kind (or `force` is set). `option` names it in errors.
    """

    def __init__(self, path: str, option: str, kind: FileKind, *, force: bool = False) -> None:
        self.path = path
        if path == STANDARD_OUTPUT:
            return
        target = Path(path)
        if target.is_dir():
            raise ResultError(f"{option} {path} is a folder: name a file")
        folder = target.absolute().parent
        if not folder.is_dir():
            raise ResultError(f"{option} {path}: there is no folder {folder}")
        if target.exists() and not force and not self._replaceable(target, kind):
            raise ResultError(f"{option} {path} holds something else than a {kind.name}: name another, or use --force")
        try:
            self._temporary().write_bytes(b"")
            self._temporary().unlink()
        except OSError as error:
            raise ResultError(f"{option} {path} cannot be written: {error.strerror}") from error
        if target.exists() and not os.access(target, os.W_OK):
            raise ResultError(f"{option} {path} cannot be written: it is read-only")

    @staticmethod
    def _replaceable(target: Path, kind: FileKind) -> bool:
        try:
            return target.stat().st_size == 0 or kind.holds(target)
        except OSError:
            return False

    def _temporary(self) -> Path:
        target = Path(self.path).absolute()
        return target.with_name(f".{target.name}.{os.getpid()}")

    def write_text(self, text: str) -> None:
        """Replaces the file by the text, atomically. Raises ResultError; what stood there before then stays."""
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


class ResultFile(OutputFile):
    """A place for one run's document."""

    def __init__(self, path: str, *, force: bool = False) -> None:
        super().__init__(path, "--json", DOCUMENT, force=force)

    def write(self, document: Document) -> None:
        """Replaces the file by the document, atomically. Raises ResultError; what stood there before then stays."""
        self.write_text(json.dumps(document, indent=1) + "\n")


def _is_document(path: Path) -> bool:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and data.get("kind") == "cqlsurge run"


DOCUMENT = FileKind("result document", _is_document)


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

"""Files that a run leaves behind: written whole or not at all, and never over something of another kind.

What is no regular file belongs to the user: it is written through or refused, never replaced.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cqlsurge.errors import ResultError
from cqlsurge.results.document import SCHEMA, Document

STANDARD_OUTPUT = "-"
#: other names of it; opened anew, they would write into the midst of what else is said there
_STANDARD_OUTPUT_TOO = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
HEAD_SIZE = 2048


def is_standard_output(path: str | None) -> bool:
    """Whether what is written there comes between the lines that people read."""
    return path == STANDARD_OUTPUT or path in _STANDARD_OUTPUT_TOO


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
    """A place for text that the user named. Opening it finds out, before the run, whether it can be written.

    A regular file, also one at the end of a link, is replaced whole, and only if it is of the same kind (or `force` is
    set); it keeps its mode and owner. A character device or FIFO is the user's and stays: it is written through, once
    (`streams`). Block devices and sockets are refused. `option` names the place in errors.
    """

    def __init__(self, path: str, option: str, kind: FileKind, *, force: bool = False) -> None:
        self.path = path = STANDARD_OUTPUT if path in _STANDARD_OUTPUT_TOO else path
        self._option = option
        self.streams = path == STANDARD_OUTPUT
        self._descriptor = -1
        if self.streams:
            return
        there = self._what_is_there()
        self._target = Path(os.path.realpath(path))
        if there is not None and not (stat.S_ISREG(there.st_mode) and self._target.exists()):
            self._open_stream(there.st_mode)
            return
        self._check_folder()
        if there is not None and not force and not self._replaceable(kind):
            raise ResultError(f"{option} {path} holds something else than a {kind.name}: name another, or use --force")
        self._try_writing()

    def _what_is_there(self) -> os.stat_result | None:
        """Of what the path leads to; None where there is nothing yet."""
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ResultError(f"{self._option} {self.path} cannot be written: {reason(error)}") from error
        if stat.S_ISDIR(there.st_mode):
            raise ResultError(f"{self._option} {self.path} is a folder: name a file")
        if stat.S_ISBLK(there.st_mode) or stat.S_ISSOCK(there.st_mode):
            what = "a block device" if stat.S_ISBLK(there.st_mode) else "a socket"
            raise ResultError(f"{self._option} {self.path} is {what}, which is left alone: name a file")
        return there

    def _open_stream(self, mode: int) -> None:
        """A device, FIFO or pipe stays open until this object is gone: a FIFO's reader would take a gap for the end."""
        try:
            # Without O_NONBLOCK a FIFO that nobody reads would hold up the run before it begins.
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENXIO and stat.S_ISFIFO(mode):
                raise ResultError(
                    f"{self._option} {self.path} is a FIFO that nobody reads: start its reader first"
                ) from error
            raise ResultError(f"{self._option} {self.path} cannot be written: {reason(error)}") from error
        os.set_blocking(self._descriptor, True)
        weakref.finalize(self, os.close, self._descriptor)
        self.streams = True

    def _check_folder(self) -> None:
        folder = self._target.parent
        if not folder.is_dir():
            raise ResultError(f"{self._option} {self.path}: there is no folder {folder}")

    def _try_writing(self) -> None:
        try:
            self._temporary().write_bytes(b"")
            self._temporary().unlink()
        except OSError as error:
            raise ResultError(f"{self._option} {self.path} cannot be written: {reason(error)}") from error
        if self._target.exists() and not os.access(self._target, os.W_OK):
            raise ResultError(f"{self._option} {self.path} cannot be written: it is read-only")

    def _replaceable(self, kind: FileKind) -> bool:
        try:
            return self._target.stat().st_size == 0 or kind.holds(self._target)
        except OSError:
            return False

    def _temporary(self) -> Path:
        return self._target.with_name(f".{self._target.name}.{os.getpid()}")

    def write_text(self, text: str) -> None:
        """Replaces the file by the text, atomically. Raises ResultError; what stood there before then stays."""
        if self.streams:
            self.add(text)
            return
        temporary = self._temporary()
        try:
            with open(temporary, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                _like(self._target, file.fileno())
            _replace(temporary, self._target, text)
        except OSError as error:
            raise ResultError(f"{self.path} could not be written: {reason(error)}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def add(self, text: str) -> None:
        """Writes the text behind what is there. Raises ResultError."""
        if self.path == STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        try:
            if not self.streams:
                with open(self._target, "a", encoding="utf-8") as file:
                    file.write(text)
                return
            rest = memoryview(text.encode())
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise ResultError(f"{self.path} could not be written: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What is wrong, in the system's words, and the cure where there is one."""
    number = error.errno if isinstance(error, OSError) else None
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if number == errno.EPIPE:
        return "its reader has gone"
    return f"{text}; free some space" if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else text


def _like(target: Path, descriptor: int) -> None:
    """Gives a file the mode and owner of the one that it is to replace, as far as we may."""
    try:
        there = target.stat()
        os.fchmod(descriptor, stat.S_IMODE(there.st_mode))
        os.fchown(descriptor, there.st_uid, there.st_gid)
    except OSError:
        pass  # there is none, or it is another's: the mode is what counts, and comes first


def _replace(temporary: Path, target: Path, text: str) -> None:
    try:
        os.replace(temporary, target)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        # A file that is a mount point of its own, as containers have them, can only be written in place.
        target.write_text(text, encoding="utf-8")


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
    return read_kind(path, "cqlsurge run", "result document")


def read_kind(path: str, kind: str, name: str) -> Document:
    """A document of that `kind` from its file; `name` is what people call one. Raises ResultError."""
    try:
        data: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ResultError(f"{path} is no {name}: not JSON ({error})") from error
    if not isinstance(data, dict) or data.get("kind") != kind:
        raise ResultError(f"{path} is no {name} of cqlsurge")
    if data.get("schema") != SCHEMA:
        raise ResultError(
            f"{path} is of schema {data.get('schema')}, this version reads {SCHEMA}: use a newer cqlsurge"
        )
    return data

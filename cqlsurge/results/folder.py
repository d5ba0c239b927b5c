"""A folder of kept runs: each document under a short name, `20261123-write-wire-7`; the number is the folder's own.

A run is named by its file, its name, its number, or a range of numbers: `7`, `3-6`.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cqlsurge.errors import ResultError, UsageError
from cqlsurge.results.document import Document
from cqlsurge.results.files import ResultFile, read_document

#: names the folder where nothing else does
VARIABLE = "CQLSURGE_RUNS"
_NAME = re.compile(r"[0-9]{8}-[a-z0-9_]+-[a-z0-9_-]+-([0-9]+)\.json\Z")
_NUMBERS = re.compile(r"([0-9]+)(?:-([0-9]+))?\Z")


def folder_of(given: str | None) -> Path | None:
    """The folder that is meant: the given one, else that of $CQLSURGE_RUNS, else none."""
    name = given or os.environ.get(VARIABLE)
    return Path(name) if name else None


def make_folder(folder: Path) -> None:
    """Makes the folder where it is not there. Raises ResultError where it cannot be, or cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(f"the folder of runs {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ResultError(f"the folder of runs {folder} cannot be written to")


def keep(document: Document, folder: Path) -> str:
    """Stores a document under the folder's next number; gives its name. Raises ResultError."""
    make_folder(folder)
    date = str(document["started_at"])[:10].replace("-", "")
    with _locked(folder):
        number = max(kept_runs(folder), default=0) + 1
        name = f"{date}-{document['settings']['mode']}-{document['engine']['name']}-{number}"
        ResultFile(str(folder / f"{name}.json")).write(document)
    return name


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One supervisor at a time, also of other processes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def kept_runs(folder: Path) -> dict[int, Path]:
    """The kept runs by number, the oldest first."""
    try:
        found = {int(match.group(1)): path for path in folder.iterdir() if (match := _NAME.match(path.name))}
    except OSError as error:
        raise ResultError(f"the folder of runs {folder} cannot be read: {error.strerror}") from error
    return dict(sorted(found.items()))


def find_runs(words: Sequence[str], folder: Path | None) -> list[Path]:
    """The files that words name: files themselves, or names, numbers and ranges of numbers of kept runs.

    Raises UsageError for a word that names none.
    """
    return [path for word in words for path in _find(word, folder)]


def _find(word: str, folder: Path | None) -> list[Path]:
    if Path(word).is_file():
        return [Path(word)]
    if folder is None:
        raise UsageError(
            f"there is no file {word}; for names of kept runs say where they are: --folder FOLDER or ${VARIABLE}"
        )
    named = folder / f"{word.removesuffix('.json')}.json"
    if named.is_file():
        return [named]
    match = _NUMBERS.match(word)
    if match is None:
        raise UsageError(f"there is no file {word}, nor a run of that name in {folder}; `cqlsurge runs` lists them")
    first, last = int(match.group(1)), int(match.group(2) or match.group(1))
    kept = kept_runs(folder)
    missing = [number for number in range(first, last + 1) if number not in kept]
    if missing or last < first:
        raise UsageError(f"there is no run {missing[0] if missing else word} in {folder}; `cqlsurge runs` lists them")
    return [kept[number] for number in range(first, last + 1)]


def read_runs(words: Sequence[str], folder: Path | None) -> list[Document]:
    """The documents that words name. Raises UsageError and ResultError."""
    return [read_document(str(path)) for path in find_runs(words, folder)]

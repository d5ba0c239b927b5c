"""Where the embedded database keeps what it fetched and what it runs on: the user's cache, its locks and its space."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cqlsurge.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1024 * 1024


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/cqlsurge, ~/.cache/cqlsurge or ~/Library/Caches/cqlsurge; made when absent."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG rules tell programs to ignore a relative one
        folder = Path(base)
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Caches"
    else:
        folder = Path.home() / ".cache"
    return make_directory(folder / "cqlsurge")


def make_directory(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"cannot make the folder {folder}: {error.strerror}; set XDG_CACHE_HOME elsewhere"
        ) from None
    return folder


def require_space(folder: Path, needed_mib: int, purpose: str) -> None:
    """Raise EmbeddedError unless the file system of `folder` has the space that `purpose` needs."""
    free_mib = shutil.disk_usage(folder).free // MIB
    if free_mib < needed_mib:
        raise EmbeddedError(
            f"{purpose} needs {needed_mib} MiB of disk space in {folder}, which has {free_mib} MiB; "
            "free some, or set XDG_CACHE_HOME to a folder on another disk"
        )


def try_lock(path: Path) -> int | None:
    """A descriptor that holds the file's lock until it is closed or its last process ends; None when it is held."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


@contextmanager
def held_lock(path: Path, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the file's lock inside the block; `on_wait` is called once when another process has it."""
    fd = try_lock(path)
    if fd is None and on_wait:
        on_wait()
    while fd is None:
        time.sleep(0.1)
        fd = try_lock(path)
    try:
        yield
    finally:
        os.close(fd)

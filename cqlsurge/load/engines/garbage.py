"""How long this process has spent collecting garbage: from hooks that CPython and PyPy both have, one a collection."""

from __future__ import annotations

import gc
import sys
import time
from typing import Any

_spent = [0.0, 0.0]  # seconds in all; start of the collection that goes on


def garbage_s() -> float:
    """Seconds since `watch_garbage`; 0.0 where it was not called."""
    return _spent[0]


def watch_garbage() -> None:
    """Begins to count, once in a process."""
    if sys.implementation.name == "pypy":
        gc.hooks.set(_PyPyHooks())  # type: ignore[attr-defined]  # PyPy's own
    else:
        gc.callbacks.append(_collected)


def _collected(stage: str, info: Any) -> None:
    now_s = time.perf_counter()
    if stage == "start":
        _spent[1] = now_s
    else:
        _spent[0] += now_s - _spent[1]


class _PyPyHooks:
    """What PyPy calls: after young objects, after each step over old ones (durations in seconds), and at their end."""

    def on_gc_minor(self, stats: Any) -> None:
        _spent[0] += stats.duration

    def on_gc_collect_step(self, stats: Any) -> None:
        _spent[0] += stats.duration

    def on_gc_collect(self, stats: Any) -> None:
        """The steps have been counted."""

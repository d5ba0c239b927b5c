"""Ctrl-C and SIGTERM: once, however often they come within a second (uv forwards what the terminal sent too)."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

ONE_S = 1.0


class Interrupts:
    """Counts requests to stop. While `raising` (before load begins) a request raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.requested = 0
        self._last_s = float("-inf")
        self._raising = False

    def request(self) -> None:
        """Somebody wants the run to stop."""
        now_s = time.monotonic()
        repeated = now_s - self._last_s < ONE_S
        self._last_s = now_s
        if repeated:  # it may come while the first one's KeyboardInterrupt is being cleaned up after
            return
        self.requested += 1
        if self._raising:
            raise KeyboardInterrupt

    @contextmanager
    def raising(self) -> Iterator[None]:
        """In this block a request, even one that came before, ends what goes on by KeyboardInterrupt."""
        if self.requested:
            raise KeyboardInterrupt
        self._raising = True
        try:
            yield
        finally:
            self._raising = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Takes SIGINT, SIGTERM and, unless nohup has it ignored, SIGHUP; does nothing outside the main thread.

        A shell script's `&` has SIGINT ignored in what it starts; one sent to us by pid is meant all the same.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[int, Any] = {}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._handle)
        try:
            yield
        finally:
            for taken, handler in before.items():
                # Whoever asked is being obeyed: a repeat that comes as we leave must not change the exit code.
                late = time.monotonic() - self._last_s < ONE_S
                signal.signal(taken, signal.SIG_IGN if late and handler is signal.SIG_DFL else handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.request()

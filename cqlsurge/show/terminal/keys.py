"""Single keys from the terminal while a run goes, and the terminal left as it was, whatever happens.

The terminal is in cbreak mode only while this process is in its foreground: Ctrl-C and Ctrl-Z stay signals, and what
stops us (Ctrl-Z) or goes on without us (`bg`) finds it as it was.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import termios
import threading
import tty
from types import FrameType
from typing import Any


class Keys:
    """The keys pressed on a terminal's file descriptor. `start` may be called again after `stop`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before: list[Any] | None = None
        self._handler: Any = None
        self.resumed = False  # set when this process was stopped and goes on; for who draws to see, and to clear

    def start(self) -> None:
        """Asks for keys one by one. Does nothing where this process does not hold the terminal."""
        if self._before is not None or not self._foreground():
            return
        self._before = termios.tcgetattr(self._descriptor)
        atexit.register(self._restore)
        tty.setcbreak(self._descriptor, termios.TCSANOW)
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGTSTP, self._suspend)

    def stop(self) -> None:
        """The terminal as it was."""
        self._restore()
        atexit.unregister(self._restore)
        if self._handler is not None:
            signal.signal(signal.SIGTSTP, self._handler)
            self._handler = None

    def read(self) -> str:
        """The keys pressed since the last call, without waiting."""
        if not self._foreground():
            self._before = None  # whoever holds the terminal now has set it as they want it
            return ""
        self.start()  # back in the foreground
        if not select.select([self._descriptor], [], [], 0)[0]:
            return ""
        try:
            return os.read(self._descriptor, 64).decode("ascii", "ignore")
        except OSError:
            return ""

    def _foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return False

    def _restore(self) -> None:
        if self._before is not None and self._foreground():
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
        self._before = None

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: gives the terminal back, stops, and takes it again when this process goes on."""
        self._restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._suspend)
        self.resumed = True
        self.start()

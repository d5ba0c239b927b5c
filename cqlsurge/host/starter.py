"""Notices that the process which started this one is gone, so that nothing runs on unseen after a `kill -9` of uv."""

from __future__ import annotations

import os
import signal
import threading
import time

EVERY_S = 0.5


def end_with_starter() -> None:
    """Sends SIGTERM to this process once its starter is gone.

    Not where that is meant to happen: under nohup (SIGHUP is ignored), or in a session of its own (setsid, a service).
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN or os.getsid(0) == os.getpid():
        return
    starter = os.getppid()
    threading.Thread(target=_watch, args=(starter,), name="starter watch", daemon=True).start()


def _watch(starter: int) -> None:
    while os.getppid() == starter:
        time.sleep(EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)

"""Threads beside the load. A bug on one ends it alone, and is told in one line by whoever looks after it."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable


class Background(threading.Thread):
    """A thread that ends with the program. `failure`: what it ended by, "" while all is well."""

    def __init__(self, target: Callable[[], None], name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)
        self.failure = ""

    def run(self) -> None:
        """See Thread."""
        try:
            super().run()
        except Exception as error:  # whatever it was, the load goes on
            self.failure = ended_by(self.name, error)

    def take_failure(self) -> str:
        """The failure, the first time that it is asked for after it happened."""
        failure, self.failure = self.failure, ""
        return failure


def ended_by(name: str, error: BaseException) -> str:
    """One line about a thread that a bug ended."""
    *_, last = traceback.walk_tb(error.__traceback__)
    place = f"{os.path.basename(last[0].f_code.co_filename)}:{last[1]}"
    return (
        f"{name!r} ended by a bug, and what it watched is not told any more: {type(error).__name__}: {error} ({place})"
    )

"""Several runs, one after the other, on one database: what `ab` and the ladder are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from cqlsurge.errors import CqlsurgeError
from cqlsurge.results.document import Document
from cqlsurge.results.listener import Listener
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.run import run
from cqlsurge.settings import Settings


class Audience:
    """Whom a series tells how it goes."""

    def line(self, text: str) -> None:
        """A line of text."""

    def listener(self) -> AbstractContextManager[Listener]:
        """Whom a run tells."""
        return nullcontext(Listener())

    def made(self, document: Document) -> None:
        """A run was made, whole or interrupted."""

    def ended(self, document: Document) -> None:
        """A run has ended that was not interrupted."""


class Stages(Listener):
    """Tells what takes a while before the first run, also where runs are not shown as they go."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience

    def stage(self, text: str) -> None:
        """A line."""
        self._audience.line(f"{text} ...")


class Series:
    """See the module's text. `state` is running, done, interrupted, or partial, for which `failure` is the reason."""

    def __init__(self, address: str | None, audience: Audience) -> None:
        self.state = "running"
        self.failure: CqlsurgeError | None = None
        self.audience, self.interrupts = audience, Interrupts()
        self._address, self._shared = address, ""

    def make(self, steps: Callable[[], None], prepare: Callable[[], None] = lambda: None) -> None:
        """Carries out the steps, which call `run`, until all are done, one fails, or somebody interrupts.

        `prepare` comes before there is a database.
        """
        with self.interrupts.installed():
            try:
                prepare()
                with self._database():
                    steps()
                self.state = "done"
            except KeyboardInterrupt:
                self.state = "interrupted"
            except CqlsurgeError as error:
                self.state, self.failure = "partial", error

    def run(self, settings: Settings) -> Document:
        """One run. Raises KeyboardInterrupt when it was interrupted, and what a run raises."""
        with self.audience.listener() as listener:
            document = run(settings, listener, self.interrupts, shared=self._shared)
        self.audience.made(document)
        if document["state"] == "interrupted":
            raise KeyboardInterrupt
        self.audience.ended(document)
        return document

    @contextmanager
    def _database(self) -> Iterator[None]:
        """Where no address is given our own is started for all runs, and stopped in the end."""
        if self._address is not None:
            yield
            return
        from cqlsurge.database.embedded.cluster import start  # a run on an address needs none of its optional packages

        with self.interrupts.raising():
            cluster = start(progress=Stages(self.audience).stage)
        self._shared = str(cluster.address)
        try:
            yield
        finally:
            cluster.stop()

"""Several runs, one after the other, on one database: what `ab` and the ladder share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from cqlsurge.results.document import Document
from cqlsurge.results.listener import Listener
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.run import run
from cqlsurge.settings import Settings


@contextmanager
def one_database(address: str | None, interrupts: Interrupts, stage: Callable[[str], None]) -> Iterator[str]:
    """The address of the database of all runs; without one our own is started first and stopped in the end."""
    if address is not None:
        yield address
        return
    from cqlsurge.database.embedded.cluster import start  # a run on an address needs none of its optional packages

    with interrupts.raising():
        cluster = start(progress=stage)
    try:
        yield str(cluster.address)
    finally:
        cluster.stop()


def run_on(address: str, settings: Settings, listener: Listener, interrupts: Interrupts) -> Document:
    """One run on that database. Where its settings name none, neither does the document: --from starts one again."""
    document = run(replace(settings, address=address), listener, interrupts)
    if settings.address is None:
        document["settings"]["address"] = None
        document["cluster"]["embedded"] = True
    return document

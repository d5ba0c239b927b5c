"""A bug on a thread beside the load: the thread ends, the screen stays clean, and who looks after it is told once."""

from __future__ import annotations

import pytest

from cqlsurge.host.threads import Background
from cqlsurge.runs.topology import TabletWatch
from cqlsurge.runs.watch import ServerWatch


def broken() -> dict[str, dict[str, float]]:
    return {}["tablets"]


def test_it_is_told_once_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    thread = Background(broken, "some watch")
    thread.start()
    thread.join()
    failure = thread.take_failure()
    assert failure.startswith(
        "'some watch' ended by a bug, and what it watched is not told any more: KeyError: 'tablets'"
    )
    assert failure.endswith("(test_threads_beside.py:13)")
    assert thread.take_failure() == ""
    assert capfd.readouterr() == ("", "")


def test_the_watches_are_such(capfd: pytest.CaptureFixture[str]) -> None:
    for watch in (TabletWatch(broken, every_s=0.001), ServerWatch([broken])):
        watch.start()
        watch._thread.join(20)
        assert "KeyError" in watch.take_failure()
    assert capfd.readouterr() == ("", "")

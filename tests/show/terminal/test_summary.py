"""The summary has all its figures, however narrow the terminal."""

from __future__ import annotations

import io
import re

import pytest

from cqlsurge.show.terminal.summary import HEADS, latency_rows, print_summary
from tests.documents import make_document

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("rate", [None, "1k"])
def test_no_figure_is_cut(monkeypatch: pytest.MonkeyPatch, width: int, rate: str | None) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    document = make_document(rate=rate)
    stream = io.StringIO()
    print_summary(document, stream)
    text = ESCAPES.sub("", stream.getvalue())
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    for name, figures in latency_rows(document):
        assert name in text
        for head, figure in zip(HEADS, figures, strict=True):
            if width <= 60:
                assert f"{head} {figure}" in text
            else:
                assert figure in text


def test_wide_ones_have_a_table() -> None:
    stream = io.StringIO()
    print_summary(make_document(), stream)
    (head,) = [line for line in stream.getvalue().splitlines() if "latency" in line]
    assert head.split() == ["latency", *HEADS]


def test_answers_that_were_awaited_are_told() -> None:
    document = make_document()
    document["stragglers"] = {"in_flight": 3, "awaited_s": 10.1, "ok": 2, "failed": 0, "unknown": 1}
    stream = io.StringIO()
    print_summary(document, stream)
    text = " ".join(stream.getvalue().split())
    assert "stragglers 3 in flight when the last operation was issued, awaited for 10 s: 2 ok, 1 unknown" in text
    document["stragglers"]["awaited_s"] = 0.01
    print_summary(document, stream := io.StringIO())
    assert "stragglers" not in stream.getvalue()

"""The ladder on a terminal and as a page, from a drawn document: what it says, and that it fits."""

from __future__ import annotations

import io
import re

import pytest
from documents import make_ladder

from cqlsurge.results.techniques import RUNGS
from cqlsurge.show.report.ladder_page import markdown, render
from cqlsurge.show.terminal.ladder_table import explain, print_ladder
from tests.show.report.test_page import parsed


def printed(state: str = "done", ended: str = "") -> str:
    out = io.StringIO()
    print_ladder(make_ladder(state, ended=ended), out)
    return out.getvalue()


def test_it_fits_80_columns_and_says_all() -> None:
    text = printed()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "…" not in text, "nothing is cut off"
    flat = " ".join(text.split())
    for words in (
        "wire 41.0 K 8.04 (7.6", "5.05 30.0", "window-pypy cannot run here: no PyPy <here>", "one-at-a-time aside",
        "does not count: round 2 of 4: load process 0 (pid 7) is lost", "docs/best-practices.md#", "--explain RUNG",
        "wire against batch: 8.04 (", "times less CPU for each", "400 K operations",
    ):  # fmt: skip
        assert words in flat, (words, flat)


@pytest.mark.parametrize(
    ("state", "says"), [("interrupted", "INTERRUPTED: the figures"), ("partial", "ENDED EARLY: nothing answers")]
)
def test_an_early_end_is_said_above_the_table(state: str, says: str) -> None:
    assert says in printed(state, "nothing answers")


def test_the_page_has_charts_code_and_reasons() -> None:
    page = render(make_ladder())
    text = "".join(parsed(page).text)
    for words in (
        "Operations per second", "Client CPU per operation", "execute_concurrent_with_args", "no PyPy <here>", "8.04 (",
        "killed by SIGKILL", "cqlsurge run 127.0.0.1", "loader<1>",
    ):  # fmt: skip
        assert words in text, words
    assert page.count("<circle") == 6
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?://|@import|url\(", page)
    assert "| wire | 41.0 K | 8.04 (" in markdown(make_ladder())


def test_a_rung_explains_itself() -> None:
    for rung in RUNGS.values():
        text = explain(rung)
        assert rung.code in text
        assert rung.why in text

"""Reports of drawn documents: what stands in the page, its size, and what headless Chromium makes of its script.

How: documents come from the product's own parts (documents.py); the page is parsed with html.parser and loaded in a
real browser where there is one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from documents import NODES, make_document

from cqlsurge.errors import UsageError
from cqlsurge.results.timeline import LIMIT
from cqlsurge.show.report.page import MARK, RUNS_LIMIT, render
from cqlsurge.show.report.run import Run
from cqlsurge.show.report.tables import Table

VOID = {"meta", "br", "link", "img", "input"}
CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Balance(HTMLParser):
    """Checks that elements are closed in order, ids are unique, and what labels refer to is there."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.referred: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(attrs)

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "aria-labelledby":
                self.referred += (value or "").split()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(page: str) -> Balance:
    balance = Balance()
    balance.feed(page)
    balance.close()
    assert balance.open == []
    assert len(balance.ids) == len(set(balance.ids))
    assert set(balance.referred) <= set(balance.ids)
    return balance


def test_a_page_says_what_ran_how_fast_and_how_to_repeat_it() -> None:
    page = render([make_document(errors=50)], ["run.json"])
    text = "".join(parsed(page).text)
    for words in (
        "run.json", "1.00 K ops/s", "ScyllaDB 2026.1", "Bound by", "Throughput over time",
        "Latency over time (service)",
        "Heat map", "99.999 %", "client_timeout", "node down 127.0.0.2", "127.0.0.3 / 1", "loader<1>",
        "cqlsurge run 127.0.0.1 --seed 1 --concurrency 16", "no <answer> & no end", "warm-up",
    ):  # fmt: skip
        assert words in text, words


def test_a_page_needs_nothing_from_outside() -> None:
    page = render([make_document()], ["run.json"])
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?://|@import|url\(", page)
    assert MARK in page[:300]


def test_names_cannot_break_out_of_the_page() -> None:
    name = '</script><script>alert(1)</script>"><img src=x>'
    page = render([make_document(), make_document()], [name, name])
    parsed(page)
    assert "<script>alert" not in page
    assert "<img" not in page


def test_several_runs_lie_over_each_other_with_their_comparison() -> None:
    documents = [make_document(seed=seed, seconds=20 + seed) for seed in range(3)]
    hook = (
        "b compared with a",
        Table(["figure", "change", "in words"], [["p99", "+3 %", "slower"]], words=2),
        ["note"],
    )
    page = render(documents, ["a", "b", "c"], [hook])
    text = "".join(parsed(page).text)
    for words in ("A a", "B b", "C c", "A p99", "C throughput", "B response", "b compared with a", "slower"):
        assert words in text, words
    assert page.count('class="heat"') == 3


def test_a_rate_that_was_asked_for_lies_beside_what_came() -> None:
    asked = make_document(rate="500")
    assert [round(rate) for _, rate in Run(asked, "x").asked] == [500] * 20
    assert "throughput asked for" in render([asked], ["x"])
    asked["events"].append({"t_s": 3.0, "event": "paused", "rate_factor": 0.0})
    assert Run(asked, "x").asked == [], "nobody knows it then"
    assert Run(make_document(), "x").asked == []


def test_too_many_runs_are_refused() -> None:
    with pytest.raises(UsageError, match="8 at most"):
        render([make_document(2)] * (RUNS_LIMIT + 1), ["x"] * (RUNS_LIMIT + 1))


def test_long_runs_make_a_bounded_page() -> None:
    document = make_document(seconds=60)
    rows = document["timeline"]
    document["timeline"] = [{**rows[at % 60], "t_s": at + 1} for at in range(LIMIT)]
    assert len(render([document], ["long"])) < 400_000
    assert len(render([document] * RUNS_LIMIT, ["long"] * RUNS_LIMIT)) < 3_000_000


def test_a_run_that_measured_nothing_has_a_page() -> None:
    document = make_document(2)
    document.update(timeline=[], histograms={}, latency_us={}, targets=[], workers=[], state="interrupted")
    text = "".join(parsed(render([document], ["nothing"])).text)
    assert "interrupted" in text
    assert "Throughput over time" not in text


def test_in_a_browser_arrow_keys_tell_values(tmp_path: Path) -> None:
    """The title is set from what the script says aloud after two keys; errors of scripts would leave it as it was."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium")
    probe = """<script>
      const chart = document.querySelector("svg.chart");
      for (const key of ["ArrowRight", "ArrowRight"]) chart.dispatchEvent(new KeyboardEvent("keydown", {key}));
      document.title = "said: " + document.getElementById("said").textContent;
    </script></body>"""
    page = render([make_document()], ["run.json"]).replace("</body>", probe)
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [chromium, *CHROMIUM, f"--user-data-dir={tmp_path}/profile", "--dump-dom", path.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "said: 3.0 s\nthroughput  1.00 K" in dom
    assert NODES[2] in dom

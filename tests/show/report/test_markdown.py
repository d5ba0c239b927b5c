"""Markdown summaries of drawn documents (documents.py): what stands in them, and that cells stay cells."""

from __future__ import annotations

from documents import make_document

from cqlsurge.results.command import command_of
from cqlsurge.settings import Settings
from cqlsurge.show.report.markdown import MARK, markdown
from cqlsurge.show.report.page import render


def test_one_run() -> None:
    text = markdown([make_document(errors=3)], ["run.json"])
    assert text.startswith(MARK)
    for words in ("throughput **1.00 K ops/s**", "Bound by **", "| write service | 20,000 |", "--seed 1"):
        assert words in text, words


def test_several_runs_have_a_table_of_all_and_bars_do_not_break_it() -> None:
    text = markdown([make_document(), make_document(seed=2)], ["a|b", "c"])
    assert "### a\\|b" in text
    assert "| a\\|b | service | 1.00 K ops/s |" in text


def test_the_command_has_what_differs_from_the_defaults() -> None:
    settings = Settings.from_json(
        {"mode": "mixed", "address": "h", "duration": 90.0, "compression": False, "truncate": True, "verify": "",
         "json": "x.json", "quiet": True, "populate": False, "read_ratio": 0.25, "create_with": "gc_grace_seconds = 1"}
    )  # fmt: skip
    assert command_of(settings.to_json()) == (
        "cqlsurge run h --mode mixed --duration 90 --read-ratio 0.25 --no-populate --seed 1 --verify "
        "--create-with 'gc_grace_seconds = 1' --truncate --no-compression"
    )


def test_hosts_have_a_table_in_both_reports() -> None:
    document = make_document()
    host = {
        "host": "10.0.0.1", "operations": {"ok": 1200}, "throughput_ops_s": 60.0, "busy_share": 0.5,
        "use": {"steal_share": 0.04}, "cpu_us_per_op": 5.0, "clock_offset_ms": 1.5, "clock_error_ms": 0.2, "lost": None,
    }  # fmt: skip
    document["hosts"] = [host, {**host, "host": "10.0.0.2", "use": {}, "lost": "its Dask worker was closed"}]
    said = markdown([document], ["one"])
    assert "| 10.0.0.1 | 1,200 | 60 |  | 50% | 4.0% | 5.00 us | 1.50 +- 0.20 ms |  |" in said
    assert "its Dask worker was closed" in said
    assert "The hosts that loaded" in render([document], ["one"])

"""The live screen as text: what it says, that it fits the terminal, and the parts that it is made of."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from cqlsurge.results.listener import Progress, WorkerProgress
from cqlsurge.show.terminal.progress import LiveDisplay, PlainDisplay, make_display, progress_text
from cqlsurge.show.terminal.screen import WIDEST, Scene, draw, left_s, share_done
from cqlsurge.show.terminal.spark import columns, gauge, spark

VERDICT = {
    "bound_by": "server", "sure": False, "advice": "",
    "reasons": [{"code": "x", "saw": "half of the answers took 5 ms", "may_mean": "a queue", "do": ""}],
}  # fmt: skip


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"t_s": t_s, "span_s": 1.0, "ok": 100 * t_s, "errors": 0, "p50_us": 100.0, "p99_us": 900.0, "p99_9_us": 2e3}
        for t_s in range(1, count + 1)
    ]


def progress(*, workers: int | list[WorkerProgress] = 2, nodes: int = 3, **more: Any) -> Progress:
    common: dict[str, Any] = {
        "phase": "measure", "elapsed_s": 30.0, "done": 30_000, "total": 120_000, "duration_s": None,
        "rate_ops_s": 1000.0, "recent": rows(30), "in_flight": 64,
        "workers": [WorkerProgress(500.0 + at, 0.5) for at in range(workers)] if isinstance(workers, int) else workers,
        "node_rates_ops_s": {f"127.0.0.{at}": 300.0 for at in range(1, nodes + 1)},
    }  # fmt: skip
    return Progress(**{**common, **more})


def text(scene: Scene, width: int = 80, height: int = 23) -> str:
    return "\n".join(line.plain for line in draw(scene, width, height))


@pytest.mark.parametrize(("width", "height"), [(80, 23), (60, 20), (200, 49), (20, 5)])
@pytest.mark.parametrize("many", [1, 3, 64])
def test_it_fits_the_terminal(width: int, height: int, many: int) -> None:
    shown = progress(workers=many, nodes=many, errors=5, error_classes={"client_timeout": 5}, recent=rows(600))
    lines = draw(Scene(("a" * 300,), shown, VERDICT, keys=True), width, height)
    assert len(lines) <= height
    assert max(line.cell_len for line in lines) <= min(width, WIDEST)


def test_all_is_there_at_80_by_24() -> None:
    shown = progress(rate_factor=1.1, backlog=7, errors=3, error_classes={"overloaded": 3})
    said = text(Scene(("cluster", "engine"), shown, VERDICT, keys=True))
    for words in (
        "cluster", "engine", "25%", "30.0 K of 120 K operations", "left", "1.00 K ops/s", "p99.9", "overloaded 3",
        "64 in flight, 7 due and waiting, rate at 110% of what was asked", "CPU 1.00 of 2 cores", "127.0.0.3",
        "server (likely, not certain), so far", "half of the answers", "q stop", "p pause",
    ):  # fmt: skip
        assert words in said, words


def test_many_processes_become_one_line_and_a_tall_terminal_shows_them() -> None:
    scene = Scene((), progress(workers=12, nodes=12))
    assert "500 to 511" in text(scene)
    assert "500 to 511" not in text(scene, 80, 60)
    assert "127.0.0.12" in text(scene, 80, 60)


def test_pauses_and_losses_are_told() -> None:
    shown = progress(rate_factor=0.0)
    shown.workers[1].lost = True
    said = text(Scene((), shown, keys=True))
    for words in ("PAUSED", "1 LOST", "p go on"):
        assert words in said


def test_how_far_and_how_long_still() -> None:
    assert share_done(progress()) == 0.25
    assert left_s(progress()) == 90.0
    assert share_done(progress(total=None, duration_s=50.0, warmup_s=10.0)) == 0.5
    assert left_s(progress(total=None)) is None


def test_sparks_and_gauges() -> None:
    assert spark([0, 1, 4, 8]) == "▁▂▅█"
    assert spark([0, 8], plain=True) == "_#"
    assert spark([0, 0]) == "▁▁"
    assert gauge(0.5, 4, plain=True) == "##--"


@pytest.mark.parametrize("count", [1, 9, 10, 11, 99, 600])
def test_columns_hold_the_worst_and_do_not_flicker(count: int) -> None:
    seconds, (rates, errors) = columns(rows(count), 10, "ops_s", "errors")
    assert len(rates) == len(errors) <= 10
    assert rates[-1] <= 100 * count
    again, (later,) = columns(rows(count + 1), 10, "ops_s")
    if again == seconds:
        assert set(rates[1:-1]) <= set(later), "a column that is full stays as it is"


def test_plain_lines_for_pipes() -> None:
    out = io.StringIO()
    display = make_display(out, quiet=False)
    assert isinstance(display, PlainDisplay)
    with display:
        display.progress(progress())
        display.progress(progress())
    assert out.getvalue().splitlines() == [progress_text(progress())], "not more than one in a few seconds"
    assert "ETA 1:30" in out.getvalue()


def test_a_terminal_is_redrawn_at_most_twice_a_second() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24)
    with LiveDisplay(out, console, None) as display:
        display.progress(progress())
        drawn = len(out.getvalue())
        for _ in range(50):
            display.progress(progress())
            display.wishes()
        assert len(out.getvalue()) == drawn


def test_hosts_stand_for_their_processes() -> None:
    workers = [WorkerProgress(500.0, 0.5), WorkerProgress(700.0, 0.7), WorkerProgress(0.0, 0.0, lost=True)]
    said = text(Scene((), progress(workers=workers, hosts=[("10.0.0.1", [0, 1]), ("10.0.0.2", [2])])))
    assert "hosts" in said
    assert "1.20 K" in said
    assert "60% CPU" in said
    assert "10.0.0.2 lost" in said

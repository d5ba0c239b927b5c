"""How rates are written.

How: each form is read and its rate asked for at chosen times; each kind of mistake must give one line that names it and
shows an example; shapes go through JSON and back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cqlsurge.load.pacing.notation import EXAMPLES, HELP, parse
from cqlsurge.load.pacing.shapes import Shape

if TYPE_CHECKING:
    from pathlib import Path

S = 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50k", {0: 50_000, 10**7: 50_000}),
        ("2_500/s", {1: 2500}),
        ("0.5", {9: 0.5}),
        ("step:10k,20k,30k@10s", {0: 10_000, 9.999: 10_000, 10: 20_000, 20: 30_000, 1000: 30_000}),
        ("step:10k,0@500ms", {0.499: 10_000, 0.5: 0, 3600: 0}),
        ("ramp:1k..100k@60s", {0: 1000, 30: 50_500, 60: 100_000, 61: 100_000}),
        ("ramp:100k..0@1m", {0: 100_000, 15: 75_000, 60: 0}),
        ("sine:50k+-20k@30s", {0: 50_000, 7.5: 70_000, 15: 50_000, 22.5: 30_000, 3000: 50_000}),
        ("sine:50k±50k@1h", {2700: 0}),
        ("spike:10k..80k@5s/60s", {0: 10_000, 54.999: 10_000, 55: 80_000, 59.999: 80_000, 60: 10_000, 6055: 80_000}),
    ],
)
def test_rate_over_time(text: str, expected: dict[float, float]) -> None:
    shape = parse(text)
    assert shape.text == text
    for shape_ in (shape, Shape.from_json(json.loads(json.dumps(shape.to_json())))):
        assert {t: shape_.rate_at(int(t * S)) for t in expected} == pytest.approx(expected, abs=1e-3)


def test_sine_follows_the_sine() -> None:
    from math import pi, sin

    shape = parse("sine:50k+-20k@30s")
    for i in range(3000):
        assert shape.rate_at(i * S // 50) == pytest.approx(50_000 + 20_000 * sin(2 * pi * i / 1500), abs=2.5)


def test_trace(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("time_s,rate\n# morning\n1,1k\n\n2.5, 2000\n10,0.5\n")
    shape = parse(f"trace:{file}")
    file.unlink()  # the plan carries the points
    shape = Shape.from_json(json.loads(json.dumps(shape.to_json())))
    assert [shape.rate_at(int(t * S)) for t in (0, 0.999, 1, 2.499, 2.5, 9.9, 10, 99)] == [
        0, 0, 1000, 1000, 2000, 2000, 0.5, 0.5,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("time_s,rate\n", "0 lines"),
        ("0,1k\n0,2k\n", "line 2 .* not after"),
        ("5,1k\n4,2k\n", "line 2 .* not after"),
        ("0,1k\n1\n", "line 2 .* not time_s,rate"),
        ("0,1k\n1,many\n", "line 2 .* 'many' is no rate"),
        ("0,0\n5,0\n", "no operation at all"),
    ],
)
def test_broken_traces_are_named(tmp_path: Path, content: str, fault: str) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(content)
    with pytest.raises(ValueError, match=fault):
        parse(f"trace:{file}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "'' is no rate"),
        ("fast", "'fast' is no rate"),
        ("-5", "'-5' is no rate"),
        ("0", "no operation at all"),
        ("200M", "more than 100M"),
        ("10x", "'10x' is no rate"),
        ("saw:1..2@3s", "no shape is called 'saw'"),
        ("step:10k,20k", "'@'"),
        ("step:10k,,20k@1s", "'' is no rate"),
        ("step:10k@0s", "not between 1ms and 366d"),
        ("step:10k@3 weeks", "'3 weeks' is no time"),
        ("ramp:1k-100k@60s", r"'\.\.'"),
        ("ramp:0..0@60s", "no operation at all"),
        ("sine:50k@30s", "'\\+-'"),
        ("sine:10k+-20k@30s", "swing"),
        ("spike:10k..80k@5s", "'/'"),
        ("spike:10k..80k@60s/60s", "not shorter"),
        ("trace:/nowhere.csv", "/nowhere.csv cannot be read"),
    ],
)
def test_mistakes_are_named_with_an_example(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as caught:
        parse(text)
    line = str(caught.value)
    assert "\n" not in line
    assert any(example in line for example in ("50k", *EXAMPLES.values()))


def test_the_help_shows_each_shape() -> None:
    assert all(f"{kind}:" in HELP for kind in EXAMPLES)
    for example in EXAMPLES.values():
        if not example.startswith("trace"):
            parse(example)

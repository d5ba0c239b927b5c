"""How an asked rate is written: `--rate` and its shapes.

    50k                        one rate
    step:10k,20k,30k@10s       each rate for 10 s, then the last one on
    ramp:1k..100k@60s          straight from one rate to the other in 60 s, then that one on
    sine:50k+-20k@30s          50k plus and minus up to 20k, every 30 s
    spike:10k..80k@5s/60s      10k, and for the last 5 s of every 60 s 80k
    trace:FILE.csv             lines of time_s,rate: each rate from its time on, 0 before the first

Rates are operations per second of all processes together. A step, ramp or trace whose last rate is 0 ends the schedule.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import pi, sin
from pathlib import Path

from .shapes import MAX_RATE, RATE_SCALE, Segment, Shape

HELP = (
    "asked operations per second in total: 50k, step:10k,20k@10s, ramp:1k..100k@60s, sine:50k+-20k@30s,"
    " spike:10k..80k@5s/60s (5 s of every 60 s) or trace:FILE.csv (lines of time_s,rate);"
    " step, ramp and trace go on with their last rate, and end where it is 0"
)
EXAMPLES = {
    "step": "step:10k,20k,30k@10s",
    "ramp": "ramp:1k..100k@60s",
    "sine": "sine:50k+-20k@30s",
    "spike": "spike:10k..80k@5s/60s",
    "trace": "trace:FILE.csv",
}
FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
NS_PER = {"": 10**9, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
NUMBER = re.compile(r"\s*(\d[\d_]*(?:\.\d+)?)\s*([a-z]*)(?:/s)?\s*\Z", re.IGNORECASE)
SINE_SEGMENTS = 240  # straight lines a period: within 0.01 % of the amplitude
MAX_POINTS = 100_000
MAX_LENGTH_NS = 366 * 86400 * 10**9


def parse(text: str) -> Shape:
    """The shape of a `--rate`. Raises ValueError, one line that says what is wrong and gives an example."""
    kind, colon, body = text.strip().partition(":")
    if not colon:
        example, read = "50k", _constant
        body = kind
    elif kind in EXAMPLES:
        example, read = EXAMPLES[kind], SHAPES[kind]
    else:
        raise ValueError(f"rate {text!r}: no shape is called {kind!r}; there are {', '.join(EXAMPLES)}, or plain 50k")
    try:
        segments, final_rate = read(body)
        return Shape(text.strip(), segments, final_rate)
    except ValueError as error:
        raise ValueError(f"rate {text!r}: {error}; for example {example}") from None


def _constant(body: str) -> tuple[list[Segment], int | None]:
    return [], _rate(body)


def _step(body: str) -> tuple[list[Segment], int | None]:
    rates, length = _split(body, "@")
    steps = [_rate(each) for each in rates.split(",")]
    return [Segment(_length(length), each, each) for each in steps], steps[-1]


def _ramp(body: str) -> tuple[list[Segment], int | None]:
    rates, length = _split(body, "@")
    first, last = (_rate(each) for each in _split(rates, ".."))
    return [Segment(_length(length), first, last)], last


def _sine(body: str) -> tuple[list[Segment], int | None]:
    rates, length = _split(body.replace("±", "+-"), "@")
    middle, swing = (_rate(each) for each in _split(rates, "+-"))
    period = _length(length)
    if swing > middle:
        raise ValueError("the swing is larger than the middle rate")
    rate = [middle + round(swing * sin(2 * pi * i / SINE_SEGMENTS)) for i in range(SINE_SEGMENTS + 1)]
    edge = [period * i // SINE_SEGMENTS for i in range(SINE_SEGMENTS + 1)]
    return [Segment(edge[i + 1] - edge[i], rate[i], rate[i + 1]) for i in range(SINE_SEGMENTS)], None


def _spike(body: str) -> tuple[list[Segment], int | None]:
    rates, lengths = _split(body, "@")
    base, top = (_rate(each) for each in _split(rates, ".."))
    spike, period = (_length(each) for each in _split(lengths, "/"))
    if spike >= period:
        raise ValueError("the spike is not shorter than its period")
    return [Segment(period - spike, base, base), Segment(spike, top, top)], None


def _trace(body: str) -> tuple[list[Segment], int | None]:
    try:
        lines = Path(body).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise ValueError(f"{body} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})") from None
    points = [(0, 0)]
    for number, line in enumerate(lines, 1):
        fields = line.strip().split(",")
        if not line.strip() or line.startswith("#") or (number == 1 and not fields[0].strip()[:1].isdigit()):
            continue  # blank, a comment or the names of the columns
        try:
            time, rate = fields
            points.append((_length(time, lowest=0), _rate(rate)))
        except ValueError as error:
            raise ValueError(f"line {number} of {body} is not time_s,rate: {error}") from None
        if points[-1][0] <= points[-2][0] and len(points) > 2:
            raise ValueError(f"line {number} of {body}: its time is not after the one before")
    if not 2 <= len(points) <= MAX_POINTS + 1:
        raise ValueError(f"{body} has {len(points) - 1} lines of time_s,rate, not 1 to {MAX_POINTS}")
    segments = [
        Segment(points[i + 1][0] - points[i][0], points[i][1], points[i][1])
        for i in range(len(points) - 1)
        if points[i + 1][0] > points[i][0]
    ]
    return segments, points[-1][1]


SHAPES = {"step": _step, "ramp": _ramp, "sine": _sine, "spike": _spike, "trace": _trace}


def _split(text: str, mark: str) -> list[str]:
    parts = text.split(mark)
    if len(parts) != 2:
        raise ValueError(f"{text!r} is not two parts with {mark!r} between")
    return parts


def _scaled(text: str, units: dict[str, int], what: str) -> Decimal:
    match = NUMBER.match(text)
    if match is None or match.group(2).lower() not in units:
        raise ValueError(f"{text!r} is no {what}")
    return Decimal(match.group(1).replace("_", "")) * units[match.group(2).lower()]


def _rate(text: str) -> int:
    rate = int(_scaled(text, FACTORS, "rate") * RATE_SCALE)
    if rate > MAX_RATE:
        raise ValueError(f"{text!r} is more than {MAX_RATE // RATE_SCALE // 10**6}M a second")
    return rate


def _length(text: str, lowest: int = 10**6) -> int:
    length_ns = int(_scaled(text, NS_PER, "time"))
    if not lowest <= length_ns <= MAX_LENGTH_NS:
        raise ValueError(f"{text!r} is not between 1ms and 366d")
    return length_ns

"""Numbers as people write them: 1M, 1_000, 2.5k, 500ms, 1 GiB; and back."""

from __future__ import annotations

import re
from typing import NamedTuple

_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "t": 1_000_000_000_000}
_SIZES = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}
_TIMES_S = {"": 1.0, "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = re.compile(r"\s*([0-9][0-9_]*(?:\.[0-9_]+)?|\.[0-9]+)\s*([A-Za-z]*)\s*\Z")


def _split(text: str, factors: dict[str, float] | dict[str, int], example: str) -> float:
    match = _NUMBER.match(text)
    unit = match.group(2).lower() if match else ""
    if match is None or unit not in factors:
        raise ValueError(f"{text!r} is not understood: write it as {example}")
    return float(match.group(1).replace("_", "")) * factors[unit]


def parse_count(text: str) -> int:
    """A whole number with `_`, k, M, G: `1_000`, `50k`, `2.5M`. Raises ValueError."""
    if re.fullmatch(r"\s*[0-9][0-9_]*\s*", text):
        return int(text.replace("_", ""))
    value = _split(text, _FACTORS, "1000, 1_000, 50k, 2.5M or 1G")
    if value != int(value):
        raise ValueError(f"{text!r} is not a whole number")
    return int(value)


def positive_count(text: str) -> int:
    """A count of 1 or more. Raises ValueError."""
    number = parse_count(text)
    if number < 1:
        raise ValueError(f"{number} is not 1 or more")
    return number


def parse_size(text: str) -> int:
    """Bytes: `1_000`, `64k`, `1MiB`. Raises ValueError."""
    trimmed = text.strip()
    trimmed = trimmed[:-1] if trimmed[-1:] in {"b", "B"} else trimmed
    return int(_split(trimmed, _SIZES, "1000, 64k or 1MiB"))


def parse_duration_s(text: str) -> float:
    """Seconds: `10`, `500ms`, `1.5h`, `2m`. Raises ValueError."""
    return _split(text, _TIMES_S, "10, 500ms, 2m or 1.5h")


def positive_s(text: str) -> float:
    """A duration above zero, in seconds. Raises ValueError."""
    value_s = parse_duration_s(text)
    if value_s <= 0:
        raise ValueError(f"{text!r} is not longer than 0")
    return value_s


def parse_share(text: str) -> float:
    """A share from 0 to 1: `0.5` or `50%`. Raises ValueError."""
    trimmed = text.strip()
    try:
        share = float(trimmed[:-1]) / 100 if trimmed.endswith("%") else float(trimmed)
    except ValueError:
        raise ValueError(f"{text!r} is not a share: write it as 0.5 or 50%") from None
    if not 0 <= share <= 1:
        raise ValueError(f"{text!r} is not between 0 and 1")
    return share


class Goal(NamedTuple):
    """How well a figure shall be known: a percentile (0-100) and the half width of its interval, as a share of it."""

    percentile: float
    share: float


_GOAL = re.compile(r"p(\d+(?:[._]\d+)?)\s*(?:\+-|\+/-|±)\s*(\d+(?:\.\d+)?)\s*%\Z")


def parse_goal(text: str) -> Goal:
    """`p99 +- 2%`, `p99.9 +- 5%`. Raises ValueError with the form."""
    found = _GOAL.match(text.strip())
    goal = Goal(float(found[1].replace("_", ".")), float(found[2]) / 100) if found else None
    if goal is None or not 0 < goal.percentile < 100 or not 0 < goal.share < 1:
        raise ValueError(f'{text!r} is no percentile and share: write "p99 +- 2%"')
    return goal


def three_digits(value: float) -> str:
    """A number with three significant digits: 0.96, 1.20, 12.3, 950."""
    if abs(value) >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"


def show_count(value: float) -> str:
    """A count, or a rate, for people: 0.50, 950, 12.3 K, 1.20 M."""
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " K")):
        if abs(value) >= factor * 0.9995:
            return three_digits(value / factor) + unit
    if value != int(value) and abs(value) < 9.95:
        return f"{value:.2f}" if abs(value) < 0.995 else f"{value:.1f}"
    return f"{value:.0f}"


def show_us(value_us: float) -> str:
    """A latency for people: 85.0 us, 1.23 ms, 2.50 s."""
    if value_us >= 999_500:
        return f"{three_digits(value_us / 1e6)} s"
    if value_us >= 999.5:
        return f"{three_digits(value_us / 1e3)} ms"
    return f"{three_digits(value_us)} us"


def show_s(value_s: float) -> str:
    """A time for people: 0.4 s, 12 s, 3:05, 1:02:03."""
    if value_s < 60:
        return f"{value_s:.1f} s" if value_s < 10 else f"{value_s:.0f} s"
    minutes, seconds = divmod(round(value_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

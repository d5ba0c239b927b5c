"""Values of parameters as people write them; the type of each follows its default."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cqlsurge.units import parse_size

_COUNT = re.compile(r"(-?[0-9][0-9_]*)(?:([kMG])|\.([0-9]+)([kMG]))?\Z")
_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_TIMES_S = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|min|m|h|d|w)\Z")
_SIZE = re.compile(r"[0-9.]+ ?([kKMG]i?B|B)\Z")
_FLOAT = re.compile(r"-?[0-9][0-9_]*\.[0-9]+(?:e-?[0-9]+)?\Z|-?[0-9]+e-?[0-9]+\Z")
_SHARE = re.compile(r"[0-9]+(?:\.[0-9]+)?%\Z")


@dataclass(frozen=True)
class Range:
    """`low..high`, both belong to it."""

    low: Any
    high: Any

    def __str__(self) -> str:
        return f"{self.low}..{self.high}"


def count_of(text: str) -> int | None:
    """10, 1_000, 10k, 1.5M; None for anything else."""
    found = _COUNT.match(text)
    if found is None:
        return None
    whole, unit, digits, fraction_unit = found.groups()
    number = int(whole.replace("_", ""))
    if not digits:
        return number * _FACTORS[unit or ""]
    value = float(f"{number}.{digits}") * _FACTORS[fraction_unit]
    return int(value) if value == int(value) else None


def duration_s(text: str) -> float | None:
    """500ms, 30s, 5m, 2h, 30d, in seconds; None for anything else."""
    found = _DURATION.match(text)
    return float(found[1]) * _TIMES_S[found[2]] if found else None


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, Range):
        return "a range such as 1..8"
    kinds = {bool: "true or false", int: "a number such as 10k", float: "a number", list: "a list"}
    return kinds.get(type(value), "a text")


def value_of(text: str) -> Any:
    """What a text means by itself: a count, a size, a duration (seconds), a share, a range, a number, else the text."""
    trimmed = text.strip()
    count = count_of(trimmed)
    if count is not None:
        return count
    if _FLOAT.match(trimmed):
        return float(trimmed.replace("_", ""))
    if _SHARE.match(trimmed):
        return float(trimmed[:-1]) / 100
    if _SIZE.match(trimmed):
        return parse_size(trimmed)
    seconds = duration_s(trimmed)
    if seconds is not None:
        return int(seconds) if seconds == int(seconds) else seconds
    if ".." in trimmed:
        low, _, high = trimmed.partition("..")
        ends = [value_of(low), value_of(high)]
        if all(isinstance(end, (int, float)) for end in ends):
            return Range(*ends)
    return {"true": True, "false": False}.get(trimmed, text)


def like_default(text: str, default: Any) -> Any:
    """The value that `-p name=text` gives, of the default's type. Raises ValueError."""
    if isinstance(default, list):
        return [value_of(part) for part in text.split(",")]
    if isinstance(default, str):
        return text
    value = value_of(text)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, Range) and isinstance(value, int):
        return Range(value, value)
    if isinstance(default, int) and isinstance(value, float) and not isinstance(default, bool):
        return value
    if type(value) is not type(default):
        raise ValueError(f"{text!r} is not {kind_of(default)}")
    return value

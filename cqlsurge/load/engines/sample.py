"""Which operations --verify-share checks: the same of all numbers on every engine, in whatever order they come."""

from __future__ import annotations

from typing import Any

#: `below` of ALL numbers are checked
ALL = 1 << 16


def below_of(share: float) -> int:
    """How many of ALL numbers a share is."""
    return int(share * ALL)


def checked(number: Any, below: int) -> Any:
    """Whether an operation is in the sample; of an array of numbers, which of them are."""
    return (number * 40503 ^ number >> 16) & (ALL - 1) < below

"""Reading HdrHistogram interval logs in our layout, which the product only writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cqlsurge.load.latency.hdr import decode


class Interval(NamedTuple):
    """One line of a log. `start_s` counts from the log's start; `max_ms` is as written (rounded to 1 us)."""

    tag: str
    start_s: float
    length_s: float
    max_ms: float
    counts: list[int]


def read_log(lines: Iterable[str]) -> Iterator[Interval]:
    """The intervals of a log in our layout; untagged ones have the tag "". ValueError names a line that is broken."""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text[0] in '#"':
            continue
        tag = ""
        try:
            if text.startswith("Tag="):
                tag, text = text[4:].split(",", 1)
            start, length, highest, histogram = text.split(",")
            yield Interval(tag, float(start), float(length), float(highest), decode(histogram))
        except ValueError as error:
            raise ValueError(f"line {number} of the histogram log: {error}") from error

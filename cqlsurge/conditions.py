"""Conditions on figures of a result: `p99 < 10ms`, `read.p99 < 10ms`, `errors < 0.1%`, `newest.hit_rate > 99%`.

A figure is one of a statement, or of all of them where none is named: percentiles, `mean` and `max` of the headline
latency (or of `wait`, `service`, `response`: `read.service.p99`), `throughput` (ok per second), `rows`, `ok`,
`failed`, `unknown`, `errors` (failed and unknown), `applied`, `not_applied`, `hit_rate`. With % a count is its share:
of errors among all that ended, of `applied` among conditional writes answered.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

from cqlsurge.units import parse_count, parse_duration_s, parse_share

EXAMPLE = '"read.p99 < 10ms", "errors < 0.1%", "throughput > 50k"'
LATENCIES = ("wait", "service", "response")
COUNTS = ("ok", "failed", "unknown", "errors", "rows", "applied", "not_applied")
SHARES = ("hit_rate",)
RATES = ("throughput",)
COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}
_FORM = re.compile(r"\s*(?P<figure>[^<>=\s]+)\s*(?P<comparison><=|>=|<|>|=)\s*(?P<value>\S.*?)\s*\Z")
_LATENCY = re.compile(r"(?:p\d{1,2}(?:[._]\d+)?|mean|max)\Z")
#: dots in a percentile are none between names
_NAMES = re.compile(r"\.(?!\d+\Z)")


@dataclass(frozen=True)
class Condition:
    """`statement`: "" for all; `latency`: "" for the headline's; `value`: microseconds, a count, a rate, or, with
    `share`, a share from 0 to 1."""

    text: str
    statement: str
    latency: str
    figure: str
    comparison: str
    value: float
    share: bool = False

    def holds(self, found: float) -> bool:
        """Whether the figure that was found is as it should be."""
        holds: bool = COMPARISONS[self.comparison](found, self.value)
        return holds

    @property
    def percentile(self) -> float:
        """Of a latency given as one, from 0 to 100."""
        return float(self.figure[1:].replace("_", "."))

    @property
    def of_latency(self) -> bool:
        """Whether it is about a latency."""
        return bool(_LATENCY.match(self.figure))


def parse_condition(text: str) -> Condition:
    """One condition. Raises ValueError with the form."""
    found = _FORM.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no condition: write it as {EXAMPLE}")
    return condition(found["figure"], found["comparison"], found["value"], text.strip())


def condition(name: str, comparison: str, value: str, text: str = "") -> Condition:
    """A condition from its parts: `read.p99`, `<`, `10ms`. Raises ValueError."""
    text = text or f"{name} {comparison} {value}"
    parts = _NAMES.split(name)
    figure = parts.pop()
    latency = parts.pop() if parts and parts[-1] in LATENCIES else ""
    statement = ".".join(parts)
    statement = "" if statement == "all" else statement
    try:
        if _LATENCY.match(figure):
            if figure[0] == "p" and not 0 < float(figure[1:].replace("_", ".")) < 100:
                raise ValueError("a percentile is above 0 and below 100")
            if value.strip()[-1:].isdigit():
                raise ValueError("give the limit with its unit, as in 10ms")
            return Condition(text, statement, latency, figure, comparison, parse_duration_s(value) * 1e6)
        if latency or figure not in (*COUNTS, *SHARES, *RATES):
            known = ", ".join(("p99", "mean", "max", *RATES, *COUNTS, *SHARES))
            raise ValueError(f"there is no figure {figure!r}: there are {known}")
        if figure in SHARES or (figure in COUNTS and value.strip().endswith("%")):
            return Condition(text, statement, "", figure, comparison, parse_share(value), share=True)
        return Condition(text, statement, "", figure, comparison, float(parse_count(value.strip().removesuffix("/s"))))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; write conditions as {EXAMPLE}") from None

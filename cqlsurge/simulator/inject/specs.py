"""The small language of --latency, --stall and --fault: `KIND[=VALUE][:NAME=VALUE,...]`, durations with a unit."""

from __future__ import annotations

from typing import NamedTuple

from cqlsurge.errors import UsageError
from cqlsurge.units import parse_duration_s


class Spec(NamedTuple):
    """`kind=value:options`, all still text."""

    text: str
    kind: str
    value: str
    options: dict[str, str]


def parse_spec(text: str, allowed: set[str]) -> Spec:
    """The parts of a spec; UsageError for an option that is not allowed or has no value."""
    head, _, tail = text.partition(":")
    kind, _, value = head.partition("=")
    options = {}
    for part in filter(None, tail.split(",")):
        name, equals, option = part.partition("=")
        if not equals:
            # `fixed:2ms` reads better than `fixed=2ms`; one bare part is the value.
            if value:
                raise UsageError(f"{text!r}: {part!r} has no value; write NAME=VALUE")
            value = part
        elif name not in allowed:
            raise UsageError(f"{text!r} has no option {name!r}; there are {', '.join(sorted(allowed))}")
        else:
            options[name] = option
    return Spec(text, kind, value, options)


def duration_ns(text: str) -> int:
    """`500us`, `1.5s` and so on as nanoseconds."""
    try:
        return round(parse_duration_s(text) * 1e9)
    except ValueError as error:
        raise UsageError(str(error)) from None


def number(spec: Spec, name: str, default: float) -> float:
    """An option as a number that is not negative."""
    text = spec.options.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value < 0:
        raise UsageError(f"{spec.text!r}: {name} must be a number of at least 0, not {text!r}")
    return value


def integer(spec: Spec, name: str) -> int | None:
    """An option as a whole number, None when it is not given."""
    text = spec.options.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise UsageError(f"{spec.text!r}: {name} must be a whole number, not {text!r}")
    return int(text)

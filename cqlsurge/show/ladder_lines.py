"""A ladder in words that terminals and pages share."""

from __future__ import annotations

import math
from typing import Any

from cqlsurge.results.document import Document
from cqlsurge.results.ladder_document import measured
from cqlsurge.units import show_count, three_digits

STATES = {
    "running": "still running",
    "interrupted": "INTERRUPTED: the figures are of what was measured until then",
    "partial": "ENDED EARLY: ",
}
CODE = "The lines for your own program: cqlsurge ladder --explain RUNG, or all of them with --html FILE."


def work_line(document: Document) -> str:
    """What each rung did."""
    settings = document["settings"]
    verbs = {"write": "writes", "read": "reads", "mixed": f"{settings['read_ratio']:.0%} reads, the rest writes"}
    rounds = f"{document['rounds']} interleaved runs of {three_digits(settings['duration'])} s" if (
        document["rounds"] > 1
    ) else f"one run of {three_digits(settings['duration'])} s, so no intervals"  # fmt: skip
    return (
        f"{verbs[settings['mode']]} of {settings['blob_size']:,} bytes at {settings['consistency']} on "
        f"{settings['keys']:,} keys; {settings['concurrency']} in flight per process, one-at-a-time aside; {rounds}"
    )


def state_line(document: Document) -> str:
    """What became of a ladder that was not ended as asked; empty for one that was."""
    ended = document["ended"] if document["state"] == "partial" else ""
    return STATES.get(document["state"], "") + ended


def legend(document: Document) -> list[str]:
    """What the columns mean."""
    brackets = "; in brackets what it is with 95% confidence, noise from run to run included"
    return [
        f"x: times the measured rung below{brackets if document['rounds'] > 1 else ''}.",
        f"us/op: client CPU for an operation. cores: that times {show_count(document['headline_ops_s'])} operations a "
        "second, in whole cores; of the client alone, the server's come on top.",
    ]


def factor_text(factor: dict[str, Any]) -> str:
    """A ratio with its interval: 9.21 (8.53-9.94)."""
    interval = "" if factor["low"] is None else f" ({three_digits(factor['low'])}-{three_digits(factor['high'])})"
    return three_digits(factor["factor"]) + interval


def cores_text(cores: float) -> str:
    """Whole cores: a part of one cannot be had."""
    return f"{math.ceil(cores):,}"


def latencies_text(rung: dict[str, Any]) -> str:
    """p50/p99 in milliseconds."""
    return "/".join(three_digits(rung[name] / 1000) for name in ("p50_us", "p99_us"))


def top_line(document: Document) -> str:
    """The whole way from the ancestor's technique to the top; empty where one of them was not measured."""
    top = document["top"]
    if top is None:
        return ""
    return (
        f"{measured(document)[-1]['name']} against {top['rung']}: {factor_text(top['ops'])} times the operations a "
        f"second, {factor_text(top['cpu'])} times less CPU for each"
    )


def bound_line(document: Document) -> str:
    """What was the limit of which rung, as most of its runs' verdicts have it; empty where nothing was measured."""
    by: dict[str, list[str]] = {}
    for rung in measured(document):
        by.setdefault(rung["bound_by"], []).append(rung["name"])
    hint = " (a better client shows as less CPU there, not as more operations)" if "server" in by else ""
    told = "; ".join(f"{what}: {', '.join(names)}{hint if what == 'server' else ''}" for what, names in by.items())
    return told and f"bound by {told}"

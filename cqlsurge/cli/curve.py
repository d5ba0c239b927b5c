"""`cqlsurge curve [ADDRESS]`: response times from idle to beyond saturation, and the knee."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import Any

from cqlsurge.cli.find import DECIDED, INTERRUPTED, write_or_warn
from cqlsurge.cli.run import ADDRESS_HELP, add_settings, parser_of, settings_from
from cqlsurge.errors import UsageError
from cqlsurge.host.starter import end_with_starter
from cqlsurge.results.curve import CURVE
from cqlsurge.results.files import OutputFile, is_standard_output
from cqlsurge.runs.curve import CurvePlan, curve
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.settings import Settings
from cqlsurge.show.report.curve_page import render
from cqlsurge.show.report.page import PAGE
from cqlsurge.show.terminal.curve import point_line, print_curves
from cqlsurge.show.terminal.progress import make_display
from cqlsurge.units import parse_count, positive_count, positive_s

WITH = "--with"
DESCRIPTION = (
    "Measures closed load, then open load at rates from idle to beyond what that reached, and back again. Marks the "
    "knee: the rate at which rate / mean response is the largest. `--with -- OPTIONS`, as often as you like, adds a "
    "curve of other settings at the same rates."
)


def split(words: list[str]) -> tuple[list[str], list[list[str]]]:
    """The words before the first `--with --`, and those of each further side. Raises UsageError."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word != "--":
            parts[-1].append(word)
        elif parts[-1][-1:] == [WITH]:
            parts[-1].pop()
            parts.append([])
        else:
            raise UsageError("options of another curve come after `--with --`: cqlsurge curve ... --with -- OPTIONS")
    if any(WITH in part for part in parts):
        raise UsageError("--with is followed by `--` and the options of another curve")
    return parts[0], parts[1:]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """The command's own options, and those of a run."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "curve",
        help="draw response times against rate, with the knee",
        usage="%(prog)s [ADDRESS] [OPTIONS] [--with -- OPTIONS]...",
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help=ADDRESS_HELP)
    add = parser.add_argument_group("The curve").add_argument
    add("--points", type=parser_of(positive_count), default=CurvePlan.points, metavar="N",
        help=f"rates on the way up (default {CurvePlan.points})")  # fmt: skip
    add("--rates", type=parser_of(_rates), default=(), metavar="RATE,...",
        help="these rates (default: by the closed load's maximum)")  # fmt: skip
    add("--step", type=parser_of(positive_s), default=CurvePlan.step_s, metavar="TIME",
        help=f"time measured at each rate (default {CurvePlan.step_s:g}s)")  # fmt: skip
    add("--json", dest="curve_json", metavar="FILE", help="write the curves at the end (- for standard output)")
    add("--report", metavar="FILE", help="write a report at the end: one HTML page")
    add("--force", action="store_true", help="let --json and --report replace a file of another kind")
    add_settings(parser, without={"from_file", *DECIDED})
    parser.set_defaults(from_file=None)
    return parser


def _rates(text: str) -> tuple[float, ...]:
    rates = tuple(float(parse_count(part)) for part in text.split(","))
    if len(rates) < 3 or min(rates) < 1:
        raise ValueError(f"{text!r}: give three rates at least, as in 1k,5k,10k")
    return rates


def run(args: argparse.Namespace) -> int:
    """Measures, shows, writes; what the shell is told."""
    sides = [("", _settings(args, [])), *((" ".join(words), _settings(args, words)) for words in args.sides)]
    if len(sides) > 1:
        sides[0] = ("as given", sides[0][1])
    output = OutputFile(args.curve_json, "--json", CURVE, force=args.force) if args.curve_json else None
    page = OutputFile(args.report, "--report", PAGE, force=args.force) if args.report else None
    stream = sys.stderr if is_standard_output(args.curve_json) else sys.stdout
    interrupts = Interrupts()
    plan = CurvePlan(len(args.rates) or args.points, args.step, args.rates)
    end_with_starter()
    with interrupts.installed(), make_display(stream, quiet=sides[0][1].quiet) as display:

        def tell(name: str, point: dict[str, Any]) -> None:
            if not sides[0][1].quiet:
                display.line(point_line(name, point))

        document = curve(sides, plan, display, interrupts, tell)
    print_curves(document, stream)
    written = output is None or write_or_warn(output, json.dumps(document, indent=1) + "\n", stream)
    written &= page is None or write_or_warn(page, render([document]), stream)
    if document["state"] == "interrupted":
        return INTERRUPTED
    return int(document["state"] != "done" or not written)


def _settings(common: argparse.Namespace, words: list[str]) -> Settings:
    """The settings of one curve: its own options over the common ones. Raises UsageError."""
    parser = argparse.ArgumentParser(prog="cqlsurge curve", usage="... --with -- OPTIONS", allow_abbrev=False)
    parser.add_argument("address", nargs="?", default=common.address)
    add_settings(parser, without={"from_file", *DECIDED})
    own = parser.parse_args(words)
    merged = argparse.Namespace(**{**vars(common), **vars(own), "rate": "1"})  # all steps have a rate
    return replace(settings_from(merged), rate=None)

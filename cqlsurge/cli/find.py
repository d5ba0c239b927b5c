"""`cqlsurge find [ADDRESS] --slo GOALS`: the highest rate that holds the goals, and how sure that is."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import Any, TextIO

from cqlsurge.cli.run import ADDRESS_HELP, add_settings, parser_of, settings_from
from cqlsurge.errors import ResultError
from cqlsurge.host.starter import end_with_starter
from cqlsurge.limits.search import Bounds
from cqlsurge.results.document import Document
from cqlsurge.results.files import OutputFile, is_standard_output
from cqlsurge.results.find import FIND, step_line
from cqlsurge.runs.find import find
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.show.report.find_page import render
from cqlsurge.show.report.page import PAGE
from cqlsurge.show.terminal.find import print_find
from cqlsurge.show.terminal.progress import make_display
from cqlsurge.units import parse_count, parse_share, positive_count, positive_s, show_s

INTERRUPTED = 130
MAX_TIME_S = 300.0
#: settings that the steps decide themselves, or that are of a single run
DECIDED = {"rate", "operations", "duration", "until", "json", "hdr_log", "force", "verify", "verify_share"}
DESCRIPTION = (
    "Searches the highest rate that holds the goals: steps of open load, each for as long as it is in doubt, then long "
    "ones at the answer. Response times count from when an operation was due. Ctrl-C tells what is known so far."
)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """The search's own options, and those of a run."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "find",
        help="find the highest rate that holds a goal for latency and errors",
        usage="%(prog)s [ADDRESS] --slo GOALS [OPTIONS]",
        description=DESCRIPTION,
        epilog="Exit code 0: found; 1: none held, or less than --at-least; 130: interrupted. More: docs/limits.md.",
        allow_abbrev=False,
    )
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help=ADDRESS_HELP)
    add = parser.add_argument_group("The search").add_argument
    add("--slo", required=True, metavar="GOALS",
        help="what is to hold: 'p99 < 10ms, errors < 0.1%%', or of one kind: 'read p99.9 < 5ms'")  # fmt: skip
    add("--at-least", type=parser_of(parse_count), metavar="RATE", help="exit with 1 where the answer is below")
    add("--max-time", type=parser_of(positive_s), default=MAX_TIME_S, metavar="TIME",
        help="end after this time with what is known (default 5m)")  # fmt: skip
    add("--max-steps", type=parser_of(positive_count), default=Bounds.max_steps, metavar="N",
        help=f"steps at most (default {Bounds.max_steps})")  # fmt: skip
    add("--precision", type=parser_of(parse_share), default=Bounds.precision, metavar="SHARE",
        help="how narrow the interval is to be (default 3%%)")  # fmt: skip
    add("--hold", type=parser_of(positive_s), default=Bounds.hold_s, metavar="TIME",
        help="how long the answer must have been held: longer than what comes and goes, such as compactions "
        f"(default {Bounds.hold_s:g}s, a fifth of --max-time at most)")  # fmt: skip
    add("--from-rate", type=parser_of(positive_count), default=int(Bounds.first_rate), metavar="RATE",
        help=f"rate to begin with; it doubles until a goal breaks (default {Bounds.first_rate:.0f})")  # fmt: skip
    add("--to-rate", type=parser_of(positive_count), default=int(Bounds.max_rate), metavar="RATE",
        help=f"rate not to go beyond (default {Bounds.max_rate / 1e6:g}M)")  # fmt: skip
    add("--json", dest="find_json", metavar="FILE", help="write the answer, after each step (- for standard output)")
    add("--report", metavar="FILE", help="write a report at the end: one HTML page")
    add("--force", action="store_true", help="let --json and --report replace a file of another kind")
    add_settings(parser, without={"from_file", *DECIDED})
    parser.set_defaults(from_file=None)
    return parser


def run(args: argparse.Namespace) -> int:
    """Searches, shows, writes; what the shell is told."""
    args.rate = "1"  # all steps have one, and some settings are for those alone
    settings = replace(settings_from(args), rate=None)
    output = OutputFile(args.find_json, "--json", FIND, force=args.force) if args.find_json else None
    page = OutputFile(args.report, "--report", PAGE, force=args.force) if args.report else None
    stream = sys.stderr if is_standard_output(args.find_json) else sys.stdout
    bounds = Bounds(
        max_time_s=args.max_time, max_steps=args.max_steps, precision=args.precision or Bounds.precision,
        hold_s=args.hold, first_rate=float(args.from_rate), max_rate=float(max(args.to_rate, args.from_rate)),
    )  # fmt: skip
    interrupts = Interrupts()
    end_with_starter()
    with interrupts.installed(), make_display(stream, quiet=settings.quiet) as display:
        if not settings.quiet:
            display.line(f"searching for at most {show_s(bounds.max_time_s)}, in {bounds.max_steps} steps at most")

        def tell(document: Document) -> None:
            if not settings.quiet:
                display.line(step_line(document["steps"][-1]))
            if output is not None and not output.streams:
                write_or_warn(output, text_of(document), stream)

        document = find(settings, args.slo, bounds, display, interrupts, tell)
    print_find(document, stream)
    written = output is None or write_or_warn(output, text_of(document), stream)
    written &= page is None or write_or_warn(page, render(document), stream)
    return exit_code(document, args.at_least) or int(not written)


def exit_code(document: Document, at_least: float | None = None) -> int:
    """What the shell is told of a search."""
    if document["state"] == "interrupted":
        return INTERRUPTED
    answer = document["answer"]
    short = at_least is not None and (answer["rate"] or 0.0) < at_least
    return int(document["state"] != "done" or answer["rate"] is None or short)


def text_of(document: Document) -> str:
    """The document as text."""
    return json.dumps(document, indent=1) + "\n"


def write_or_warn(file: OutputFile, text: str, stream: TextIO) -> bool:
    """Whether it could be written; where not, it is said, and the search goes on."""
    try:
        file.write_text(text)
    except ResultError as error:
        stream.write(f"warning: {error}\n")
        return False
    return True

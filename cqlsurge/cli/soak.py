"""`cqlsurge soak ADDRESS --rate R --duration T`: a long run that survives being cut off, with alarms and drift."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cqlsurge.cli.run import add_settings, parser_of, settings_from
from cqlsurge.errors import UsageError
from cqlsurge.host.starter import end_with_starter
from cqlsurge.results.files import OutputFile, is_standard_output
from cqlsurge.results.soak import drift_lines
from cqlsurge.runs.alarms import EXAMPLE, Alarms, parse_alarm
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.resume import Resume, read_resume
from cqlsurge.runs.run import exit_code
from cqlsurge.runs.run import run as run_session
from cqlsurge.settings import Settings
from cqlsurge.show.report.page import PAGE, render
from cqlsurge.show.terminal.progress import make_display
from cqlsurge.show.terminal.summary import print_summary

DESCRIPTION = (
    "A run at a rate for hours or days. Its result is on disk once a second; `--resume FILE` takes it up again after "
    "it was cut off, by whatever: what was done is not done again, but for what was under way, which is listed. At the "
    "end it tells whether latency or rate have drifted."
)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """The command's own options, and all of a run."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "soak",
        help="load at a rate for long, and go on after being cut off",
        usage="%(prog)s ADDRESS --rate RATE --duration TIME [OPTIONS], or %(prog)s --resume RUN.json",
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help="host[:port][,host[:port]...]")
    add = parser.add_argument_group("The soak").add_argument
    add("--resume", metavar="RUN.json", help="take up again the run whose result this is; it has all its settings")
    add("--alarm", action="append", default=[], type=parser_of(parse_alarm), metavar="ALARM",
        help=f"tell when each second is so for so long: {EXAMPLE.replace('%', '%%')}; repeatable")  # fmt: skip
    add(
        "--exec",
        dest="alarm_command",
        metavar="CMD",
        help="start this by the shell at each alarm, told in CQLSURGE_ALARM",
    )
    add("--report", metavar="FILE", help="write a report at the end: one HTML page")
    add_settings(parser, without={"from_file"})
    parser.set_defaults(from_file=None)
    return parser


def run(args: argparse.Namespace) -> int:
    """Runs or goes on, shows how it goes, prints the summary."""
    settings, resume = _begin(args) if args.resume is None else _again(args)
    alarms = Alarms(args.alarm, args.alarm_command)
    page = OutputFile(args.report, "--report", PAGE, force=settings.force) if args.report else None
    interrupts, stream = Interrupts(), sys.stderr if is_standard_output(settings.json) else sys.stdout
    end_with_starter()
    with interrupts.installed(), make_display(stream, quiet=settings.quiet) as display:
        display.note(f"the result is in {settings.json}; cut off, go on with: cqlsurge soak --resume {settings.json}")
        document = run_session(settings, display, interrupts, resume=resume, further=[alarms])
    print_summary(document, stream)
    for line in drift_lines(document):
        print(f"            {line}", file=stream)
    if page is not None:
        page.write_text(render([document], [f"soak of {document['started_at'][:16].replace('T', ' ')} UTC"]))
    return exit_code(document)


def _begin(args: argparse.Namespace) -> tuple[Settings, None]:
    settings = settings_from(args)
    if settings.rate is None or (settings.duration is None and settings.operations is None):
        raise UsageError("a soak needs --rate, and --duration or --operations")
    if settings.json is None:
        settings = replace(settings, json=f"soak-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}.json")
    return settings, None


def _again(args: argparse.Namespace) -> tuple[Settings, Resume]:
    fields = Settings.__dataclass_fields__
    given = sorted(name for name, value in vars(args).items() if name in fields and value is not None)
    if others := [name for name in given if name != "quiet"]:
        raise UsageError(f"--resume has all settings of its run: leave {others[0].replace('_', '-')} away")
    resume = read_resume(args.resume)
    return replace(resume.settings, json=args.resume, quiet=bool(getattr(args, "quiet", False))), resume

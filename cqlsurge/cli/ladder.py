"""`cqlsurge ladder [ADDRESS]`: the same work in ten ways, from the naive to the best, on the reader's cluster."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TextIO

from cqlsurge.cli.run import ADDRESS_HELP, add_settings, parser_of, settings_from
from cqlsurge.errors import ResultError, UsageError
from cqlsurge.host.starter import end_with_starter
from cqlsurge.results.document import Document
from cqlsurge.results.files import OutputFile, is_standard_output
from cqlsurge.results.ladder_document import LADDER, build
from cqlsurge.results.listener import Listener
from cqlsurge.results.techniques import RUNGS, Rung
from cqlsurge.runs.ladder_runs import WARMUP_COMPILED_S, WARMUP_S, Ladder
from cqlsurge.runs.series import Audience
from cqlsurge.settings import Settings, options
from cqlsurge.show.report.ladder_page import render
from cqlsurge.show.report.page import PAGE
from cqlsurge.show.terminal.ladder_table import explain, print_ladder
from cqlsurge.show.terminal.progress import make_display
from cqlsurge.show.terminal.runs import key_figures
from cqlsurge.units import parse_duration_s, positive_count, positive_s

DESCRIPTION = (
    "Does the same work in ten ways, from one request at a time to the engine wire on PyPy, in short interleaved runs "
    "on one database, and tells what each step brings and how to have it in a program of your own. The embedded "
    "database, where no ADDRESS is given, is started once for all. Ctrl-C sums up what was measured."
)
INTERRUPTED = 130
DURATION_S = 2.0
ROUNDS = 4
CONCURRENCY = 100
#: 20 MB: a small database has little to flush and compact beside the load
KEYS = 20_000
#: settings that all rungs have in common; the others are the rungs' own, or of a single run
SHARED = {
    "mode", "blob_size", "read_ratio", "key_offset", "fill", "seed", "dc", "keyspace", "table", "consistency",
    "replication", "create", "create_with", "tablets", "compression", "translate", "user", "password_file",
    "password_env", "tls", "tls_ca", "tls_cert", "tls_key", "tls_check_host", "request_timeout", "error_budget",
    "quiet",
}  # fmt: skip


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """The command's own options, and those settings of a run that all rungs share."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "ladder",
        help="climb from the naive to the best way to do the same work, measured here",
        usage="%(prog)s [ADDRESS] [OPTIONS]",
        description=DESCRIPTION,
        epilog="Rungs: " + ", ".join(RUNGS) + ". docs/ladder.md tells how to read what comes out.",
        allow_abbrev=False,
    )
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help=ADDRESS_HELP)
    add = parser.add_argument_group("The ladder").add_argument
    add("--rungs", metavar="NAME,...", help="these rungs alone (default: all); always from the bottom up")
    add("--rounds", type=parser_of(positive_count), default=ROUNDS, metavar="N",
        help=f"runs of each rung; one alone shows no noise (default {ROUNDS})")  # fmt: skip
    add("--duration", type=parser_of(positive_s), default=DURATION_S, metavar="TIME",
        help=f"time measured in each run (default {DURATION_S:g}s)")  # fmt: skip
    add("--warmup", dest="warmup_s", type=parser_of(parse_duration_s), metavar="TIME",
        help=f"time of each run before that (default {WARMUP_S:g}s; {WARMUP_COMPILED_S:g}s for drivers on PyPy, "
        "which compiles them meanwhile)")  # fmt: skip
    add("--concurrency", type=parser_of(positive_count), default=CONCURRENCY, metavar="N",
        help=f"operations in flight per process, one-at-a-time aside (default {CONCURRENCY})")  # fmt: skip
    add("--keys", type=parser_of(positive_count), default=KEYS, metavar="N",
        help=f"population of keys, the same for all rungs, written once before (default {KEYS:_})")  # fmt: skip
    add("--explain", metavar="RUNG", help="measure nothing: tell why a rung is faster, with the lines of code")
    add("--json", metavar="FILE", help="write the ladder as JSON, after each round (- for standard output)")
    add("--html", metavar="FILE", help="write a page with charts and the lines of code of each rung")
    add("--force", action="store_true", help="let --json and --html replace a file of another kind")
    add_settings(parser, without={"from_file", *(name for name, _, _ in options())} - SHARED)
    parser.set_defaults(from_file=None)
    return parser


def run(args: argparse.Namespace) -> int:
    """Climbs, shows, writes; what the shell is told."""
    if args.explain is not None:
        sys.stdout.write(explain(rung_named(args.explain)))
        return 0
    climb = Climbing(args, sys.stderr if is_standard_output(args.json) else sys.stdout)
    end_with_starter()
    climb.ladder.climb()
    return climb.conclude()


def rung_named(name: str) -> Rung:
    """The rung of that name. Raises UsageError."""
    if name not in RUNGS:
        raise UsageError(f"no rung is called {name!r}; there are {', '.join(RUNGS)}")
    return RUNGS[name]


def chosen(names: str | None) -> list[Rung]:
    """The rungs that are asked for, from the bottom up. Raises UsageError."""
    asked = {rung_named(name.strip()).name for name in names.split(",")} if names else set(RUNGS)
    return [rung for rung in RUNGS.values() if rung.name in asked]


def common_settings(args: argparse.Namespace) -> Settings:
    """What all rungs share. Raises UsageError."""
    settings = replace(settings_from(args), json=None, force=False, populate=False)
    # Frames go out as they are unless compression is asked for: drivers differ in what they compress.
    return replace(settings, compression=settings.compression or False)


class Climbing(Audience):
    """The ladder as the command line has it: what is shown while it goes, and what is written."""

    def __init__(self, args: argparse.Namespace, stream: TextIO) -> None:
        self.stream, self.rounds = stream, args.rounds
        self.settings, rungs = common_settings(args), chosen(args.rungs)
        self.json = OutputFile(args.json, "--json", LADDER, force=args.force) if args.json else None
        self.html = OutputFile(args.html, "--html", PAGE, force=args.force) if args.html else None
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.ladder = Ladder(
            self.settings, rungs, args.rounds, warmup_s=args.warmup_s, audience=self, round_over=self.keep
        )

    def line(self, text: str) -> None:
        """See Audience."""
        if not self.settings.quiet:
            self.stream.write(text + "\n")
            self.stream.flush()

    def listener(self) -> AbstractContextManager[Listener]:
        """A live screen on a terminal."""
        return make_display(self.stream, quiet=self.settings.quiet or not self.stream.isatty())

    def ended(self, document: Document) -> None:
        """See Audience."""
        self.line(f"    {key_figures(document)}, {document['client']['cpu_us_per_op']:.2f} us CPU per operation")

    def keep(self) -> None:
        """Keeps what there is, lest a killed ladder leaves nothing."""
        if self.json is not None and not self.json.streams:
            try:
                self.json.write_text(text_of(self.document()))
            except ResultError as error:
                self.line(f"warning: {error}; the ladder goes on")

    def document(self) -> Document:
        """The ladder as far as it has come."""
        return build(
            self.ladder.climbs,
            state=self.ladder.series.state,
            started_at=self.started_at,
            settings=self.settings.to_json(),
            rounds=self.rounds,
            ended=str(self.ladder.series.failure or ""),
        )

    def conclude(self) -> int:
        """Shows and writes the whole; the exit code. Raises what ended it before anything was measured."""
        failure, interrupted = self.ladder.series.failure, self.ladder.series.state == "interrupted"
        measured = any(climb.runs for climb in self.ladder.climbs)
        if failure is not None and not measured:
            raise failure
        document = self.document()
        print_ladder(document, self.stream)
        unwritten: list[ResultError] = []
        for file, text in ((self.json, text_of(document)), (self.html, render(document) if self.html else "")):
            try:
                if file is not None:
                    file.write_text(text)
            except ResultError as error:
                unwritten.append(error)
                sys.stderr.write(f"cqlsurge ladder: {error}\n")
        if interrupted:
            return INTERRUPTED
        if failure is not None:
            return failure.exit_code
        return int(not measured or bool(unwritten) or any(climb.left_out for climb in self.ladder.climbs))


def text_of(document: Document) -> str:
    """The document as text."""
    return json.dumps(document, indent=1) + "\n"

"""`cqlsurge run [ADDRESS]`, which is `program.py [ADDRESS]`: one load run."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
import textwrap
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TextIO

from cqlsurge.cli.workload_options import add_stress_options
from cqlsurge.errors import ResultError, UsageError
from cqlsurge.host.starter import end_with_starter
from cqlsurge.load.engines.registry import ENGINES
from cqlsurge.load.pacing.notation import HELP
from cqlsurge.options import Option
from cqlsurge.results.csv import KIND as TIMELINE
from cqlsurge.results.csv import timeline_csv
from cqlsurge.results.document import Document
from cqlsurge.results.files import OutputFile, is_standard_output
from cqlsurge.results.folder import VARIABLE, folder_of, keep, make_folder, read_runs
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.run import exit_code
from cqlsurge.runs.run import run as run_session
from cqlsurge.runs.table_workload import table_source
from cqlsurge.runs.workloads import workload_text
from cqlsurge.settings import GROUPS, Settings, options
from cqlsurge.show.report.page import PAGE, render
from cqlsurge.show.terminal.progress import make_display
from cqlsurge.show.terminal.summary import print_summary
from cqlsurge.workload.sources import stress_source

DESCRIPTION = "Writes or reads rows `key uuid, value blob` and tells how fast it went, how long answers took, and why."
ADDRESS_HELP = (
    "host[:port][,host[:port]...], IPv6 in brackets; without it a real Apache Cassandra starts here, and is stopped at "
    "the end"
)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command with all settings as options, in groups."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "run",
        help="write or read rows, and tell how fast it went",
        usage="%(prog)s [ADDRESS] [OPTIONS]",
        description=DESCRIPTION,
        epilog=_rate_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help=ADDRESS_HELP)
    results = add_settings(parser)
    others = parser.add_argument_group("Tables and workloads that are there")
    add_stress_options(others)
    others.add_argument(
        "--write", action="store_true", help="with --table KEYSPACE.TABLE: write although the table has rows of others"
    )
    others.add_argument("--print-workload", action="store_true", help="print the workload file, and run nothing")
    results.add_argument(
        "--keep-in", metavar="FOLDER",
        help=f"keep the result document there under a short name (default: ${VARIABLE}); `cqlsurge runs` lists them",
    )  # fmt: skip
    results.add_argument("--report", metavar="FILE", help="write a report of the run at its end: one HTML page")
    results.add_argument("--csv", metavar="FILE", help="write the timeline at the end, a row a second")
    return parser


def add_settings(parser: argparse.ArgumentParser, without: Collection[str] = ()) -> Any:
    """Adds all settings as options, in groups, and --from (from_file); gives the group of the results."""
    groups = {name: parser.add_argument_group(name) for name in GROUPS}
    for name, _default, option in options():
        if name not in without:
            _add_option(groups[option.group], name, option)
    if "from_file" not in without:
        groups["Results"].add_argument(
            "--from",
            dest="from_file",
            metavar="RUN.json",
            help="repeat that run; options given beside it take precedence",
        )
    return groups["Results"]


def _rate_help() -> str:
    return textwrap.fill(f"RATE: {HELP}", 100)


def _add_option(group: Any, name: str, option: Option) -> None:
    """One setting as an option. An option that is not given leaves no trace, so that --from can fill it."""
    flag = option.flag or "--" + name.replace("_", "-")
    common: dict[str, Any] = {"dest": name, "help": _help(option), "default": argparse.SUPPRESS}
    if option.on_off:
        group.add_argument(flag, action=argparse.BooleanOptionalAction, **common)
        return
    if option.switch:
        group.add_argument(flag, action="store_true", **common)
        return
    if option.repeated:
        common["action"] = "append"
    if option.choices:
        common["choices"] = option.choices
        common["metavar"] = option.metavar or "{" + ",".join(option.choices) + "}"
    elif option.metavar:
        common["metavar"] = option.metavar
    else:
        common["metavar"] = name.upper()
    if option.optional_value is not None:
        common.update(nargs="?", const=option.optional_value)
    group.add_argument(flag, type=parser_of(option.parse), **common)


def _help(option: Option) -> str:
    if option.choices and "default" not in option.help and not option.metavar:
        return f"{option.help} (default {option.choices[0]})"
    return option.help


def parser_of(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same for argparse, which tells what a ValueError says only when it is one of its own."""

    def parse_argument(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse_argument


def settings_from(args: argparse.Namespace) -> Settings:
    """The settings that the command line asks for. Raises UsageError."""
    given = {
        field.name: value for field in dataclasses.fields(Settings) if (value := _given(args, field.name)) is not None
    }
    _name_workload(args, given)
    base: dict[str, Any] = {}
    if args.from_file:
        document = read_runs([args.from_file], folder_of(None))[0]
        base = {**document["settings"], "json": None, "force": False, "hdr_log": None, "metrics": None}
    settings = Settings.from_json({**base, **given})
    # What the run that is repeated needed may have no use beside an option that is given here; then it goes.
    needless = {name: getattr(settings.effective(), name) for name in settings.ignored() if name not in given}
    return dataclasses.replace(settings, **needless).check()


def _name_workload(args: argparse.Namespace, given: dict[str, Any]) -> None:
    """--stress, and --table KEYSPACE.TABLE, as the workloads that they stand for. Raises UsageError."""
    stress = getattr(args, "stress", None)
    table = given.get("table", "")
    if stress is not None:
        if "workload" in given and not Path(str(given["workload"])).suffix == ".yaml":
            raise UsageError("--stress says what to do: leave --workload away, or name a profile with it")
        if "workload" in given:
            command, _, rest = stress.strip().partition(" ")
            stress = f"{command} {shlex.quote('profile=' + str(given['workload']))} {rest}"
        given["workload"] = stress_source(stress, exact=args.exact, mend=args.mend)
    elif getattr(args, "exact", False) or getattr(args, "mend", False):
        raise UsageError("--exact and --mend need --stress")
    elif "." in table:
        mode = given.pop("mode", "write")
        share = given.pop("read_ratio", None)
        given["workload"] = table_source(given.pop("table"), mode, share, write=args.write)
    if getattr(args, "write", False) and "." not in table:
        raise UsageError("--write goes with --table KEYSPACE.TABLE")


def _given(args: argparse.Namespace, name: str) -> Any:
    return getattr(args, name, None)


def run(args: argparse.Namespace) -> int:
    """Runs the load, shows how it goes, prints the summary."""
    if getattr(args, "engine", None) == "help":
        for info in ENGINES.values():
            if not info.hidden:
                techniques = f"\n{'':14} --technique {', '.join(info.techniques)}" if info.techniques else ""
                print(f"{info.name:14} {info.text}{techniques}")
        return 0
    settings = settings_from(args)
    if args.print_workload:
        print(workload_text(settings), end="")
        return 0
    if is_standard_output(settings.json) and sys.stdout.isatty():
        raise UsageError("--json - writes the document to standard output: send that to a file or a pipe")
    folder = folder_of(args.keep_in)
    if folder is not None:
        make_folder(folder)
    page = OutputFile(args.report, "--report", PAGE, force=settings.force) if args.report else None
    table = OutputFile(args.csv, "--csv", TIMELINE, force=settings.force) if args.csv else None
    interrupts = Interrupts()
    # With the document on standard output, what people read goes to standard error.
    stream = sys.stderr if is_standard_output(settings.json) else sys.stdout
    end_with_starter()
    with interrupts.installed():
        display = make_display(stream, quiet=settings.quiet)
        with display:
            document = run_session(settings, display, interrupts)
        print_summary(document, stream)
        unwritten = False
        for leave in _things_to_leave(document, page, table, folder, stream):
            try:
                leave()
            except ResultError as error:  # one that cannot be written takes none of the others with it
                unwritten = True
                sys.stderr.write(f"{args.program}: {error}\n")
    return exit_code(document) or int(unwritten)


def _things_to_leave(
    document: Document, page: OutputFile | None, table: OutputFile | None, folder: Path | None, stream: TextIO
) -> list[Callable[[], None]]:
    """What writes each of the files that were asked for; each raises ResultError by itself."""
    leave: list[Callable[[], None]] = []
    if folder is not None:
        leave.append(lambda: print(f"kept as     {keep(document, folder)} in {folder}", file=stream))
    if table is not None:
        leave.append(lambda: table.write_text(timeline_csv(document)))
    if page is not None:
        title = f"{document['settings']['mode']} run of {document['started_at'][:16].replace('T', ' ')} UTC"
        leave.append(lambda: page.write_text(render([document], [title])))
    return leave

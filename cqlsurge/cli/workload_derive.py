"""`cqlsurge workload derive`: a workload file from tables that are there."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cqlsurge.cli.run import ADDRESS_HELP, add_settings, parser_of
from cqlsurge.cli.workload_import import write_file
from cqlsurge.database.address import parse_address, parse_translations
from cqlsurge.database.connect import connect
from cqlsurge.database.secrets import read_security
from cqlsurge.database.tables import read_table
from cqlsurge.settings import Settings, options
from cqlsurge.units import parse_duration_s, positive_count
from cqlsurge.workload.derive.ddl import ddl_of
from cqlsurge.workload.derive.document import derived_text
from cqlsurge.workload.derive.learn import Learned, learn_table
from cqlsurge.workload.derive.sample import Limits, Sampler
from cqlsurge.workload.tables import Table, split_name

DESCRIPTION = (
    "Reads the schema of tables and writes a workload file for them. With --learn their rows are sampled, read only, "
    "and lengths, ranges, shares and rows a partition are learned; no value of a row is written into the file."
)
CONNECTION = {
    "translate", "user", "password_file", "password_env", "tls", "tls_ca", "tls_cert", "tls_key", "tls_check_host",
}  # fmt: skip


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "derive", help="make a workload file from tables that are there", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("address", metavar="ADDRESS", help=ADDRESS_HELP.partition("; ")[0])
    parser.add_argument("tables", metavar="KS.TABLE,...", help="tables")
    parser.add_argument(
        "--learn", nargs="?", const=100_000, type=parser_of(positive_count), metavar="ROWS",
        help="learn shapes from a sample of so many rows of each table (default 100k)",
    )  # fmt: skip
    parser.add_argument(
        "--learn-rate", type=parser_of(positive_count), default=20_000, metavar="ROWS/S",
        help="rows a second that sampling reads at most (default 20k)",
    )  # fmt: skip
    parser.add_argument(
        "--learn-time", type=parser_of(parse_duration_s), default=300.0, metavar="TIME",
        help="time that sampling of a table takes at most (default 5m)",
    )  # fmt: skip
    parser.add_argument(
        "--values", action="store_true", help="let the few values of columns that have few stand in the file"
    )
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the file there (default: standard output)")
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")
    add_settings(parser, {name for name, _, _ in options()} - CONNECTION | {"from_file"})
    return parser


def run(args: argparse.Namespace) -> int:
    """Writes the file; what was learned goes to standard error."""
    given = {name: value for name in CONNECTION if (value := getattr(args, name, None)) is not None}
    settings = Settings.from_json({**given, "address": args.address}).check()
    names = [split_name(text) for text in _split_names(args.tables)]
    with ExitStack() as stack:
        points = parse_address(args.address)
        cluster, session = connect(points, read_security(settings), parse_translations(settings.translate))
        stack.callback(cluster.shutdown)
        tables = [read_table(session, *name) for name in names]
        learned: dict[str, Learned] = {}
        for table in tables if args.learn else []:
            found = _learn(session, table, args)
            if found is None:
                sys.stderr.write(f"{table.cql_name} has no rows to learn from: types alone are known\n")
            else:
                learned[table.cql_name] = found
        text = derived_text(tables, ddl_of(cluster, tables), learned)
    if args.output is None:
        sys.stdout.write(text)
    else:
        write_file(args.output, text, args.force)
    return 0


def _split_names(text: str) -> list[str]:
    """Names at commas outside of quotes."""
    names, quoted = [""], False
    for letter in text:
        quoted ^= letter == '"'
        if letter == "," and not quoted:
            names.append("")
        else:
            names[-1] += letter
    return names


def _learn(session: Any, table: Table, args: argparse.Namespace) -> Learned | None:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )
    limits = Limits(args.learn, args.learn_rate, args.learn_time)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"sampling {table.cql_name}", total=args.learn)
        sampler = Sampler(session, table, limits, progress=lambda rows, _of: progress.update(task, completed=rows))
        sample = sampler.read()
    found = learn_table(table, sample, args.values)
    if found is not None:
        for note in found.notes:
            console.print(f"{table.cql_name}: {note}", soft_wrap=True, highlight=False, markup=False)
    return found

"""`cqlsurge workload import`: what people have for other load programs, as a workload file of ours."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cqlsurge.cli.workload_options import add_stress_options
from cqlsurge.errors import UsageError
from cqlsurge.workload.imports.files import import_stress
from cqlsurge.workload.imports.report import Imported
from cqlsurge.workload.imports.scylla_bench import import_scylla_bench
from cqlsurge.workload.imports.ycsb import import_ycsb

DESCRIPTION = (
    "Turns a profile or a command line of cassandra-stress, or options of scylla-bench or YCSB, into a workload file, "
    "and tells what was kept, what was mended and what cannot be."
)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "import", help="make a workload file from another program's", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("profile", nargs="?", metavar="PROFILE.yaml", help="a profile of cassandra-stress")
    add_stress_options(parser)
    parser.add_argument("--mix", metavar="NAME=WEIGHT,...", help="operations of the profile (default: all, alike)")
    parser.add_argument(
        "--scylla-bench", metavar="LINE", help='options of scylla-bench: "-mode write -workload uniform"'
    )
    parser.add_argument("--ycsb", metavar="LINE", help='a core workload of YCSB: "workloada -p recordcount=1000000"')
    parser.add_argument(
        "-p", dest="params", action="append", default=[], metavar="NAME=VALUE",
        help="a value for ${NAME} in the profile, or a property of YCSB",
    )  # fmt: skip
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the file there (default: standard output)")
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")
    return parser


def params_of(words: list[str]) -> dict[str, str]:
    """`-p name=value` as a map. Raises UsageError."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"-p {word}: write it as NAME=VALUE")
        found[name] = value
    return found


def _imported(args: argparse.Namespace) -> Imported:
    given = [name for name in ("stress", "scylla_bench", "ycsb") if getattr(args, name)]
    if len(given) > 1 or (args.profile and given not in ([], ["stress"])):
        raise UsageError("give one thing to import: a profile, --stress, --scylla-bench or --ycsb")
    if args.scylla_bench:
        return import_scylla_bench(args.scylla_bench)
    if args.ycsb:
        return import_ycsb(" ".join([args.ycsb, *(f"-p {word}" for word in args.params)]))
    return import_stress(
        args.stress or "", args.profile or "", args.mix or "", params_of(args.params), mend=args.mend, exact=args.exact
    )


def run(args: argparse.Namespace) -> int:
    """Writes the file; the report goes to standard error."""
    imported = _imported(args)
    if args.output is None:
        sys.stdout.write(imported.text)
    else:
        write_file(args.output, imported.text, args.force)
    sys.stderr.write(imported.report.text())
    if imported.settings:
        options = " ".join(_option(name, value) for name, value in imported.settings.items() if name != "threads")
        sys.stderr.write(f"run it with\n  cqlsurge run ADDRESS --workload {args.output or 'FILE.yaml'} {options}\n")
    return 0


def write_file(path: str, text: str, force: bool) -> None:
    """Writes a file that is not there yet, or any with `force`. Raises UsageError."""
    try:
        with Path(path).open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already: choose another name, or say --force") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def _option(name: str, value: object) -> str:
    flag = "--" + name.replace("_", "-")
    return flag if value is True or value == "" else f"{flag} {value}"

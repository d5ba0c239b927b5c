"""`cqlsurge runs [FOLDER]`: the runs kept in a folder, with their key figures."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from cqlsurge.errors import ResultError, UsageError
from cqlsurge.results.files import read_document
from cqlsurge.results.folder import VARIABLE, folder_of, kept_runs
from cqlsurge.show.terminal.runs import print_runs


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """The command's options."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "runs",
        help="list the runs kept in a folder with their key figures",
        description="Lists the runs that `cqlsurge run --keep-in FOLDER` has kept, the oldest first. Their names and "
        "numbers can be given to `compare` and `run --from`.",
    )
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help=f"where they are (default: ${VARIABLE})")
    parser.add_argument("--last", type=int, metavar="N", help="only the last N")
    return parser


def run(args: argparse.Namespace) -> int:
    """Prints the table; a file that cannot be read is named on standard error."""
    folder = folder_of(args.folder)
    if folder is None:
        raise UsageError(f"name the folder: cqlsurge runs FOLDER, or set ${VARIABLE}")
    if args.last is not None and args.last < 1:
        raise UsageError(f"--last {args.last} is not 1 or more")
    paths = list(kept_runs(folder).values())
    found = []
    for path in paths[-args.last :] if args.last else paths:
        try:
            found.append((path.stem, read_document(str(path))))
        except ResultError as error:
            print(error, file=sys.stderr)
    if not found:
        print(f"no runs are kept in {folder}; `cqlsurge run --keep-in {folder}` keeps some")
        return 0
    print_runs(found, sys.stdout)
    return 0

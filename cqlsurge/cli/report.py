"""`cqlsurge report RUN.json ...`: what saved runs came to, as an HTML page, in Markdown, or their timeline as CSV."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.results.comparable import EVERYTHING, judge_comparable
from cqlsurge.results.compare import compare
from cqlsurge.results.csv import KIND as TIMELINE
from cqlsurge.results.csv import timeline_csv
from cqlsurge.results.curve import CURVE, read_curve
from cqlsurge.results.document import Document
from cqlsurge.results.files import STANDARD_OUTPUT, OutputFile
from cqlsurge.results.find import FIND, read_find
from cqlsurge.results.folder import folder_of, read_runs
from cqlsurge.results.ladder_document import LADDER, read_ladder
from cqlsurge.show.report import curve_page, find_page, ladder_page
from cqlsurge.show.report.markdown import MARKDOWN, markdown
from cqlsurge.show.report.page import PAGE, Comparison, render
from cqlsurge.show.report.tables import Table
from cqlsurge.show.terminal.comparison import HEADS, METHOD, cells, difference_lines, note_lines


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="make a report of saved runs: an HTML page, Markdown or CSV",
        description="Makes one HTML page of one or several runs, which needs no network and no other file.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="result document, name or number of a kept run; or a ladder's, find's or curve's file",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE",
        help="where to (default: report.html; with --markdown or --csv: standard output, which is -)",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="a summary in Markdown, for a pull request")
    form.add_argument("--csv", action="store_true", help="the timeline of one run")
    parser.add_argument("--folder", metavar="FOLDER", help="folder of kept runs (default: $CQLSURGE_RUNS)")
    parser.add_argument("--force", action="store_true", help="replace a file of another kind")
    return parser


def run(args: argparse.Namespace) -> int:
    """Reads the runs, writes the report."""
    if any(Path(word).is_file() and (CURVE.holds(Path(word)) or FIND.holds(Path(word))) for word in args.runs):
        return _limits(args)
    climbed = next((word for word in args.runs if Path(word).is_file() and LADDER.holds(Path(word))), None)
    if climbed is not None and (len(args.runs) > 1 or args.csv):
        raise UsageError(f"{climbed} is a ladder: name it alone, for a page or --markdown")
    if args.csv and len(args.runs) > 1:
        raise UsageError("--csv has the timeline of one run: name one")
    kind, default = (MARKDOWN, STANDARD_OUTPUT) if args.markdown else (PAGE, "report.html")
    if args.csv:
        kind, default = TIMELINE, STANDARD_OUTPUT
    output = OutputFile(args.output or default, "--output", kind, force=args.force)
    output.write_text(_ladder_text(climbed, args) if climbed is not None else _text(args))
    if kind is PAGE and output.path != STANDARD_OUTPUT:
        print(f"report in {output.path}")
    return 0


def _limits(args: argparse.Namespace) -> int:
    """The page of saved curves, or of one search for a limit."""
    if args.csv or args.markdown:
        raise UsageError("curves and searches for a limit have a page only: leave --csv and --markdown away")
    searched = [word for word in args.runs if FIND.holds(Path(word))]
    if searched and len(args.runs) > 1:
        raise UsageError(f"{searched[0]} is a search for a limit: name it alone")
    output = OutputFile(args.output or "report.html", "--output", PAGE, force=args.force)
    if searched:
        output.write_text(find_page.render(read_find(searched[0])))
    else:
        names = [Path(word).name for word in args.runs] if len(args.runs) > 1 else ()
        output.write_text(curve_page.render([read_curve(word) for word in args.runs], names))
    if output.path != STANDARD_OUTPUT:
        print(f"report in {output.path}")
    return 0


def _ladder_text(path: str, args: argparse.Namespace) -> str:
    document = read_ladder(path)
    return ladder_page.markdown(document) if args.markdown else ladder_page.render(document)


def _text(args: argparse.Namespace) -> str:
    documents = read_runs(args.runs, folder_of(args.folder))
    names = _names(args.runs, documents)
    if args.csv:
        return timeline_csv(documents[0])
    if args.markdown:
        return markdown(documents, names)
    return render(documents, names, comparisons(documents, names))


def _names(words: Sequence[str], documents: Sequence[Document]) -> list[str]:
    if len(words) == len(documents):
        return [Path(word).name for word in words]
    return [document["started_at"] for document in documents]  # a range of numbers stands for several


def comparisons(documents: Sequence[Document], names: Sequence[str]) -> list[Comparison]:
    """The first run with each of the others; what differs between them is told, not refused."""
    found: list[Comparison] = []
    for candidate, name in zip(documents[1:], names[1:], strict=True):
        judged = judge_comparable([documents[0]], [candidate], {EVERYTHING})
        result = compare([documents[0]], [candidate], differences=judged.differences, warnings=judged.warnings)
        rows = [cells(finding) for finding in result.findings]
        heads = [HEADS[0] or "figure", names[0], name, *HEADS[3:-1], "in words"]
        notes = [*difference_lines(result), *note_lines(result), METHOD]
        found.append((f"{name} compared with {names[0]}", Table(heads, rows, words=len(heads) - 1), notes))
    return found

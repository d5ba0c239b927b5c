"""`cqlsurge compare BASE... -- CANDIDATE...`: how runs differ from others, and how sure that is."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.load.latency.histogram import LATENCIES
from cqlsurge.results.comparable import judge_comparable
from cqlsurge.results.compare import KIND, RUN_VARIATION, Comparison, compare
from cqlsurge.results.files import OutputFile, is_standard_output, marked
from cqlsurge.results.folder import VARIABLE, folder_of, read_runs
from cqlsurge.results.limits import check_limits, parse_limit
from cqlsurge.show.terminal.comparison import markdown, print_comparison
from cqlsurge.units import parse_share

DESCRIPTION = (
    "Compares runs with other runs of the same settings: throughput, mean and percentiles, client CPU and errors, each "
    "with its change, a confidence interval and a plain word. A run is a file, or the name, number or range of numbers "
    "(3-6) of kept ones. docs/comparison.md tells the method."
)
COMPARISON = marked("comparison", f'"kind": "{KIND}"')


def split(words: list[str]) -> tuple[list[str], list[list[str]]]:
    """Puts an option in the place of the `--` between both sides; options may follow either."""
    if "--" not in words:
        return words, []
    at = words.index("--")
    return [*words[:at], "--candidate", *words[at + 1 :]], []


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """The command's options."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "compare",
        help="tell how runs differ from others, and how sure that is",
        usage="%(prog)s [OPTIONS] BASE... -- CANDIDATE...",
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    parser.add_argument("base", nargs="*", metavar="BASE", help="runs to compare with")
    parser.add_argument("--candidate", nargs="*", default=[], metavar="CANDIDATE", help="the same as `--`")
    parser.add_argument(
        "--allow-different", metavar="NAME,...", default="",
        help="compare although these differ: settings, facts (engine.name), groups of facts (engine, runtime, cluster, "
        "host), or all",
    )  # fmt: skip
    parser.add_argument("--folder", metavar="FOLDER", help=f"where kept runs are (default: ${VARIABLE})")
    add_output(parser)
    return parser


def add_output(parser: argparse.ArgumentParser) -> None:
    """Options of how a comparison is made, told and judged."""
    group = parser.add_argument_group("comparison")
    group.add_argument(
        "--fail-if", metavar="LIMIT", action="append", default=[], type=_limit,
        help="exit 1 if the intervals say so: 'p99 > +5%%', 'throughput < -3%%', 'errors > +0.1%%' (points); may be "
        "given several times",
    )  # fmt: skip
    group.add_argument(
        "--latency", choices=LATENCIES, help="which latency (default: response with a rate, else service)"
    )
    group.add_argument(
        "--run-variation", metavar="SHARE", type=_share, default=RUN_VARIATION,
        help="variation from run to run to assume when there is one run a side (default 2%%)",
    )  # fmt: skip
    group.add_argument("--json", metavar="FILE", help="write the comparison as JSON (- for standard output)")
    group.add_argument("--force", action="store_true", help="let --json replace a file that is no comparison")
    group.add_argument("--markdown", action="store_true", help="print Markdown, for a pull request")


def _limit(text: str) -> Any:
    try:
        return parse_limit(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("--fail-if ")) from error


def _share(text: str) -> float:
    try:
        return parse_share(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(args: argparse.Namespace) -> int:
    """Compares, tells, and gives 1 where a limit is broken."""
    if not args.base or not args.candidate:
        raise UsageError("name runs on both sides of `--`: cqlsurge compare BASE... -- CANDIDATE...")
    output = open_output(args)
    folder = folder_of(args.folder)
    base, candidate = read_runs(args.base, folder), read_runs(args.candidate, folder)
    allowed = [name.strip() for name in args.allow_different.split(",") if name.strip()]
    judged = judge_comparable(base, candidate, allowed)
    comparison = compare(
        base, candidate, latency=args.latency, run_variation=args.run_variation,
        differences=judged.differences, warnings=judged.warnings,
    )  # fmt: skip
    return tell(comparison, args, output)


def open_output(args: argparse.Namespace) -> OutputFile | None:
    """The file that --json asks for, found fit to be written. Raises ResultError."""
    return OutputFile(args.json, "--json", COMPARISON, force=args.force) if args.json else None


def tell(comparison: Comparison, args: argparse.Namespace, output: OutputFile | None) -> int:
    """Prints and writes a comparison as `add_output`'s options ask; 1 where a limit is broken, else 0."""
    outcomes = check_limits(comparison, args.fail_if)
    data = {
        **comparison.to_json(),
        "limits": [{"limit": one.limit.text, "broken": one.broken, "text": one.text} for one in outcomes],
    }
    stream = sys.stderr if is_standard_output(args.json) else sys.stdout
    if args.markdown:
        stream.write(markdown(comparison))
        stream.write("".join(f"- {one.text}\n" for one in outcomes))
    else:
        print_comparison(comparison, stream)
        stream.write("".join(f"{one.text}\n" for one in outcomes))
    if output is not None:
        output.write_text(json.dumps(data, indent=1) + "\n")
    return 1 if any(one.broken for one in outcomes) else 0

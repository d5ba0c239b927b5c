"""`cqlsurge ab [COMMON] -- OPTIONS-A -- OPTIONS-B`: two settings in turn on one database, and how they differ."""

from __future__ import annotations

import argparse
import random
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from cqlsurge.cli.compare import add_output, open_output, tell
from cqlsurge.cli.run import ADDRESS_HELP, add_settings, settings_from
from cqlsurge.errors import UsageError
from cqlsurge.host.starter import end_with_starter
from cqlsurge.results.comparable import EVERYTHING, judge_comparable
from cqlsurge.results.compare import compare
from cqlsurge.results.document import Document
from cqlsurge.results.files import OutputFile, is_standard_output
from cqlsurge.results.folder import folder_of, keep, make_folder
from cqlsurge.results.listener import Listener
from cqlsurge.runs.run import exit_code
from cqlsurge.runs.series import Audience, Series
from cqlsurge.settings import Settings
from cqlsurge.show.terminal.progress import make_display
from cqlsurge.show.terminal.runs import key_figures

DESCRIPTION = (
    "Runs two settings in turn on one database and compares them: A is the base, B the candidate. The embedded "
    "database, where no ADDRESS is given, is started once for all runs. Ctrl-C compares the runs that were made."
)
SIDES = "AB"
INTERRUPTED = 130
#: settings that name one file: the comparison has its own, and runs are kept in the folder
NOT_A_SIDES = ("json", "force", "hdr_log")
#: settings that a keyspace or a table has once it is made, and what a side needs of its own to differ in them
MADE_WITH = {"replication": ("keyspace",), "tablets": ("keyspace",), "create_with": ("keyspace", "table")}


def split(words: list[str]) -> tuple[list[str], list[list[str]]]:
    """The words before the first `--`, and those of each side. Raises UsageError unless there are two sides."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "--":
            parts.append([])
        else:
            parts[-1].append(word)
    if len(parts) != 3 and not {"-h", "--help"} & set(words):
        raise UsageError("give options for both sides: cqlsurge ab [OPTIONS] -- OPTIONS-A -- OPTIONS-B")
    return parts[0], parts[1:]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """The command's own options, and all of a run, which then are common to both sides."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "ab",
        help="run two settings in turn on one database, and compare them",
        usage="%(prog)s [ADDRESS] [COMMON OPTIONS] -- OPTIONS-A -- OPTIONS-B",
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help=ADDRESS_HELP)
    group = parser.add_argument_group("runs")
    group.add_argument("--repeat", type=int, default=5, metavar="N", help="runs of each side (default 5)")
    group.add_argument(
        "--order", choices=("abba", "random"), default="abba",
        help="abba: AB BA AB ...; random: each pair by lot, from --seed (default abba)",
    )  # fmt: skip
    group.add_argument(
        "--rehearse", type=int, metavar="N",
        help="runs of A before, that do not count (default: 1 on the embedded database, which starts cold, else 0)",
    )  # fmt: skip
    group.add_argument("--keep-in", metavar="FOLDER", help="keep the result documents there (default: ab-DATE-TIME)")
    add_output(parser)
    add_settings(parser, without=NOT_A_SIDES)
    return parser


def side_settings(common: argparse.Namespace, words: list[str]) -> Settings:
    """The settings of one side: its own options, over the common ones. Raises UsageError."""
    parser = argparse.ArgumentParser(prog="cqlsurge ab", usage="... -- OPTIONS-A -- OPTIONS-B", allow_abbrev=False)
    add_settings(parser, without=NOT_A_SIDES)
    parser.set_defaults(from_file=common.from_file)
    own = parser.parse_args(words)
    merged = argparse.Namespace(**{**vars(common), **vars(own)})
    merged.json = None  # the file of the comparison, not of a run
    return settings_from(merged)


def order_of(repeat: int, order: str, seed: int) -> list[int]:
    """Which side each run is of, 0 or 1: pairs, each in one order or the other."""
    rng = random.Random(seed)
    turned = [rng.random() < 0.5 if order == "random" else bool(pair % 2) for pair in range(repeat)]
    return [side for turn in turned for side in ((1, 0) if turn else (0, 1))]


def run(args: argparse.Namespace) -> int:
    """Makes the runs, keeps them, compares, tells."""
    sides = [side_settings(args, words) for words in args.sides]
    _check(args, sides)
    output = open_output(args)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = folder_of(args.keep_in) or Path(f"ab-{stamp}")
    make_folder(folder)
    end_with_starter()
    stream = sys.stderr if is_standard_output(args.json) else sys.stdout
    experiment = Experiment(sides, folder, stream)
    rehearsals = args.rehearse if args.rehearse is not None else int(sides[0].address is None)
    experiment.make(rehearsals, order_of(args.repeat, args.order, sides[0].seed))
    return _conclude(experiment, args, output)


def _check(args: argparse.Namespace, sides: list[Settings]) -> None:
    if args.repeat < 1 or (args.rehearse or 0) < 0:
        raise UsageError("--repeat is 1 or more, --rehearse 0 or more")
    if sides[0].address != sides[1].address:
        raise UsageError("A and B run on one database: give its address before the first `--`")
    for name, places in MADE_WITH.items():
        asked = [getattr(side, name) for side in sides]
        if asked[0] != asked[1] and all(getattr(sides[0], place) == getattr(sides[1], place) for place in places):
            raise UsageError(f"A and B differ in --{name.replace('_', '-')}: give each its own --{places[-1]}")


def _conclude(experiment: Experiment, args: argparse.Namespace, output: OutputFile | None) -> int:
    """Compares the runs that ended as asked; what the shell is told."""
    made, stream = experiment.made_of, experiment.stream
    if experiment.series.failure is not None:
        if not made[0] or not made[1]:
            raise experiment.series.failure
        stream.write(f"ended early: {experiment.series.failure}\n")
    if not made[0] or not made[1]:
        stream.write("interrupted before both sides had a run: nothing to compare\n")
        return INTERRUPTED
    judged = judge_comparable(made[0], made[1], [EVERYTHING])
    comparison = compare(
        made[0], made[1], latency=args.latency, run_variation=args.run_variation,
        differences=judged.differences, warnings=judged.warnings,
    )  # fmt: skip
    code = tell(comparison, args, output)
    numbers = " -- ".join(" ".join(side) for side in experiment.names)
    stream.write(f"once more: cqlsurge compare --folder {experiment.folder} --allow-different all {numbers}\n")
    if experiment.series.state == "interrupted":
        return INTERRUPTED
    if experiment.series.failure is not None:
        return experiment.series.failure.exit_code
    return max([code, *(exit_code(document) for side in made for document in side)])


class Experiment(Audience):
    """The runs of both sides, made in turn on one database."""

    def __init__(self, sides: list[Settings], folder: Path, stream: TextIO) -> None:
        self.sides, self.folder, self.stream = sides, folder, stream
        self.series = Series(sides[0].address, self)
        self.made_of: tuple[list[Document], list[Document]] = ([], [])
        self.names: tuple[list[str], list[str]] = ([], [])
        self._side: int | None = None  # of the run that goes on, if it counts

    def make(self, rehearsals: int, order: list[int]) -> None:
        """Makes the runs until all are made, one fails, or somebody interrupts."""

        def steps() -> None:
            for number in range(rehearsals):
                self._one(0, f"rehearsal {number + 1} of {rehearsals}", counts=False)
            for number, side in enumerate(order, 1):
                self._one(side, f"run {number} of {len(order)}", counts=True)

        self.series.make(steps)

    def _one(self, side: int, what: str, *, counts: bool) -> None:
        self._side = side if counts else None
        self.line(f"{what}: {SIDES[side]}")
        document = self.series.run(self.sides[side])
        if counts:
            self.made_of[side].append(document)

    def made(self, document: Document) -> None:
        """Keeps the run; an interrupted one is not compared."""
        if self._side is not None:
            name = keep(document, self.folder)
            if document["state"] != "interrupted":
                self.names[self._side].append(name.rpartition("-")[2])

    def ended(self, document: Document) -> None:
        """See Audience."""
        self.line(f"    {key_figures(document)}")

    def listener(self) -> AbstractContextManager[Listener]:
        """A live screen on a terminal."""
        quiet = any(side.quiet for side in self.sides) or not self.stream.isatty()
        return make_display(self.stream, quiet=quiet)

    def line(self, text: str) -> None:
        """See Audience."""
        self.stream.write(text + "\n")
        self.stream.flush()

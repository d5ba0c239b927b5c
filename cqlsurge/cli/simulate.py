"""`cqlsurge simulate`: holds a ScyllaDB-like server, or a null server, on loopback addresses."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from cqlsurge.host.starter import end_with_starter
from cqlsurge.processes.interpreters import environment, find_pypy
from cqlsurge.simulator import options

ROOT = Path(__file__).resolve().parents[2]
# -I keeps CPython's packages off PyPy's path; the simulator needs none.
START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from cqlsurge.simulator.__main__ import main; sys.exit(main())"
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The command's options."""
    parser = subparsers.add_parser(
        "simulate",
        help="hold a ScyllaDB-like server, or a null server, on this machine",
        description="Holds a simulated ScyllaDB cluster (or Cassandra, with --like cassandra) on 127.0.0.1, 127.0.0.2 "
        "and so on until Ctrl-C or SIGTERM. It keeps its rows in memory, counts what arrives at which shard, and "
        "delays or spoils answers on command. The password for --auth is read from CQLSURGE_SIMULATOR_PASSWORD.",
    )
    options.add_arguments(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Hold the server; the exit code. A null server goes on in PyPy's process where there is a PyPy."""
    options.check(args)
    pypy = find_pypy() if args.null and sys.implementation.name != "pypy" else None
    if pypy is not None:
        os.execve(pypy.path, [pypy.path, "-I", "-c", START, str(ROOT), *options.words(args)], environment())
    from cqlsurge.simulator.entry import run as hold

    end_with_starter()
    return hold(args, lambda text: print(text, file=sys.stderr, flush=True))

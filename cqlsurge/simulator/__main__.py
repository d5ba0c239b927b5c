"""`python -m cqlsurge.simulator`: the simulator alone, on the interpreter that runs this, with no other package."""

from __future__ import annotations

import argparse
import sys

from cqlsurge.errors import CqlsurgeError
from cqlsurge.host.starter import end_with_starter
from cqlsurge.simulator.entry import run
from cqlsurge.simulator.options import add_arguments


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, run, and give the exit code."""
    parser = argparse.ArgumentParser(prog="cqlsurge simulate", description="Holds a simulated ScyllaDB on loopback.")
    add_arguments(parser)
    end_with_starter()
    try:
        return run(parser.parse_args(arguments), _tell)
    except CqlsurgeError as error:
        sys.stderr.write(f"cqlsurge simulate: {error}\n")
        return error.exit_code


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())

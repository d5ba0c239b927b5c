"""The command line: `cqlsurge COMMAND ...`, and `program.py [ADDRESS] ...`, which is `cqlsurge run`.

Own errors print one line and give their exit code; bugs show their traceback.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from importlib import import_module

from cqlsurge import __version__
from cqlsurge.cli import COMMANDS
from cqlsurge.errors import CqlsurgeError
from cqlsurge.host.threads import ended_by

INTERRUPTED = 130


def program(arguments: list[str] | None = None) -> int:
    """`program.py`: the command line of the ancestor, which knows one command only."""
    words = sys.argv[1:] if arguments is None else arguments
    return main(["run", *words], program="program.py")


def main(arguments: list[str] | None = None, program: str = "cqlsurge") -> int:
    """Runs one command and gives the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    threading.excepthook = lambda failed: tell_of_thread(failed, program)
    try:
        code = run_command(words, program)
        if code == INTERRUPTED:
            _heed_no_repeats()
        return code
    except CqlsurgeError as error:
        sys.stderr.write(f"{program}: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        _heed_no_repeats()
        sys.stderr.write(f"{program}: interrupted before any load\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


def tell_of_thread(failed: threading.ExceptHookArgs, program: str) -> None:
    """A bug on a thread beside the load ends that thread alone: one line, where a traceback would cover the screen."""
    if isinstance(failed.exc_value, SystemExit):
        return
    if failed.exc_value is not None:
        name = failed.thread.name if failed.thread else "a thread"
        sys.stderr.write(f"{program}: {ended_by(name, failed.exc_value)}\n")


def _heed_no_repeats() -> None:
    """One Ctrl-C comes twice through uv: the second would meet an interpreter that is ending, with a traceback."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_command(words: list[str], program: str) -> int:
    """Parses the words and calls the command's `run`."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Load for ScyllaDB and Apache Cassandra from Python, and the truth about what was measured.",
    )
    parser.add_argument("--version", action="version", version=f"cqlsurge {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((word for word in words if not word.startswith("-")), None)
    sides: list[list[str]] = []
    for name, help_text in COMMANDS.items():
        if name == wanted:
            # Only the command that is called is imported: the others' packages may not be installed.
            module = import_module(f"cqlsurge.cli.{name}")
            command = module.add_parser(subparsers)
            if hasattr(module, "split"):
                words, sides = module.split(words)  # argparse would lose a `--`
            if program != "cqlsurge":
                command.prog = program
        else:
            subparsers.add_parser(name, help=help_text)
    args = parser.parse_args(words)
    args.sides, args.program = sides, program
    result: int = import_module(f"cqlsurge.cli.{args.command}").run(args)
    return result

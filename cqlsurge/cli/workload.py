"""`cqlsurge workload check|explain|show|list|import|derive`: looks at workloads and makes them; nothing is run."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from cqlsurge.cli.run import parser_of
from cqlsurge.errors import UsageError
from cqlsurge.runs.statement_check import check_statements
from cqlsurge.settings import Settings
from cqlsurge.workload import builtin
from cqlsurge.workload.document import nearest
from cqlsurge.workload.explain import explain
from cqlsurge.workload.sources import load_source

ABOUT = {
    "check": "find every error that can be found, offline, and with an ADDRESS at PREPARE too",
    "explain": "tell populations, sizes, hit rates, and what can be checked",
    "show": "print a workload that comes with the package, its operations one by one, or its code",
    "list": "list the workloads that come with the package",
}
#: actions that are modules of their own, beside this one: add_parser(actions), run(args)
MODULES = {"import": "workload_import", "derive": "workload_derive"}


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command with its own commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "workload", help="look at workloads, import and derive them", description="Looks at workloads, or makes them.",
        allow_abbrev=False,
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, about in ABOUT.items():
        one = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.", allow_abbrev=False)
        if name == "list":
            continue
        one.add_argument("workload", metavar="FILE", help="a YAML or Python file, or the name of one that comes along")
        one.add_argument(
            "-p", dest="param", action="append", default=[], metavar="NAME=VALUE", help="value of a parameter",
            type=parser_of(pair),
        )  # fmt: skip
        if name == "check":
            one.add_argument("address", nargs="?", metavar="ADDRESS", help="a cluster that shall take the statements")
            one.add_argument("--user", help="user name")
            one.add_argument("--password-file", metavar="FILE", help="file that holds the password")
        if name == "show":
            one.add_argument("--operations", type=int, metavar="N", help="print the first N operations of a phase")
            one.add_argument("--code", action="store_true", help="print the code that a phase becomes")
            one.add_argument("--phase", metavar="NAME", help="of this phase (default: the last)")
    for module in MODULES.values():
        import_module(f"cqlsurge.cli.{module}").add_parser(actions)
    return parser


def run(args: argparse.Namespace) -> int:
    """Does what is asked; gives the exit code."""
    if args.action in MODULES:
        result: int = import_module(f"cqlsurge.cli.{MODULES[args.action]}").run(args)
        return result
    if args.action == "list":
        width = max(len(name) for name in builtin.names())
        for name in builtin.names():
            print(f"{name:{width}}  {builtin.about(name)}")
        return 0
    params = dict(given.split("=", 1) for given in args.param)
    if args.action == "show":
        return _show(args, params)
    if args.action == "explain":
        print(explain(load_source(args.workload, params).spec))
        return 0
    return _check(args, params)


def _show(args: argparse.Namespace, params: dict[str, str]) -> int:
    from cqlsurge.workload.explain import operations_text

    if args.operations is not None:
        print(operations_text(load_source(args.workload, params).spec, args.phase, args.operations))
        return 0
    if args.code:
        from cqlsurge.workload.code import code_text

        print(code_text(load_source(args.workload, params).spec, args.phase))
        return 0
    if not builtin.is_name(args.workload):
        raise UsageError(
            f"no workload {args.workload!r} comes with the package{nearest(args.workload, builtin.names())}; "
            "give --operations N or --code to see those of a file"
        )
    print(builtin.text_of(args.workload), end="")
    return 0


def _check(args: argparse.Namespace, params: dict[str, str]) -> int:
    if args.address:
        settings = Settings(address=args.address, user=args.user, password_file=args.password_file)
        spec, notes = check_statements(settings, args.workload, params)
    else:
        spec, notes = load_source(args.workload, params).spec, []
    for note in notes:
        print(note)
    counts = f"{len(spec.tables)} tables, {len(spec.statements)} statements, {len(spec.phases)} phases"
    print(f"{args.workload}: {counts}: no error{f' at {args.address}' if args.address else ''}")
    return 0


def pair(text: str) -> str:
    """NAME=VALUE, as it was written. Raises ValueError."""
    name, sign, _ = text.partition("=")
    if not sign or not name.isidentifier():
        raise ValueError(f"{text!r}: write it as NAME=VALUE")
    return text

"""`cqlsurge doctor [ADDRESS]`: what this machine and these interpreters can do, and what to change."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from cqlsurge.cli.run import add_settings, settings_from
from cqlsurge.database.address import parse_address, parse_translations
from cqlsurge.database.connect import connect
from cqlsurge.database.secrets import read_security
from cqlsurge.database.shard_path import reached_shard
from cqlsurge.database.topology import identify, nodes_of
from cqlsurge.errors import ClusterError
from cqlsurge.host.facts import host_facts
from cqlsurge.host.limits import Finding, findings, read_limits
from cqlsurge.load.engines.contract import Node
from cqlsurge.load.engines.tls import client_context
from cqlsurge.processes.interpreters import find_pypy, own
from cqlsurge.results.ladder_document import HEADLINE_OPS_S
from cqlsurge.runs.ceiling import Ceiling, measure_ceiling, null_server
from cqlsurge.settings import Settings, options
from cqlsurge.units import show_count

RUN_S = 4.0
#: settings that count here, beside those of security
ALSO = ("blob_size", "translate")


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """The command's options: an address and how to log in there."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "doctor",
        help="tell what this machine can do, and what to change",
        description="Runs the engine against our own null server on each interpreter found, looks at the limits of "
        "this machine, and with an ADDRESS at the way to each node's shards.",
        allow_abbrev=False,
    )
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help="a cluster to look at as well")
    shown = [name for name, _, option in options() if option.group == "Security" or name in ALSO]
    add_settings(parser, without=[name for name, _, _ in options() if name not in shown])
    parser.add_argument("--seconds", type=float, default=RUN_S, help="length of each measurement (default 4)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Measures, looks, and prints what was found."""
    settings = settings_from(args)
    console = Console(highlight=False)
    facts = host_facts()
    console.print(f"{facts.get('cpu') or 'unknown CPU'}, {facts.get('cores')} cores to use, {facts.get('kernel')}")
    ceilings = _ceilings(settings, args.seconds, console)
    console.print(_table(ceilings))
    found = [*findings(read_limits()), *_of_interpreters(ceilings)]
    if settings.address:
        found += _of_cluster(settings, console)
    for finding in found:
        console.print(f"saw       {finding.saw}\nmay mean  {finding.may_mean}\ndo        {finding.do_this}\n")
    if not found:
        console.print("nothing stands in the way of a load run")
    return 0


def _ceilings(settings: Settings, seconds: float, console: Console) -> list[Ceiling]:
    interpreters = [own()]
    pypy = find_pypy()
    if pypy is not None and pypy.path != own().path:
        interpreters.insert(0, pypy)
    ceilings = []
    with null_server(settings.blob_size) as address:
        for interpreter in interpreters:
            with console.status(f"measuring {interpreter.text}"):
                ceiling = measure_ceiling(interpreter, address, blob_size=settings.blob_size, duration_s=seconds)
            ceilings.append(ceiling)
    return ceilings


def _table(ceilings: list[Ceiling]) -> Table:
    table = Table(title="engine wire, writes, against the null server", title_justify="left")
    table.add_column("interpreter")
    for name in ("CPU us/op", "ops/s here", "a core's ceiling", "cores for 400 K"):
        table.add_column(name, justify="right")
    for ceiling in ceilings:
        table.add_row(
            ceiling.interpreter.text,
            f"{ceiling.cpu_us_per_op:.2f}",
            show_count(ceiling.ops_s),
            show_count(ceiling.per_core_ops_s),
            f"{HEADLINE_OPS_S * ceiling.cpu_us_per_op / 1e6:.1f}",
        )
    return table


def _of_interpreters(ceilings: list[Ceiling]) -> list[Finding]:
    if any(ceiling.interpreter.implementation == "pypy" for ceiling in ceilings):
        return []
    return [
        Finding(
            "no PyPy 3.9 or newer",
            "load processes run on CPython and need about twice the CPU or more",
            "uv python install pypy@3.11, or your system's pypy3",
        )
    ]


def _of_cluster(settings: Settings, console: Console) -> list[Finding]:
    assert settings.address is not None
    security = read_security(settings)
    cluster, session = connect(parse_address(settings.address), security, parse_translations(settings.translate))
    try:
        identity, nodes = identify(session), nodes_of(cluster)
    finally:
        cluster.shutdown()
    console.print(f"{identity.product} {identity.version}: {len(nodes)} nodes")
    context = client_context(security.tls) if security.tls else None
    found = []
    for node in nodes:
        found += _of_shards(node, identity.product, context)
    return found


def _of_shards(node: Node, product: str, context: Any) -> list[Finding]:
    if not node.shards or node.shard_aware_port is None:
        if product != "ScyllaDB":
            return []
        return [
            Finding(
                f"{node.address} announces no shard-aware port",
                "connections reach random shards, and requests take a hop inside the node",
                "set native_shard_aware_transport_port in scylla.yaml",
            )
        ]
    try:
        missed = [shard for shard in range(node.shards) if reached_shard(node, shard, context) != shard]
    except ClusterError as error:
        return [Finding(str(error), "connections go through the ordinary port", "let the shard-aware port through")]
    if not missed:
        return []
    return [
        Finding(
            f"{len(missed)} of {node.shards} connections to {node.address} arrived at another shard than was meant",
            "something on the way (NAT, a published container port) changes source ports",
            "run on the nodes' own network, or use --network host for containers",
        )
    ]

"""The simulator's command line and process: options, ports, files that tell others, signals."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import ssl
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cqlsurge.errors import UsageError
from cqlsurge.host.ports import lease_port
from cqlsurge.simulator.cluster import Cluster, Credentials
from cqlsurge.simulator.request_log import RequestLog
from cqlsurge.simulator.server import new_event_loop
from cqlsurge.simulator.service import serve
from cqlsurge.simulator.topology import make_topology, node_address

if TYPE_CHECKING:
    from collections.abc import Callable

PASSWORD_VARIABLE = "CQLSURGE_SIMULATOR_PASSWORD"
INTERACTIVE_PORTS = (9042, 19042)
NODES_MAX = 1000
SHARDS_MAX = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `cqlsurge simulate`."""
    add = parser.add_argument
    add("--nodes", type=int, default=1, metavar="N", help="nodes, on 127.0.0.1, 127.0.0.2 and so on (default: 1)")
    add("--shards", type=int, default=1, metavar="S", help="shards of each node (default: 1)")
    add("--racks", type=int, default=1, metavar="R", help="racks of each data centre (default: 1)")
    add("--datacenters", type=int, default=1, metavar="D", help="data centres, datacenter1 and up (default: 1)")
    add("--port", type=int, metavar="PORT", help="CQL port of every node, 0 = a free one below 32768 "
        "(default: 9042 on a terminal, else, or with --ready-file, 0)")  # fmt: skip
    add("--shard-aware-port", type=int, metavar="PORT", help="port where the client's port picks the shard, 0 = a "
        "free one (default: 19042 beside 9042, else 0)")  # fmt: skip
    add("--like", choices=("scylla", "cassandra"), default="scylla", help="cassandra: no shards, tablets or other "
        "parts of ScyllaDB (default: scylla)")  # fmt: skip
    add("--tablets", action="store_true", help="new keyspaces have tablets unless they say otherwise")
    add("--null", action="store_true", help="answer each EXECUTE with the smallest right reply and keep nothing, as "
        "fast as can be; on PyPy where there is one")  # fmt: skip
    add("--blob-size", type=int, default=1000, metavar="BYTES", help="with --null: size of the values read "
        "(default: 1000)")  # fmt: skip
    add("--seed", type=int, metavar="SEED", help="with --null: give the values that a run of this seed would have "
        "written; else: seed of faults and delays (default: 0)")  # fmt: skip
    add("--latency", action="append", default=[], metavar="SPEC", help="hold answers back: fixed:2ms, "
        "lognormal:median=1ms,sigma=0.5 or histogram:FILE (lines MICROSECONDS COUNT), each with "
        ",node=N; repeatable")  # fmt: skip
    add("--stall", action="append", default=[], metavar="SPEC", help="hold all answers of a node: "
        "500ms:every=10s,from=3s,node=2; repeatable")  # fmt: skip
    add("--fault", action="append", default=[], metavar="SPEC", help="let requests meet a fault: overloaded:p=0.01, "
        "reset:p=0.001,node=2, down:node=3,from=5s,for=10s ...; repeatable")  # fmt: skip
    add("--auth", metavar="USER", help=f"ask for this user and the password in {PASSWORD_VARIABLE} or --password-file")
    add("--password-file", type=Path, metavar="FILE", help="with --auth: its first line is the password")
    add("--tls", nargs=2, type=Path, metavar=("CERT", "KEY"), help="speak TLS with this certificate and key (PEM)")
    add("--log-requests", type=Path, metavar="FILE", help="write a CSV line for each answer: stream, node, shard, "
        "client port, received, sent, injected delay (ns, CLOCK_MONOTONIC)")  # fmt: skip
    add("--ready-file", type=Path, metavar="FILE", help="written with the ADDRESS once it answers")
    add("--control-file", type=Path, metavar="FILE", help="written with the URL for counts, faults, delays, nodes")
    add("--until-stdin-closes", action="store_true", help="end when standard input does")


def words(args: argparse.Namespace) -> list[str]:
    """The command line that gives these arguments."""
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    made: list[str] = []
    for action in parser._actions:
        value = getattr(args, action.dest)
        option = action.option_strings[0]
        if value is True:
            made.append(option)
        elif isinstance(value, list):
            # --tls takes its two values at once, the repeatable options one each.
            made += [option, *map(str, value)] if action.nargs == 2 else [f"{option}={item}" for item in value]
        elif value is not None and value is not False:
            made.append(f"{option}={value}")
    return made


def check(args: argparse.Namespace) -> None:
    """UsageError for what cannot be."""
    for name, least, most in (
        ("nodes", 1, NODES_MAX),
        ("shards", 1, SHARDS_MAX),
        ("racks", 1, NODES_MAX),
        ("datacenters", 1, args.nodes),
        ("port", 0, 65535),
        ("shard_aware_port", 0, 65535),
        ("blob_size", 0, 1 << 24),
    ):
        value = getattr(args, name)
        if value is not None and not least <= value <= most:
            raise UsageError(f"--{name.replace('_', '-')} {value} cannot be; give {least} to {most}")
    if args.like == "cassandra" and (args.tablets or args.shards > 1):
        raise UsageError("--like cassandra has neither shards nor tablets; leave out --shards and --tablets")
    if args.null and (args.latency or args.stall or args.fault or args.log_requests):
        raise UsageError("--null knows no --latency, --stall, --fault or --log-requests; leave out --null to have them")
    if args.null and (args.tls or args.auth):
        raise UsageError("--null knows neither --tls nor --auth; leave out --null to have them")
    if args.password_file and not args.auth:
        raise UsageError("--password-file goes with --auth USER")
    for file in (args.ready_file, args.control_file):
        if file is not None and (file.is_dir() or not os.access(file.absolute().parent, os.W_OK | os.X_OK)):
            raise UsageError(f"cannot write {file}; name a file in a folder that exists and that you may write to")


def run(args: argparse.Namespace, tell: Callable[[str], None]) -> int:
    """Hold the simulated cluster until it is told to end; the exit code. `tell` gets lines for people."""
    check(args)
    with ExitStack() as stack:
        cluster = _make_cluster(args, stack)

        def announce(control_url: str) -> None:
            for file, text in ((args.control_file, control_url), (args.ready_file, _address(cluster))):
                if file is not None:
                    write_private(file, text)
                    stack.callback(file.unlink, missing_ok=True)
            topology = cluster.topology
            kind = "ScyllaDB" if topology.scylla else "Cassandra"
            tell(
                f"a simulated {kind} of {len(topology.nodes)} nodes with {topology.shard_count} shards answers at "
                f"{_address(cluster)}, data centre datacenter1; Ctrl-C stops it"
            )

        if args.null:
            from cqlsurge.simulator.null.server import serve_null

            return serve_null(cluster, args, announce)
        cluster.delays.set_latency(args.latency)
        cluster.delays.set_stalls(args.stall)
        for spec in args.fault:
            cluster.faults.add(spec)
        log = RequestLog(args.log_requests) if args.log_requests else None
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_hold(cluster, args, announce, log))
    return 0


async def _hold(
    cluster: Cluster, args: argparse.Namespace, announce: Callable[[str], None], log: RequestLog | None
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    if args.until_stdin_closes:

        def read() -> None:
            if not os.read(0, 4096):
                loop.remove_reader(0)
                stopping.set()

        loop.add_reader(0, read)
    await serve(cluster, stopping, announce, log, args.seed or 0)


def _make_cluster(args: argparse.Namespace, stack: ExitStack) -> Cluster:
    """Its ports are locked until `stack` ends."""
    addresses = [node_address(index) for index in range(args.nodes)]
    interactive = sys.stdout.isatty() and not args.ready_file
    port = args.port if args.port is not None else INTERACTIVE_PORTS[0] * interactive
    aware = args.shard_aware_port
    if aware is None:
        aware = INTERACTIVE_PORTS[1] if port == INTERACTIVE_PORTS[0] else 0
    port = stack.enter_context(lease_port(addresses, port)).port
    aware = stack.enter_context(lease_port(addresses, aware)).port if args.like == "scylla" else None
    topology = make_topology(
        args.nodes,
        args.shards,
        port,
        aware,
        scylla=args.like == "scylla",
        racks=args.racks,
        datacenters=args.datacenters,
    )
    return Cluster(
        topology,
        tablets=args.tablets,
        credentials=_credentials(args),
        tls=_tls(args),
        seed=args.seed or 0,
    )


def _address(cluster: Cluster) -> str:
    return f"{cluster.topology.nodes[0].address}:{cluster.topology.port}"


def _credentials(args: argparse.Namespace) -> Credentials | None:
    if not args.auth:
        return None
    password = os.environ.get(PASSWORD_VARIABLE)
    if args.password_file:
        try:
            password = (args.password_file.read_text(encoding="utf-8").splitlines() or [""])[0]
        except OSError as error:
            raise UsageError(f"cannot read {args.password_file}: {error.strerror}") from None
    if not password:
        raise UsageError(f"--auth needs a password: set {PASSWORD_VARIABLE} or give --password-file FILE")
    return Credentials(args.auth, password)


def _tls(args: argparse.Namespace) -> ssl.SSLContext | None:
    if not args.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(*args.tls)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"cannot use {args.tls[0]} and {args.tls[1]} for TLS: {error}") from None
    return context


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)

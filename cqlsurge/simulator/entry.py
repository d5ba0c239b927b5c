"""The simulator's process: ports, files that tell others, signals."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import ssl
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from cqlsurge.errors import UsageError
from cqlsurge.host.files import Announcement
from cqlsurge.host.ports import lease_port
from cqlsurge.simulator import options
from cqlsurge.simulator.cluster import Cluster, Credentials
from cqlsurge.simulator.request_log import RequestLog
from cqlsurge.simulator.server import new_event_loop
from cqlsurge.simulator.service import serve
from cqlsurge.simulator.topology import make_topology, node_address

if TYPE_CHECKING:
    from collections.abc import Callable


def run(args: argparse.Namespace, tell: Callable[[str], None]) -> int:
    """Hold the simulated cluster until it is told to end; the exit code. `tell` gets lines for people."""
    options.check(args)
    ready, controlled = (Announcement(file) if file else None for file in (args.ready_file, args.control_file))
    with ExitStack() as stack:
        cluster = _make_cluster(args, stack)

        def announce(control_url: str) -> None:
            for file, text in ((controlled, control_url), (ready, _address(cluster))):
                if file is not None:
                    file.write(text)
                    stack.callback(file.remove)
            topology = cluster.topology
            kind = "ScyllaDB" if topology.scylla else "Cassandra"
            tell(
                f"a simulated {kind} of {len(topology.nodes)} nodes with {topology.shard_count} shards answers at "
                f"{_address(cluster)}, data centre datacenter1; Ctrl-C stops it"
            )

        cluster.delays.set_latency(args.latency)
        cluster.delays.set_stalls(args.stall)
        cluster.delays.set_queues(args.queue)
        log = RequestLog(args.log_requests) if args.log_requests else None
        if args.null:
            from cqlsurge.simulator.null.server import serve_null

            return serve_null(cluster, args, announce, log)
        for spec in args.fault:
            cluster.faults.add(spec)
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
    port = args.port if args.port is not None else options.INTERACTIVE_PORTS[0] * interactive
    aware = args.shard_aware_port
    if aware is None:
        aware = options.INTERACTIVE_PORTS[1] if port == options.INTERACTIVE_PORTS[0] else 0
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
    password = os.environ.get(options.PASSWORD_VARIABLE)
    if args.password_file:
        try:
            password = (args.password_file.read_text(encoding="utf-8").splitlines() or [""])[0]
        except OSError as error:
            raise UsageError(f"cannot read {args.password_file}: {error.strerror}") from None
    if not password:
        raise UsageError(f"--auth needs a password: set {options.PASSWORD_VARIABLE} or give --password-file FILE")
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

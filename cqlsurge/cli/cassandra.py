"""`cqlsurge cassandra`: holds a real Apache Cassandra on loopback; stops, starts and kills nodes of a held one."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cqlsurge.database.embedded import EmbeddedCluster, start
from cqlsurge.database.embedded.control import ACTIONS, ControlServer, request
from cqlsurge.errors import EmbeddedError, UsageError
from cqlsurge.host.files import Announcement
from cqlsurge.host.starter import end_with_starter
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.units import parse_size

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERACTIVE_PORT = 9042
LOOK_EVERY_S = 0.25
INTERRUPTED = 130


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The command's options."""
    parser = subparsers.add_parser(
        "cassandra",
        help="hold a real Apache Cassandra on this machine",
        description="Starts a real Apache Cassandra 5.0 on loopback addresses and holds it until Ctrl-C or SIGTERM; "
        "with stop, start or kill it does that to one node of a cluster held with --control-file.",
    )
    parser.add_argument("action", nargs="?", choices=list(ACTIONS), help="what to do to a node of a held cluster")
    parser.add_argument("node", nargs="?", type=int, metavar="NODE", help="the node's number, from 1")
    parser.add_argument("--control", type=Path, metavar="FILE", help="the held cluster's control file")
    hold = parser.add_argument_group("holding a cluster")
    hold.add_argument("--nodes", type=int, default=1, metavar="N", help="nodes, on 127.0.0.1 and up (default: 1)")
    hold.add_argument(
        "--port",
        type=int,
        metavar="PORT",
        help=f"CQL port of every node, 0 = any free one below 32768 (default: {INTERACTIVE_PORT} on a terminal, "
        "else, or with --ready-file, 0)",
    )
    hold.add_argument(
        "--listen",
        metavar="IP",
        help="listen there instead of on loopback, for group on other hosts; whoever reaches it is let in",
    )
    hold.add_argument("--ready-file", type=Path, metavar="FILE", help="written with the ADDRESS once it answers")
    hold.add_argument("--control-file", type=Path, metavar="FILE", help="written with the URL that --control needs")
    hold.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the data here for a later start (default: removed)"
    )
    hold.add_argument("--tls", action="store_true", help="encrypt CQL, with certificates made for it")
    hold.add_argument(
        "--client-certificates", action="store_true", help="with --tls: each client must show the client certificate"
    )
    hold.add_argument("--auth", action="store_true", help="demand user and password: cassandra, cassandra")
    hold.add_argument(
        "--heap", type=_heap, metavar="SIZE", help="largest heap of each JVM (default: 1GiB, several nodes: 512MiB)"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks; the exit code."""
    if args.action:
        if args.node is None or args.control is None:
            raise UsageError(f"say which node and whose: cqlsurge cassandra {args.action} NODE --control FILE")
        print(request(args.control, args.action, args.node))
        return 0
    if args.control:
        raise UsageError("--control goes with stop, start or kill; to have the file written, use --control-file")
    if args.client_certificates and not args.tls:
        raise UsageError("--client-certificates needs --tls")
    args.ready, args.controlled = (
        Announcement(file) if file else None for file in (args.ready_file, args.control_file)
    )
    end_with_starter()
    interrupts = Interrupts()
    with interrupts.installed():
        return _hold(args, interrupts)


def _hold(args: argparse.Namespace, interrupts: Interrupts) -> int:
    """Start, hold and stop the cluster. An interrupt while it starts is 130; one while it is held is its normal end."""
    try:
        with interrupts.raising():
            cluster = start(
                args.nodes,
                port=_port(args),
                keep=args.keep,
                tls=args.tls,
                client_certificates=args.client_certificates,
                auth=args.auth,
                heap_mb=args.heap,
                address=args.listen,
                progress=_tell,
            )
    except KeyboardInterrupt:
        _tell("interrupted while starting; nothing is left running")
        return INTERRUPTED
    try:
        with interrupts.raising(), _announced(cluster, args) as control:
            _watch(cluster, control)
    except KeyboardInterrupt:
        _tell("stopping Apache Cassandra")
        interrupts.requested = 0
        with suppress(KeyboardInterrupt), interrupts.raising():  # a second Ctrl-C ends it without saving
            cluster.stop()
    finally:
        cluster.abort()
    return 0


def _watch(cluster: EmbeddedCluster, control: ControlServer) -> None:
    """Serve control requests and report nodes that die; raises EmbeddedError when none is left."""
    reported: dict[int, str] = {}
    while True:
        control.serve(LOOK_EVERY_S)
        dead = cluster.poll()
        for number in dead.keys() - reported.keys():
            _tell(dead[number])
        if len(dead) == len(cluster.nodes):
            raise EmbeddedError(f"no node is left: {dead[1]}")
        reported = dead


@contextmanager
def _announced(cluster: EmbeddedCluster, args: argparse.Namespace) -> Iterator[ControlServer]:
    """Write the ready and control files and say how to connect; the files go when the cluster does."""
    with ExitStack() as stack:
        control = ControlServer(cluster)
        stack.callback(control.server_close)
        for file, text in ((args.controlled, control.url), (args.ready, cluster.address)):
            if file:
                file.write(text)
                stack.callback(file.remove)
        print(f"{cluster.address}", flush=True)
        if cluster.tls:
            _tell(f"CA certificate: {cluster.tls.ca}")
            _tell(f"client certificate and key: {cluster.tls.client_certificate} {cluster.tls.client_key}")
        if cluster.user:
            _tell(f"user {cluster.user}, password {cluster.password} (Cassandra's own defaults)")
        _tell(f"Apache Cassandra answers at {cluster.address}, data centre {cluster.data_centre}; Ctrl-C stops it")
        yield control


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _port(args: argparse.Namespace) -> int:
    if args.port is not None:
        if not 0 <= args.port <= 65535:
            raise UsageError(f"--port {args.port} is no port; give 0 to 65535")
        return int(args.port)
    return INTERACTIVE_PORT if sys.stdout.isatty() and not args.ready_file else 0


def _heap(text: str) -> int:
    """MiB, from a size such as 1G or 512MiB."""
    try:
        return parse_size(text) // 2**20
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None

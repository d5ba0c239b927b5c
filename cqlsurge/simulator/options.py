"""The options of `cqlsurge simulate`. Imports little: the command may only be on its way to another interpreter."""

from __future__ import annotations

import argparse
from pathlib import Path

from cqlsurge.errors import UsageError

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
        "fast as can be; on PyPy where there is one; with --latency, --queue, --stall or --log-requests it "
        "polls without sleeping while requests come, and so takes a core")  # fmt: skip
    add("--blob-size", type=int, default=1000, metavar="BYTES", help="with --null: size of the values read "
        "(default: 1000)")  # fmt: skip
    add("--seed", type=int, metavar="SEED", help="with --null: give the values that a run of this seed would have "
        "written; else: seed of faults and delays (default: 0)")  # fmt: skip
    add("--latency", action="append", default=[], metavar="SPEC", help="hold answers back: fixed:2ms, "
        "lognormal:median=1ms,sigma=0.5 or histogram:FILE (lines MICROSECONDS COUNT), each with "
        ",node=N; repeatable")  # fmt: skip
    add("--queue", action="append", default=[], metavar="SPEC", help="let operations wait for a server of their node: "
        "exp:mean=40us,servers=4 (M/M/c) or fixed:mean=40us (M/D/c), with slow=2,for=20s,every=60s slower for some "
        "time of each; or wall:rate=30k,below=2ms,above=20ms; each with ,node=N; repeatable")  # fmt: skip
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
    if args.null and args.fault:
        raise UsageError("--null knows no --fault; leave out --null to have it")
    if args.null and (args.tls or args.auth):
        raise UsageError("--null knows neither --tls nor --auth; leave out --null to have them")
    if args.password_file and not args.auth:
        raise UsageError("--password-file goes with --auth USER")

"""cqlsurge beside latte, scylla-bench, cassandra-stress and YCSB: the same work on the same database.

    uv run python benchmarks/peers --list                       which tools are here, and how to have the others
    uv run python benchmarks/peers                              the embedded Cassandra, three rounds of all
    uv run python benchmarks/peers --rounds 1 --json peers.json --add      a further round into a file
    uv run python benchmarks/peers --rounds 0 --json peers.json --add      the table of a file again

A tool is used where CQLSURGE_PEER_LATTE, _SCYLLA_BENCH, _CASSANDRA_STRESS or _YCSB names it, or where it is on PATH.
Writes, then reads of the same keys, each for a fixed time; all tools take turns in each round. observe.py says how the
figures are taken. Every tool runs on the first core that may be used, the database where it likes. Only figures of one
table may be compared with each other: the machine's speed drifts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.peers.observe import MARGIN_S, SETTLE_S, Counter, Failed, observe
from benchmarks.peers.table import MODES, markdown
from benchmarks.peers.tools import KEYSPACE, PEERS, UNTRIED, Job, cqlsurge
from benchmarks.side_by_side import cases
from cqlsurge.database.connect import connect
from cqlsurge.database.embedded import start
from cqlsurge.database.secrets import Security
from cqlsurge.errors import CqlsurgeError
from cqlsurge.host.facts import host_facts
from cqlsurge.units import parse_count, parse_duration_s

WARM_S = 5


def rows(only, comparison):
    """The tools to run, cqlsurge's cases of side_by_side.py first: all, or those with one of `only` in their names."""
    tools = [*(cqlsurge(f"cqlsurge {label}", options) for label, options in cases(comparison)), *PEERS]
    return [tool for tool in tools if not only or any(text.lower() in tool.name.lower() for text in only)]


def show_list(tools):
    """Prints where each tool is, or how to have it."""
    for tool in tools:
        print(f"{tool.name}: {tool.find() or f'not found; to have it: {tool.get}; or set {tool.variable}'}")
    for name, reason in UNTRIED.items():
        print(f"{name}: not driven by this benchmark: {reason}")


def create(session, tools):
    """The keyspace, and a table for each tool."""
    session.execute(
        f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    )
    for table, columns in {tool.table: tool.columns for tool in tools}.items():
        session.execute(f"CREATE TABLE IF NOT EXISTS {KEYSPACE}.{table} ({columns})")


def one_run(tool, program, job, session):
    """What was seen of a run and what the tool says, as it goes into the file; the reason when it failed."""
    counter = Counter(session, KEYSPACE, tool.table, job.mode)
    with tempfile.TemporaryDirectory() as folder:
        job = replace(job, folder=Path(folder))
        try:
            seen = observe(tool.command(program, job), job.folder, counter, job.duration_s)
            said = tool.said(seen.output, job.folder)
        except (Failed, ValueError, KeyError, OSError) as error:
            return str(error)
    figures = {name: value for name, value in asdict(seen).items() if name != "output"}
    return {"tool": tool.name, "mode": job.mode, **figures, "says": asdict(said)}


def measure(args, address, document, tools):
    """Runs all rounds; the runs go into the document."""
    host, _, port = address.rpartition(":")
    cluster, session = connect([(host, int(port))], Security())
    job = Job(host, int(port), "write", args.duration, args.concurrency, args.keys, Path())
    try:
        release = session.execute("SELECT release_version FROM system.local").one().release_version
        document["database"] = f"Apache Cassandra {release}" + ("" if args.address else " embedded, one node")
        create(session, tools)
        # The first tool that is here, cqlsurge mostly, does each kind of work before anything counts: a warm database.
        for tool in [tool for tool in tools if tool.find()][:1]:
            for mode in MODES:
                one_run(tool, tool.find(), replace(job, mode=mode, duration_s=WARM_S), session)
        for number in range(1, args.rounds + 1):
            for mode in MODES:
                for tool in tools:
                    one_turn(document, tool, replace(job, mode=mode), session, f"{number}/{args.rounds}")
                    save(args.json, document)
    finally:
        cluster.shutdown()


def save(path, document):
    """Writes the file, if one is wanted; after each run, so that what was measured outlives an interruption."""
    if path:
        path.write_text(json.dumps(document, indent=1) + "\n")


def one_turn(document, tool, job, session, label):
    """One tool's turn, told on standard error; what came of it goes into the document."""
    program = tool.find()
    run = one_run(tool, program, job, session) if program else f"not found; to have it: {tool.get}"
    if isinstance(run, str):
        document["tools"][tool.name]["not_run"] = run
        print(f"  {label} {job.mode} {tool.name}: not run: {run}", file=sys.stderr)
        return
    document["tools"][tool.name].pop("not_run", None)
    document["runs"].append({"date": datetime.datetime.now().isoformat(timespec="seconds"), **run})
    print(
        f"  {label} {job.mode} {tool.name}: {run['ops_s']:,.0f} ops/s, {run['cpu_us_per_op']:.1f} us/op,"
        f" start-up {run['startup_s']:.1f} s, {run['memory_mb']:.0f} MB; it says {run['says']}",
        file=sys.stderr,
    )


def new_document(args, tools):
    """The file's frame, or the file itself with --add."""
    settings = {"duration_s": args.duration, "concurrency": args.concurrency, "keys": args.keys}
    if args.add and args.json and args.json.exists():
        document = json.loads(args.json.read_text())
        if document["settings"] != settings and args.rounds:
            raise SystemExit(f"{args.json} has other settings ({document['settings']}): give the same, or another file")
        for tool in tools:
            document["tools"].setdefault(tool.name, {})["limits"] = tool.limits
        return document
    return {
        "command": " ".join(["benchmarks/peers", *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(),
        "machine": host_facts(),
        "database": "",
        "settings": settings,
        "tools": {
            **{tool.name: {"limits": tool.limits} for tool in tools},
            **{name: {"limits": "", "not_run": reason} for name, reason in UNTRIED.items()},
        },
        "runs": [],
    }


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--list", action="store_true", help="only tell which tools are here")
    add("--only", action="append", metavar="TEXT", help="only tools with this in their names; may be repeated")
    add("--engines", action="store_true", help="also cqlsurge's other engines, as in side_by_side.py engines")
    add("--address", help="a Cassandra of one node, 4.0 or newer (default: the embedded one)")
    add("--rounds", type=int, default=3)
    add("--duration", type=lambda text: int(parse_duration_s(text)), default=10, help="of each run (default 10s)")
    add("--concurrency", type=int, default=100)
    add("--keys", type=parse_count, default=20_000)
    add("--json", type=Path, metavar="FILE", help="write all runs there")
    add("--add", action="store_true", help="keep the runs that are in FILE already")
    args = parser.parse_args()
    if args.duration <= SETTLE_S + MARGIN_S:
        parser.error(f"--duration must be longer than {SETTLE_S + MARGIN_S} s, of which nothing counts")
    tools = rows(args.only, "engines" if args.engines else "wire-cassandra")
    try:
        if args.list:
            show_list(tools)
            return
        document = new_document(args, tools)
        if args.rounds:
            own = nullcontext() if args.address else start(progress=lambda text: print(text, file=sys.stderr))
            with own as cassandra:
                measure(args, args.address or cassandra.address, document, tools)
    except CqlsurgeError as error:
        raise SystemExit(str(error)) from error
    print(markdown(document), end="")


if __name__ == "__main__":
    main()

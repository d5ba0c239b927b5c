"""The wire engine against its floor, on the null server: interleaved runs, medians and their ratio.

    uv run python benchmarks/wire_null.py                                  1 node, writes, 512 in flight
    uv run python benchmarks/wire_null.py --nodes 3 --shards 8 --mode mixed --concurrency 2048
    uv run python benchmarks/wire_null.py --runtime cpython --operations 1M --rounds 5

The engine runs as users run it, through program.py with everything on, and its figure is `client.cpu_us_per_op` of the
measured phase. The floor (floor.py) is a bare loop of the same traffic on the same interpreter. The client is pinned to
the first core, the null server (on PyPy where there is one) to the last. Only figures of one table may be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cqlsurge.database.connect import connect
from cqlsurge.database.secrets import Security
from cqlsurge.database.topology import nodes_of, replication_of, tablets_of
from cqlsurge.load.engines.contract import Target
from cqlsurge.processes.interpreters import environment, find_pypy
from cqlsurge.units import parse_count

ROOT = Path(__file__).resolve().parent.parent
START_S = 60


def start_null(args, folder):
    """(process, address) of a null server pinned to the last core."""
    ready = Path(folder, "ready")
    command = [
        sys.executable, "-c", "import sys; from cqlsurge.cli.main import main; sys.exit(main(sys.argv[1:]))",
        "simulate", "--null", "--nodes", str(args.nodes), "--shards", str(max(1, args.shards)), "--port", "0",
        "--blob-size", str(args.blob_size), "--ready-file", str(ready),
    ]  # fmt: skip
    if getattr(args, "seed", None) is not None:
        command += ["--seed", str(args.seed)]
    if not args.shards:
        command += ["--like", "cassandra"]
    last = {max(os.sched_getaffinity(0))}
    process = subprocess.Popen(command, cwd=ROOT, preexec_fn=lambda: os.sched_setaffinity(0, last))
    deadline = time.monotonic() + START_S
    while not (ready.exists() and ready.read_text()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the null server did not start")
        time.sleep(0.05)
    return process, ready.read_text().strip()


def target_of(address, shards):
    """The null cluster as the engine is told of it: seen once the driver knows all of its shards."""
    host, _, port = address.split(",")[0].rpartition(":")
    cluster, session = connect([(host, int(port))], Security())
    try:
        session.execute(
            "CREATE KEYSPACE IF NOT EXISTS floor WITH replication ="
            " {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"
        )
        session.execute("CREATE TABLE IF NOT EXISTS floor.kv (key uuid PRIMARY KEY, value blob)")
        deadline = time.monotonic() + START_S
        while any(node.shards != shards for node in nodes_of(cluster)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return Target(
            contact_points=((host, int(port)),),
            local_dc="datacenter1",
            keyspace="floor",
            table="kv",
            nodes=nodes_of(cluster),
            replication=replication_of(session, "floor"),
            tablets=tablets_of(session, "floor", "kv"),
        )
    finally:
        cluster.shutdown()


def run_floor(args, target, python):
    """(microseconds of CPU an operation, operations a second, answers a wake)."""
    job = {
        "target": target.to_json(),
        "workload": {
            "seed": 1, "keyspace": "floor", "table": "kv", "mode": args.mode, "keys": args.operations,
            "blob_size": args.blob_size,
        },
        "operations": args.operations,
        "concurrency": args.concurrency,
    }  # fmt: skip
    core = {min(os.sched_getaffinity(0))}
    result = subprocess.run(
        [python, str(ROOT / "benchmarks" / "floor.py")],
        input=json.dumps(job), capture_output=True, text=True, check=True, env=environment(),
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )  # fmt: skip
    figures = json.loads(result.stdout)
    return figures["user_us"] + figures["system_us"], figures["ops_s"], figures["ops_per_wake"]


def run_wire(args, address, folder):
    """Microseconds of CPU an operation, of the measured phase."""
    path = Path(folder, "run.json")
    command = [
        sys.executable, str(ROOT / "program.py"), address, "--quiet", "--engine", "wire", "--runtime", args.runtime,
        "--processes", "1", "--no-compression", "--no-populate", "--keyspace", "floor", "--mode", args.mode,
        "--operations", str(args.operations), "--concurrency", str(args.concurrency),
        "--blob-size", str(args.blob_size), "--json", str(path),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stderr or result.stdout)
    document = json.loads(path.read_text())
    return document["client"]["cpu_us_per_op"], document["throughput_ops_s"]


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--nodes", type=int, default=1)
    add("--shards", type=int, default=0, help="of each node; 0: like Cassandra (default)")
    add("--mode", choices=("write", "read", "mixed"), default="write")
    add("--operations", type=parse_count, default=5_000_000)
    add("--concurrency", type=int, default=512)
    add("--blob-size", type=int, default=1000)
    add("--rounds", type=int, default=5)
    add("--runtime", default="auto", help="as for program.py (default: auto)")
    args = parser.parse_args()
    pypy = find_pypy()
    if args.runtime == "auto":
        args.runtime = "cpython" if pypy is None else "pypy"
    python = {"cpython": sys.executable, "pypy": str(pypy.path) if pypy else ""}.get(args.runtime, args.runtime)
    floors, wires = [], []
    with tempfile.TemporaryDirectory() as folder:
        server, address = start_null(args, folder)
        try:
            target = target_of(address, args.shards)
            for number in range(args.rounds):
                floors.append(run_floor(args, target, python))
                wires.append(run_wire(args, address, folder))
                print(f"  {number + 1}: floor {floors[-1][0]:.3f} us/op, wire {wires[-1][0]:.3f}", file=sys.stderr)
        finally:
            server.terminate()
            server.wait()
    floor, wire = (median(run[0] for run in runs) for runs in (floors, wires))
    shape = f"{args.nodes} x {max(1, args.shards)}, {args.mode}, {args.blob_size} B, {args.concurrency} in flight"
    print(f"{shape}, {args.operations} operations, {python}")
    print(f"floor {floor:.3f} us/op  wire {wire:.3f} us/op  ratio {wire / floor:.2f}")
    print(f"ops/s: floor {median(run[1] for run in floors):,.0f}, wire {median(run[1] for run in wires):,.0f}")


if __name__ == "__main__":
    main()

"""The wire engine against its floor on a real database: the embedded Cassandra, writes and reads, interleaved.

    uv run python benchmarks/wire_cassandra.py                             PyPy and CPython, 100 in flight, 5 rounds
    uv run python benchmarks/wire_cassandra.py --runtime cpython --modes read --rounds 3
    uv run python benchmarks/wire_cassandra.py --address HOST:PORT         a Cassandra that runs already

The engine runs as users run it, through program.py with its default options; the floor (floor.py) is a bare loop of the
same traffic on the same interpreter. Client CPU an operation is of the load process in the measured phase, after 2 s of
warm-up (the floor leaves out its first fifth); the client is pinned to the first core. A real server answers a few
operations at a time, so what a wake costs (poll, clock, send, receive) is spread over few of them: answers a wake stand
beside each figure. Only figures of one table may be compared.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from wire_null import ROOT, run_floor, target_of

from cqlsurge.database.embedded import start
from cqlsurge.processes.interpreters import find_pypy
from cqlsurge.units import parse_count


def run_wire(args, address, runtime, mode):
    """(microseconds of CPU an operation, operations a second, answers a wake, slow answers)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        command = [
            sys.executable, str(ROOT / "program.py"), address, "--quiet", "--engine", "wire", "--runtime", runtime,
            "--processes", "1", "--no-populate", "--keyspace", "floor", "--mode", mode,
            "--operations", str(args.operations), "--concurrency", str(args.concurrency),
            "--blob-size", str(args.blob_size), "--warmup", "2s", "--json", str(path),
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise SystemExit(result.stderr or result.stdout)
        document = json.loads(path.read_text())
    gauges = document["workers"][0]["gauges"]
    wakes = gauges["polls"] - gauges["empty_polls"]
    client = document["client"]
    return (
        client["cpu_us_per_op"], document["throughput_ops_s"], document["operations"]["ok"] / max(1, wakes),
        client["slow_answers"],
    )  # fmt: skip


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--address", help="a database that runs already; else the embedded Cassandra is started")
    add("--runtime", choices=("pypy", "cpython"), help="only this one")
    add("--modes", nargs="+", default=["write", "read"], choices=("write", "read", "mixed"))
    add("--operations", type=parse_count, default=300_000)
    add("--concurrency", type=int, default=100)
    add("--blob-size", type=int, default=1000)
    add("--rounds", type=int, default=5)
    args = parser.parse_args()
    pypy = find_pypy()
    pythons = {"pypy": str(pypy.path) if pypy else "", "cpython": sys.executable}
    runtimes = [args.runtime] if args.runtime else [name for name, path in pythons.items() if path]
    with ExitStack() as stack:
        address = args.address
        if address is None:
            cluster = start(progress=lambda text: print(text, file=sys.stderr))
            stack.callback(cluster.stop)
            address = cluster.address
        target = target_of(address, 0)
        measure(args, address, target, [(name, pythons[name]) for name in runtimes])


def measure(args, address, target, runtimes):
    """All rounds, and the table."""
    cells = [(name, python, mode) for name, python in runtimes for mode in args.modes]
    floors: dict[tuple[str, str], list] = {}
    wires: dict[tuple[str, str], list] = {}
    for number in range(args.rounds):
        for name, python, mode in cells:
            args.mode = mode
            floor = run_floor(args, target, python)
            wire = run_wire(args, address, name, mode)
            floors.setdefault((name, mode), []).append(floor)
            wires.setdefault((name, mode), []).append(wire)
            print(
                f"  {number + 1} {name} {mode}: floor {floor[0]:.2f} us/op ({floor[2]:.1f} a wake),"
                f" wire {wire[0]:.2f} ({wire[2]:.1f} a wake)",
                file=sys.stderr,
            )
    print(f"{args.concurrency} in flight, {args.blob_size} B, {args.rounds} rounds of {args.operations} operations")
    print("| runtime | mode | floor us/op | a wake | wire us/op | a wake | ratio | wire ops/s | slow answers |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for (name, mode), runs in floors.items():
        ours = wires[name, mode]
        floor, wire = (median(run[0] for run in each) for each in (runs, ours))
        print(
            f"| {name} | {mode} | {floor:.2f} | {median(run[2] for run in runs):.1f} | {wire:.2f} |"
            f" {median(run[2] for run in ours):.1f} | {wire / floor:.2f} | {median(run[1] for run in ours):,.0f} |"
            f" {sum(run[3] for run in ours)} |"
        )


if __name__ == "__main__":
    main()

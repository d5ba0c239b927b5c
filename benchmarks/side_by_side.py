"""Runs of `program.py` side by side: several settings, interleaved, repeated; medians and ratios as a table.

    uv run python benchmarks/side_by_side.py engines            each engine on the embedded Cassandra
    uv run python benchmarks/side_by_side.py window-batch       what tuning scylla-driver brings
    uv run python benchmarks/side_by_side.py wire-cassandra     wire against technique batch, both interpreters
    uv run python benchmarks/side_by_side.py engines --address HOST:PORT --rounds 5

Client CPU is of the load processes in the measured phase (`client.cpu_us_per_op`). Only figures of one table may be
compared with each other: the machine's speed drifts. The load process is pinned to the first core; the database runs
where it likes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cqlsurge.database.embedded import start
from cqlsurge.errors import CqlsurgeError
from cqlsurge.processes.interpreters import find_pypy
from cqlsurge.units import parse_count

ROOT = Path(__file__).resolve().parent.parent
COMMON = ["--processes", "1", "--no-compression", "--blob-size", "1000", "--consistency", "LOCAL_QUORUM", "--quiet"]
BATCH = ["--engine", "scylla-driver", "--technique", "batch"]
WINDOW = ["--engine", "scylla-driver", "--technique", "window"]


def cases(name):
    """(label, options) of each thing to run."""
    pypy = find_pypy() is not None
    wire = [("wire, PyPy", ["--engine", "wire", "--runtime", "pypy"])] if pypy else []
    wire += [("wire, CPython", ["--engine", "wire", "--runtime", "cpython"])]
    batch_pypy = [("scylla-driver batch, PyPy", [*BATCH, "--runtime", "pypy"])] if pypy else []
    batch = [("scylla-driver batch, CPython", [*BATCH, "--runtime", "cpython"])]
    window = [("scylla-driver window, CPython", [*WINDOW, "--runtime", "cpython"])]
    others = [("acsylla (C++)", ["--engine", "acsylla"]), ("scylladb-rs (Rust)", ["--engine", "scylladb-rs"])]
    return {
        "engines": [*wire, *window, *others, *batch_pypy, *batch],
        "window-batch": [*window, *batch],
        "wire-cassandra": [*wire, *batch_pypy, *batch],
    }[name]


def run(address, options, operations, concurrency, table):
    """The result document of one run, or the reason why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        words = [
            *COMMON,
            *options,
            "--operations",
            str(operations),
            "--concurrency",
            str(concurrency),
            "--table",
            table,
        ]
        command = [sys.executable, str(ROOT / "program.py"), address, *words, "--json", str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            return (result.stderr or result.stdout).strip().splitlines()[-1]
        return json.loads(path.read_text())


def measure(address, name, rounds, operations, concurrency):
    """Prints the table of one comparison."""
    found = {label: [] for label, _ in cases(name)}
    for number in range(rounds + 1):
        for label, options in cases(name):
            # The slow ones do a quarter of the work: the figures are per operation.
            count = operations if "wire" in label else max(operations // 4, 5000)
            # The first round is there to warm the database.
            document = run(address, options, count, concurrency, "kv")
            if isinstance(document, str):
                print(f"{label}: not run: {document}", file=sys.stderr)
            elif number:
                found[label].append(document)
                print(f"  {number}/{rounds} {label}: {document['client']['cpu_us_per_op']:.2f} us/op", file=sys.stderr)
    print(f"\nwrites of 1000 B, {concurrency} in flight, one process, {rounds} interleaved rounds, medians (min-max)\n")
    print("| engine | client CPU us/op | ops/s | p99 ms | MB |")
    print("| --- | --- | --- | --- | --- |")
    for label, documents in found.items():
        if documents:
            cpu = [document["client"]["cpu_us_per_op"] for document in documents]
            rate = [document["throughput_ops_s"] for document in documents]
            p99 = median(document["latency_us"]["all"]["service"]["p99"] for document in documents) / 1000
            memory = median(document["client"]["max_rss_mb"] for document in documents)
            print(
                f"| {label} | {median(cpu):.2f} ({min(cpu):.2f}-{max(cpu):.2f}) | "
                f"{median(rate):,.0f} ({min(rate):,.0f}-{max(rate):,.0f}) | {p99:.1f} | {memory:.0f} |"
            )


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", choices=("engines", "window-batch", "wire-cassandra"))
    parser.add_argument("--address", help="a database (default: the embedded Cassandra)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--operations", type=parse_count, default=100_000)
    parser.add_argument("--concurrency", type=int, default=100)
    args = parser.parse_args()
    sizes = (args.comparison, args.rounds, args.operations, args.concurrency)
    try:
        if args.address:
            measure(args.address, *sizes)
            return
        with start(progress=lambda text: print(text, file=sys.stderr)) as cassandra:
            measure(cassandra.address, *sizes)
    except CqlsurgeError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()

"""What an operation costs the engine `wire`, one thing varied at a time; a part takes some minutes.

    uv run python benchmarks/matrix.py sizes          100, 1000 and 10000 bytes, writes, reads and both; 3 x 8 shards
    uv run python benchmarks/matrix.py flight         1 to 4096 in flight
    uv run python benchmarks/matrix.py compression    on and off, for values that shrink and that do not
    uv run python benchmarks/matrix.py verify         reads that are checked
    uv run python benchmarks/matrix.py tls            on and off, against the simulator: the null server has no TLS
    uv run python benchmarks/matrix.py processes      1, 2 and 4 load processes
    uv run python benchmarks/matrix.py connections    1 to 200
    uv run python benchmarks/matrix.py length         1 M to 64 M operations

The base is 1 node with 1 shard, writes of 1000 bytes, 512 in flight, on the null server. Each figure is the median of
interleaved runs of program.py as users run it, with its range: CPU of the load processes an operation, its share that
went to the kernel (from /proc), operations a second. The client is pinned to the first core, the server to the last.
Only figures of one table may be compared. Markdown to standard output, JSON to --json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from watching import Watch
from wire_null import ROOT, start_null

sys.path.insert(0, str(ROOT))

from cqlsurge.database.embedded.certificates import certificates

BASE = {"mode": "write", "blob-size": 1000, "concurrency": 512, "processes": 1}
SEED = 1


@dataclass(frozen=True)
class Server:
    """What stands at the other end: nodes x shards (0: like Cassandra), the null server unless `simulator` says so."""

    nodes: int = 1
    shards: int = 0
    blob_size: int = 1000
    #: of the values that it gives
    seed: int | None = None
    simulator: bool = False
    tls: bool = False


@dataclass(frozen=True)
class Cell:
    """One row for each runtime: `options` of program.py over the base, `words` without a value."""

    name: str
    options: dict = field(default_factory=dict)
    words: tuple = ()
    server: Server = Server()
    #: the row that this one is compared with
    beside: str = ""


def cell(name, beside="", server=None, words=(), **options):
    options = {key.replace("_", "-"): value for key, value in options.items()}
    size = options.get("blob-size", BASE["blob-size"])
    return Cell(name, options, tuple(words), server or Server(blob_size=size), beside)


WIDE, SEEDED = Server(3, 8), Server(seed=SEED)
PARTS = {
    "sizes": [
        *(
            cell(f"{mode}, {size} B", mode=mode, blob_size=size)
            for mode in ("write", "read")
            for size in (100, 1000, 10_000)
        ),
        cell("mixed, 1000 B", mode="mixed"),
        cell("mixed, 1000 B, 3 x 8 shards, 2048 in flight", mode="mixed", server=WIDE, concurrency=2048),
    ],
    "flight": [cell(f"{count} in flight", concurrency=count) for count in (1, 8, 64, 512, 4096)],
    "compression": [
        cell("random, off", words=["--no-compression"]),
        cell("random, on", "random, off", words=["--compression"]),
        cell("text, off", words=["--no-compression"], fill="text"),
        cell("text, on", "text, off", words=["--compression"], fill="text"),
    ],
    "verify": [
        cell("reads, unchecked", "", SEEDED, mode="read"),
        cell("reads, --verify", "reads, unchecked", SEEDED, ["--verify"], mode="read"),
        cell("reads, a tenth checked", "reads, unchecked", SEEDED, ["--verify"], mode="read", verify_share=0.1),
    ],
    "tls": [
        cell("writes, plain", "", Server(simulator=True)),
        cell("writes, TLS", "writes, plain", Server(simulator=True, tls=True)),
        cell("reads, plain", "", Server(simulator=True), mode="read"),
        cell("reads, TLS", "reads, plain", Server(simulator=True, tls=True), mode="read"),
    ],
    "processes": [cell(f"{count} processes", processes=count) for count in (1, 2, 4)],
    "connections": [
        cell(f"{count} connections ({nodes} x {max(1, shards)})", server=Server(nodes, shards), concurrency=2048)
        for count, nodes, shards in ((1, 1, 0), (8, 1, 8), (24, 3, 8), (64, 8, 8), (200, 25, 8))
    ],
    "length": [cell(f"{millions} M operations", operations=f"{millions}M") for millions in (1, 4, 16, 64)],
}


@contextmanager
def running(server, folder):
    """The server, pinned to the last core; gives its address."""
    folder.mkdir()
    if not server.simulator:
        args = argparse.Namespace(**vars(server))
        process, address = start_null(args, folder)
    else:
        process, address = start_simulator(server, folder)
    try:
        yield address
    finally:
        process.terminate()
        process.wait()


def start_simulator(server, folder):
    """(process, address) of a simulator like Cassandra, with TLS or without."""
    ready = folder / "ready"
    command = [
        sys.executable,
        "-m",
        "cqlsurge.simulator",
        "--like",
        "cassandra",
        "--port",
        "0",
        "--ready-file",
        str(ready),
    ]
    if server.tls:
        paths = certificates(folder, ["127.0.0.1"])
        command += ["--tls", str(paths.server), str(paths.server)]
    last = {max(os.sched_getaffinity(0))}
    process = subprocess.Popen(command, cwd=ROOT, preexec_fn=lambda: os.sched_setaffinity(0, last))
    while not ready.exists():
        if process.poll() is not None:
            raise SystemExit("the simulator did not start")
        time.sleep(0.05)
    return process, ready.read_text().strip()


def run_once(cell, runtime, address, folder, seconds):
    """Figures of one run."""
    path = folder / "run.json"
    length = {} if "operations" in cell.options else {"duration": f"{seconds}s"}
    options = {**BASE, **length, **cell.options}
    words = list(cell.words)
    if not {"--compression", "--no-compression"} & set(words):
        words.append("--no-compression")
    if cell.server.simulator:
        options["keys"] = 10_000
        if cell.server.tls:
            words += ["--tls-ca", str(folder / "ca.pem")]
    command = [
        sys.executable, str(ROOT / "program.py"), address, "--quiet", "--no-populate",
        "--runtime", shutil.which(runtime) or runtime, "--seed", str(SEED), "--json", str(path), *words,
        *(word for name, value in options.items() for word in (f"--{name}", str(value))),
    ]  # fmt: skip
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watch = Watch(run.pid, 0.05)
    said, _ = run.communicate()
    watch.stop()
    if run.returncode:
        raise SystemExit(f"{cell.name} on {runtime}: {said}")
    document = json.loads(path.read_text())
    return {
        "cpu_us_per_op": document["client"]["cpu_us_per_op"],
        "system_share": watch.system_share(document["duration_s"]),
        "ops_s": document["throughput_ops_s"],
        "max_rss_mb": document["client"]["max_rss_mb"],
        "p99_us": document["latency_us"]["all"]["service"]["p99"],
        "bound_by": document["verdict"]["bound_by"],
    }


def measure(cells, args):
    """{(cell's name, runtime): figures of each round}."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folders = {server: Path(scratch, str(at)) for at, server in enumerate({each.server: 0 for each in cells})}
        addresses = {server: stack.enter_context(running(server, folder)) for server, folder in folders.items()}
        for number in range(args.rounds):
            for each in cells:
                for runtime in args.runtime:
                    if runtime == "cpython" and each.options.get("operations") == "64M":
                        continue  # minutes, for a figure that the 16 M before it give
                    folder = folders[each.server]
                    figures = run_once(each, runtime, addresses[each.server], folder, args.seconds)
                    found.setdefault((each.name, runtime), []).append(figures)
                    print(f"  {number + 1}: {each.name}, {runtime}: {figures}", file=sys.stderr)
    return found


def tell(cells, runtimes, found):
    """Markdown rows: of each runtime, all cells."""
    print("| runtime | what | CPU us/op | range | kernel | ops/s | most MB | beside |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for runtime in runtimes:
        for each in cells:
            rounds = found.get((each.name, runtime))
            if not rounds:
                continue
            costs = [figures["cpu_us_per_op"] for figures in rounds]
            middle = {name: median(figures[name] for figures in rounds) for name in rounds[0] if name != "bound_by"}
            beside = ""
            if each.beside:
                base = median(figures["cpu_us_per_op"] for figures in found[each.beside, runtime])
                beside = f"{100 * (middle['cpu_us_per_op'] / base - 1):+.0f}%"
            row = (
                runtime, each.name, f"{middle['cpu_us_per_op']:.3f}", f"{min(costs):.3f}-{max(costs):.3f}",
                f"{100 * middle['system_share']:.0f}%", f"{middle['ops_s']:,.0f}", f"{middle['max_rss_mb']:.0f}",
                beside,
            )  # fmt: skip
            print(f"| {' | '.join(row)} |")


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("part", choices=PARTS)
    add("--runtime", action="append", help="as for program.py, repeatable (default: pypy3.11, pypy3 and cpython)")
    add("--rounds", type=int, default=3)
    add("--seconds", type=float, default=2.0, help="of each run (default: 2)")
    add("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    args.runtime = args.runtime or ["pypy3.11", "pypy3", "cpython"]
    cells = PARTS[args.part]
    found = measure(cells, args)
    tell(cells, args.runtime, found)
    if args.json:
        rows = [{"cell": name, "runtime": runtime, "rounds": rounds} for (name, runtime), rounds in found.items()]
        args.json.write_text(json.dumps({"part": args.part, "base": BASE, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

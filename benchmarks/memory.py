"""How much memory a load process takes over many operations, and whether it grows.

    uv run python benchmarks/memory.py                           50 M writes on PyPy, then on CPython
    uv run python benchmarks/memory.py --runtime pypy --operations 200M --mode mixed

The load goes to a null server, 512 in flight. Asked: at most 150 MB on PyPy and 60 MB on CPython, and at the end no
more than 1.05 times what it was at a tenth of the way. The exit code is 1 where that is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from watching import Watch
from wire_null import ROOT, start_null

sys.path.insert(0, str(ROOT))

from cqlsurge.units import parse_count

MOST_MB = {"pypy": 150, "cpython": 60}
GROWTH = 1.05


def measure(args, runtime):
    """Runs once and prints what came of it; whether it kept to what is asked."""
    with tempfile.TemporaryDirectory() as folder:
        server, address = start_null(args, folder)
        path = Path(folder, "run.json")
        command = [
            sys.executable, str(ROOT / "program.py"), address, "--quiet", "--runtime", runtime, "--processes", "1",
            "--no-populate", "--mode", args.mode, "--operations", str(args.operations), "--concurrency", "512",
            "--blob-size", str(args.blob_size), "--json", str(path),
        ]  # fmt: skip
        try:
            run = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            watch = Watch(run.pid)
            if run.wait():
                raise SystemExit("the run failed")
            watch.stop()
        finally:
            server.terminate()
            server.wait()
        document = json.loads(path.read_text())
    first_mb, last_mb = watch.growth("worker", document["duration_s"])
    most_mb = document["client"]["max_rss_mb"]
    kept = most_mb <= MOST_MB.get(document["runtime"]["implementation"], most_mb) and last_mb <= GROWTH * first_mb
    row = (
        document["runtime"]["name"], args.mode, f"{document['operations']['ok']:,}", f"{document['duration_s']:.0f} s",
        f"{most_mb:.1f} MB", f"{first_mb:.1f} MB", f"{last_mb:.1f} MB", f"{last_mb / first_mb:.3f}",
        "yes" if kept else "NO",
    )  # fmt: skip
    print(f"| {' | '.join(row)} |", flush=True)
    return kept


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--runtime", action="append", help="as for program.py, repeatable (default: pypy and cpython)")
    add("--operations", type=parse_count, default=50_000_000)
    add("--mode", choices=("write", "read", "mixed"), default="write")
    add("--blob-size", type=int, default=1000)
    args = parser.parse_args()
    args.nodes, args.shards = 1, 0
    print("| runtime | mode | operations | took | most | at a tenth | at the end | growth | kept |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    kept = [measure(args, runtime) for runtime in args.runtime or ("pypy", "cpython")]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())

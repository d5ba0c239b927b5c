"""What it costs the client to be many hosts: two load processes, with Dask (--hosts local:2) and without, interleaved.

    uv run python benchmarks/hosts_cpu.py                         7 rounds of 4M writes against the null server
    uv run python benchmarks/hosts_cpu.py --rounds 3 --operations 1M

Client CPU per operation is that of the load processes, as in every result; medians and their ratio are printed, and for
the runs with Dask the start skew, the bytes of messages and the CPU time of everything else (parent, scheduler, Dask
workers).
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cqlsurge.results.files import read_document
from cqlsurge.runs.ceiling import null_server
from cqlsurge.units import parse_count

ROOT = Path(__file__).resolve().parent.parent


def run(address, args, words):
    """The document of a run, and the CPU seconds of all of its processes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        command = [
            sys.executable, str(ROOT / "program.py"), address, "--quiet", "--no-compression",
            "--operations", str(args.operations), "--concurrency", str(args.concurrency), "--json", str(path), *words,
        ]  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(done.stderr or done.stdout)
        spent_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return read_document(str(path)), spent_s


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--operations", type=parse_count, default=4_000_000)
    parser.add_argument("--concurrency", type=int, default=512)
    args = parser.parse_args()
    alone, hosts, skews_ms, shares = [], [], [], []
    with null_server(1000) as address:
        for number in range(args.rounds):
            pair = [(alone, ["--processes", "2"]), (hosts, ["--hosts", "local:2", "--processes", "1"])]
            for costs, words in pair if number % 2 else reversed(pair):
                document, spent_s = run(address, args, words)
                costs.append((document["client"]["cpu_us_per_op"], document["throughput_ops_s"], spent_s))
                if document["hosts"]:
                    client = document["client"]
                    skews_ms.append(client["start_skew_ms"])
                    messages = sum(host["message_bytes"] for host in document["hosts"])
                    shares.append(messages / (client["bytes_out"] + client["bytes_in"]))
            print(f"  {number + 1}: alone {alone[-1][0]:.3f} us/op, hosts {hosts[-1][0]:.3f}", file=sys.stderr)
    us = [median(cost for cost, _, _ in costs) for costs in (alone, hosts)]
    print(f"{args.operations} writes of 1000 B, 2 processes, {args.concurrency} in flight each, {os.cpu_count()} cores")
    print(f"without Dask {us[0]:.3f} us/op, --hosts local:2 {us[1]:.3f} us/op, ratio {us[1] / us[0]:.3f}")
    print(f"ops/s: {median(rate for _, rate, _ in alone):,.0f} and {median(rate for _, rate, _ in hosts):,.0f}")
    print(
        f"CPU of all processes: {median(s for _, _, s in alone):.1f} s and {median(s for _, _, s in hosts):.1f} s a run"
    )
    print(f"start skew: median {median(skews_ms):.2f} ms, at most {max(skews_ms):.2f} ms")
    print(f"messages: {median(shares):.4%} of the load's bytes, at most {max(shares):.4%}")


if __name__ == "__main__":
    main()

"""Reported latencies against an observer: a null server that holds answers back and stamps each request twice.

    uv run python benchmarks/accuracy.py [--rate 1k,20k,100k] [--seconds 10] [--runs 1] [--runtime pypy,cpython]
        [--latency lognormal:median=2ms,sigma=0.5] [--no-spin]

For each runtime and rate, one load process on the first core runs against a null server on the last (on PyPy where
there is one; it polls without sleeping). The server's stamps (after its receive, before its send) give what the service
times were there; the reported ones add the way there and back, which on loopback is the kernel's and the client's
share. A response is a wait and a service time: the reported percentiles of responses are held against those of stamps
that each have a wait added, drawn from the reported ones. The error allowed is 2% or 100 us, whichever is more, for
both. Percentiles above what the samples can show (100 beyond each) are left out. Medians of the runs.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from operator import add
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cqlsurge.load.latency.hdr import decode
from cqlsurge.load.latency.histogram import filled
from cqlsurge.load.latency.layout import median_at
from cqlsurge.processes.interpreters import find_pypy
from cqlsurge.runs.run import run
from cqlsurge.settings import Settings
from cqlsurge.units import parse_count

ROOT = Path(__file__).resolve().parent.parent
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from cqlsurge.simulator.__main__ import main; main()"
PERCENTILES = (("p50", 50.0), ("p99", 99.0), ("p99_9", 99.9))
BEYOND = 100
#: while an observer collects garbage it sees nothing: a nursery that is cleared fast, and no major collections
OBSERVER = {"PYPY_GC_NURSERY": "8M", "PYPY_GC_MIN": "2G"}
#: for both compilers to get warm
WARMUP_S = 15.0
ALLOWED_SHARE, ALLOWED_US = 0.02, 100.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", default="1k,20k,100k")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--runtime", default="pypy,cpython")
    parser.add_argument("--latency", default="lognormal:median=2ms,sigma=0.5")
    parser.add_argument("--no-spin", action="store_true", help="leave the other core alone on a crowded machine")
    args = parser.parse_args()
    columns = ("runtime", "rate", "figure", "observer us", "service us", "error us", "with waits us", "response us")
    print("|", " | ".join((*columns, "error us", "allowed us", "wait us")), "|")
    print("| --- " * (len(columns) + 3) + "|")
    good = True
    for runtime in args.runtime.split(","):
        for rate in args.rate.split(","):
            found = [measured(runtime, rate, args) for _ in range(args.runs)]
            for name in found[0]:
                observer, service, expected, response, wait = (median(one[name][i] for one in found) for i in range(5))
                errors = (service - observer, response - expected)
                allowed = max(ALLOWED_SHARE * observer, ALLOWED_US)
                near = all(abs(error) <= allowed for error in errors)
                good &= near
                print(
                    f"| {runtime} | {rate} | {name} | {observer:.1f} | {service:.1f} | {errors[0]:+.1f} | "
                    f"{expected:.1f} | {response:.1f} | {errors[1]:+.1f} | {allowed:.1f} | {wait:.1f} |"
                    f"{'' if near else ' too far'}",
                    flush=True,
                )
    return 0 if good else 1


def measured(runtime: str, rate: str, args: argparse.Namespace) -> dict[str, tuple[float, ...]]:
    """{figure: (observer, reported service, observer with waits, reported response, wait)} in microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        log, ready = Path(folder) / "log.csv", Path(folder) / "ready"
        pypy = find_pypy()
        options = ["--null", "--port", "0", "--ready-file", str(ready), "--log-requests", str(log)]
        options += ["--latency", args.latency]
        last = {max(os.sched_getaffinity(0))}
        command = [str(pypy.path) if pypy else sys.executable, "-I", "-c", START, str(ROOT), *options]
        server = subprocess.Popen(
            [*command, "--until-stdin-closes"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, last), env={**os.environ, **OBSERVER},
        )  # fmt: skip
        try:
            while not (ready.exists() and ready.read_text()):
                time.sleep(0.05)
            settings = Settings(
                address=ready.read_text().strip(), runtime=runtime, rate=rate, duration=args.seconds, processes=1,
                blob_size=100, warmup=WARMUP_S, spin=not args.no_spin,
            )  # fmt: skip
            document = run(settings)
        finally:
            assert server.stdin is not None
            server.stdin.close()
            server.wait(60)
        stamps = observed_ns(log)
    reported = document["latency_us"]["write"]
    expected = parse_count(rate) * args.seconds
    print(
        f"{runtime} {rate}: {len(stamps)} requests stamped in the measured {args.seconds:g} s, "
        f"{document['latency_us']['all']['service']['count']} ok of {expected:.0f} asked",
        file=sys.stderr,
    )
    waits = drawn_ns(decode(document["histograms"]["write"]["wait"]), len(stamps))
    with_waits = sorted(map(add, stamps, waits))
    figures = {}
    for name, wanted in PERCENTILES:
        if round(len(stamps) * (1 - wanted / 100)) >= BEYOND or name == "p50":
            service, response, wait = (reported[which][name] for which in ("service", "response", "wait"))
            observer, expected = (percentile(values, wanted) / 1000 for values in (stamps, with_waits))
            figures[name] = (observer, service, expected, response, wait)
    return figures


def drawn_ns(counts: list[int], count: int) -> list[int]:
    """So many latencies out of a histogram, in no order."""
    indexes = filled(counts)
    return [median_at(index) for index in random.Random(1).choices(indexes, [counts[i] for i in indexes], k=count)]


def observed_ns(log: Path) -> list[int]:
    """From received to sent, of the load's connections: those with the most requests; the others are the control's."""
    with log.open(encoding="ascii") as file:
        rows = [(row["client_port"], int(row["received_ns"]), int(row["sent_ns"])) for row in csv.DictReader(file)]
    requests = Counter(port for port, _, _ in rows)
    busy = max(requests.values()) / 2
    load = [(received, sent) for port, received, sent in rows if requests[port] >= busy]
    # The first of them are from the handshake, well before the first operation.
    begin = sorted(received for received, _ in load)[20] + WARMUP_S * 1e9
    return sorted(sent - received for received, sent in load if received >= begin)


def percentile(values: list[int], wanted: float) -> int:
    """The value at rank ceil(wanted * count / 100) of sorted values."""
    return values[max(0, math.ceil(wanted / 100 * len(values)) - 1)]


if __name__ == "__main__":
    sys.exit(main())

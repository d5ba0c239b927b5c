"""Asked against achieved rates, of one load process on the null server.

    uv run python benchmarks/rates.py [--rate 1k,20k,50k,200k] [--seconds 30] [--runtime pypy,cpython]

Constant arrivals must come to within 0.1% of what was asked; counts of Poisson arrivals to within 3 / sqrt(n) of it,
since they spread by sqrt(n). The load process is on the first core, the null server on the last.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from wire_null import start_null

from cqlsurge.runs.run import run
from cqlsurge.settings import Settings
from cqlsurge.units import parse_count

#: for the compiler to get warm
WARMUP_S = 3.0
CONSTANT_SHARE = 0.001


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", default="1k,20k,50k,200k")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runtime", default="pypy,cpython")
    args = parser.parse_args()
    server_args = argparse.Namespace(nodes=1, shards=0, blob_size=1000)
    print("| runtime | arrivals | asked ops/s | ok | error % | allowed % | wait p99 us | backlog |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        server, address = start_null(server_args, folder)
        try:
            for runtime in args.runtime.split(","):
                for rate in args.rate.split(","):
                    for arrivals in ("constant", "poisson"):
                        good &= measure(address, runtime, rate, arrivals, args.seconds)
        finally:
            server.terminate()
            server.wait()
    return 0 if good else 1


def measure(address: str, runtime: str, rate: str, arrivals: str, seconds: float) -> bool:
    """One run and its row; whether the rate was held."""
    document = run(
        Settings(
            address=address,
            runtime=runtime,
            rate=rate,
            arrivals=arrivals,
            duration=seconds,
            warmup=WARMUP_S,
            processes=1,
        )
    )
    asked = parse_count(rate) * seconds
    response = document["latency_us"]["all"]
    ok = response["response"]["count"]
    error = ok / asked - 1
    allowed = CONSTANT_SHARE if arrivals == "constant" else 3 / math.sqrt(asked)
    near = abs(error) <= allowed
    print(
        f"| {runtime} | {arrivals} | {rate} | {ok:,} | {100 * error:+.4f} | {100 * allowed:.3f} | "
        f"{response['wait']['p99']:.0f} | {document['operations']['backlog']} |{'' if near else ' too far'}",
        flush=True,
    )
    return near


if __name__ == "__main__":
    sys.exit(main())

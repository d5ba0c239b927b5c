"""How many group of which size a rate needs: the table of docs/scale-out.md, from measured figures. Arithmetic only.

    uv run python benchmarks/sizing.py
    uv run python benchmarks/sizing.py --cost-us 2.5 --bytes 300 --nodes 12 --shards 32

For your own load take cost and bytes from a run of one host: `client.cpu_us_per_op`, and `bytes_out` and `bytes_in`
over the operations.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cqlsurge.units import show_count

TARGETS_OPS_S = (1_000_000, 10_000_000, 100_000_000)
#: (cores, Gbit/s of the network card): assumed sizes, roughly what clouds offer
MACHINES = ((4, 10), (16, 25), (64, 100))
#: benchmarks/RESULTS.md, PyPy 3.11: the null server (3 x 8 shards, mixed, 2048 in flight), and a real Cassandra (100 in
#: flight), where processes wake for each few answers
COSTS_US = (0.56, 2.8)
#: of a write of 1000 B, from result documents: 1064 out, 18 in; on the wire some 5% more (headers of 1448 B segments)
BYTES_PER_OP = 1082
HEADERS = 1.05
#: of a loader's cores for load processes; the rest is for the kernel's network work. An assumption
CPU_SHARE = 0.5
#: of a network card's rate. An assumption
NETWORK_SHARE = 0.7
#: ports for outgoing connections to one address and port: Linux, 32768 to 60999
PORTS = 28_232


def group_by_cpu(target_ops_s, cost_us, cores):
    """Operations a second x CPU seconds an operation = busy cores; each loader lends a share of its own."""
    return math.ceil(target_ops_s * cost_us / 1e6 / (cores * CPU_SHARE))


def group_by_network(target_ops_s, bytes_per_op, gbit_s):
    """Operations a second x bits an operation, over what a card takes."""
    return math.ceil(target_ops_s * bytes_per_op * 8 * HEADERS / (gbit_s * 1e9 * NETWORK_SHARE))


def main():
    """Reads the command line and prints the tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cost-us", type=float, nargs="+", default=COSTS_US)
    parser.add_argument("--bytes", type=float, default=BYTES_PER_OP, help="of an operation, both ways")
    parser.add_argument("--nodes", type=int, default=12, help="of the database")
    parser.add_argument("--shards", type=int, default=32, help="of each node")
    args = parser.parse_args()
    costs = [f"by CPU at {cost:g} us" for cost in args.cost_us]
    heads = ["ops/s", "busy cores", "Gbit/s", "loader", *costs, "by network", "group"]
    print(f"| {' | '.join(heads)} |\n|{' --: |' * len(heads)}")
    for target in TARGETS_OPS_S:
        busy = " to ".join(f"{target * cost / 1e6:,.0f}" for cost in args.cost_us)
        gbit_s = target * args.bytes * 8 * HEADERS / 1e9
        for cores, card in MACHINES:
            by_cpu = [group_by_cpu(target, cost, cores) for cost in args.cost_us]
            by_network = group_by_network(target, args.bytes, card)
            needed = [max(one, by_network) for one in by_cpu]
            text = f"{needed[0]:,}" if needed[0] == needed[-1] else f"{needed[0]:,} to {needed[-1]:,}"
            row = [
                show_count(target), busy, f"{gbit_s:,.1f}", f"{cores} cores, {card} Gbit/s",
                *(f"{one:,}" for one in by_cpu), f"{by_network:,}", f"**{text}**",
            ]  # fmt: skip
            print(f"| {' | '.join(row)} |")
    print(f"\nConnections, {args.nodes} nodes of {args.shards} shards:\n")
    print("| loader | connections of a loader | to each node | of the ports for it |\n| --: | --: | --: | --: |")
    for cores, _ in MACHINES:
        each = cores * args.shards
        print(f"| {cores} cores | {each * args.nodes:,} | {each:,} | {each / PORTS:.1%} |")


if __name__ == "__main__":
    main()

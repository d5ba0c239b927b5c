"""The share of requests that each node and shard should get from the `wire` engine, and what it got. Pure.

The ranges are those that the engine routes by (load/engines/placement.py); replicas take turns by operation number.
Keys are spread over all tokens alike.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cqlsurge.load.engines.contract import Node, Target
from cqlsurge.load.engines.placement import BY_TOKEN, Place, token_ranges

INT64_MIN = -(1 << 63)
TOKENS = 1 << 64
#: a range of so many rounds over all shards gives each of them the same, but for less than 1%
MANY_ROUNDS = 256
#: what is more than so many standard deviations off, and more than so large a part of what was expected, is no chance
SIGMAS = 6.0
OFF = 0.2
#: where there were so many answers, a node that gave none of them was away
MANY_ANSWERS = 100


def expected_shares(target: Target) -> dict[Place, float]:
    """{(host id, shard): share of the requests}, 1 in all; shard -1 where a node has none."""
    nodes = [node for node in target.nodes if node.dc == target.local_dc] or list(target.nodes)
    if not nodes or target.tablets == ():
        return {}
    shards = {node.host_id: node.shards for node in nodes}
    ranges = token_ranges(target, nodes)
    width = max(map(len, ranges.places))
    msb = {node.host_id: node.ignore_msb for node in nodes}
    shares: dict[Place, float] = {}
    first = INT64_MIN - 1
    for last, places in zip(ranges.bounds, ranges.places, strict=True):
        for choice in range(width):
            host, shard = places[choice % len(places)]
            part = (last - first) / TOKENS / width
            if shard != BY_TOKEN or not shards[host]:
                shares[host, shard] = shares.get((host, shard), 0.0) + part
                continue
            for index, portion in enumerate(shard_portions(first, last, shards[host], msb[host])):
                shares[host, index] = shares.get((host, index), 0.0) + part * portion
        first = last
    return shares


def shard_portions(first: int, last: int, shards: int, ignore_msb: int) -> list[float]:
    """How the tokens (first, last] are divided among a node's shards (see load/routing/sharding.py)."""
    round_tokens = 1 << (64 - ignore_msb)
    if last - first >= MANY_ROUNDS * round_tokens:
        return [1 / shards] * shards
    if last == first:
        return [0.0] * shards
    begin, end = first - INT64_MIN + 1, last - INT64_MIN + 1
    slices = [(-(-shard * round_tokens // shards), -(-(shard + 1) * round_tokens // shards)) for shard in range(shards)]
    count = [_below(end, low, high, round_tokens) - _below(begin, low, high, round_tokens) for low, high in slices]
    return [each / (last - first) for each in count]


def _below(past: int, low: int, high: int, every: int) -> int:
    """How many numbers below `past` are, modulo `every`, from `low` up to but not including `high`."""
    return past // every * (high - low) + min(max(past % every - low, 0), high - low)


def with_shares(targets: Sequence[Mapping[str, Any]], shares: Mapping[Place, float]) -> list[dict[str, Any]]:
    """The rows with `share`, of all requests, and `expected_share`, None where nothing is known of it."""
    total = sum(row["issued"] for row in targets) or 1
    rows = Counter(row["node"] for row in targets)

    def expected(node: str, shard: int) -> float | None:
        # The engine may have found shards where the control plane knew of none.
        share = shares.get((node, shard), shares[node, -1] / rows[node] if (node, -1) in shares else None)
        return None if share is None else round(share, 6)

    return [
        {**row, "share": round(row["issued"] / total, 6), "expected_share": expected(row["node"], row["shard"])}
        for row in targets
    ]


def absent_nodes(targets: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> list[str]:
    """The nodes that were away for some of the time, or all of it, in words; `targets` from with_shares.

    Those that the cluster said were down, and those that got too little because connections to them were lost or never
    stood.
    """
    away = {_node(str(event["address"])) for event in events if event["event"] == "node down"}
    expected: dict[str, float] = defaultdict(float)
    got: dict[str, float] = defaultdict(float)
    lost: Counter[str] = Counter()
    for row in targets:
        expected[row["address"]] += row["expected_share"] or 0.0
        got[row["address"]] += row["share"]
        lost[row["address"]] += row["lost"]
    many = sum(row["ok"] for row in targets) >= MANY_ANSWERS
    for address, share in expected.items():
        if many and got[address] < (1 - OFF) * share and (lost[address] or not got[address]):
            away.add(_node(address))
    return [f"node {address} was down, or could not be reached, for some of the time" for address in sorted(away)]


def _node(address: str) -> str:
    """An address without its port."""
    return address.rpartition(":")[0] if address.count(":") == 1 else address


def imbalances(
    targets: Sequence[Mapping[str, Any]],
    engine: Mapping[str, Any],
    nodes: Sequence[Node],
    keys: int,
    *,
    uneven: bool = False,
) -> list[str]:
    """What is wrong with the balance, in words; `targets` from with_shares, `engine` what the engine said of itself.

    `keys`: how many keys there are, which bounds how evenly they can be spread; `uneven`: a node was away, so that
    others had its part.
    """
    found = []
    sharded = sum(node.shards for node in nodes)
    if sharded and not uneven and "shards_covered" in engine and engine["shards_covered"] < sharded:
        found.append(
            f"shard-awareness is missing: connections to {engine['shards_covered']} of {sharded} shards only; "
            + "; ".join(engine.get("notes", []))
        )
    total = sum(row["issued"] for row in targets)
    count = min(total, keys)
    off = [row for row in targets if row["expected_share"] and _is_off(row, count) and not uneven]
    worst = sorted(off, key=lambda row: -abs(row["share"] - row["expected_share"]))[:3]
    found += [
        f"{row['address']}{_shard(row)} got {row['share']:.1%} of the requests instead of {row['expected_share']:.1%}"
        for row in worst
    ]
    if len(off) > len(worst):
        found.append(f"{len(off) - len(worst)} more nodes or shards are as far off")
    return found


def _is_off(row: Mapping[str, Any], count: int) -> bool:
    expected = row["expected_share"]
    deviation = math.sqrt(expected * (1 - expected) / max(1, count))
    return bool(abs(row["share"] - expected) > max(SIGMAS * deviation, OFF * expected, 1 / max(1, count)))


def _shard(row: Mapping[str, Any]) -> str:
    return f" shard {row['shard']}" if row["shard"] >= 0 else ""

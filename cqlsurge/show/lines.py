"""Words that displays, summaries and reports share: what a run goes against, with what, and what is told first."""

from __future__ import annotations

from typing import Any

from cqlsurge.units import show_s

#: answers awaited for less than this are told in the document alone
STRAGGLERS_S = 0.5


def cluster_line(cluster: dict[str, Any]) -> str:
    """Product, version, nodes, shards, placement and replication."""
    nodes = f"{cluster['nodes']} node" + ("s" if cluster["nodes"] != 1 else "")
    shards = f" x {cluster['shards'] // max(1, cluster['nodes'])} shards" if cluster["shards"] else ""
    own = " (embedded)" if cluster["embedded"] else ""
    factors = [f"{name} {factor}" for name, factor in cluster["replication"].items() if name != "class"]
    return (
        f"{cluster['product']} {cluster['version']}{own}: {nodes}{shards} in {', '.join(cluster['dcs'])}, "
        f"{cluster['placement']}, replication {', '.join(factors)}"
    )


def engine_line(engine: dict[str, Any], runtime: dict[str, Any]) -> str:
    """Engine, technique, interpreter, compression."""
    technique = f" {engine['technique']}" if engine.get("technique") else ""
    compression = engine.get("compression") or "none"
    return f"engine {engine['name']}{technique} on {runtime['name']}, compression {compression}"


def stragglers_line(stragglers: dict[str, Any]) -> str:
    """What was awaited after the end of issuing, and what came of it; empty where that took hardly any time."""
    if stragglers.get("awaited_s", 0.0) < STRAGGLERS_S:
        return ""
    came = ", ".join(f"{stragglers[name]:,} {name}" for name in ("ok", "failed", "unknown") if stragglers[name])
    return (
        f"{stragglers['in_flight']:,} in flight when the last operation was issued, awaited for "
        f"{show_s(stragglers['awaited_s'])}: {came or 'none ended'}"
    )


def headline(settings: dict[str, Any]) -> str:
    """Which latency is told first: response where a rate was asked, service where none was."""
    return "service" if settings.get("rate") is None else "response"


def load_of(document: dict[str, Any]) -> str:
    """What a run did, in a word: write, read or mixed; of a workload its name."""
    workload = document.get("workload")
    return str(document["settings"]["mode"] if workload is None else workload["name"])

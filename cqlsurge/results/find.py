"""The document of a search for the highest rate that holds a goal (`cqlsurge find`), and what it says in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cqlsurge.limits.search import Answer, Bounds
from cqlsurge.limits.steps import Step
from cqlsurge.results.document import SCHEMA, Document, RunFacts
from cqlsurge.results.files import marked, read_kind
from cqlsurge.units import show_count, show_s, show_us

KIND = "cqlsurge find"
FIND = marked("search for a limit", f'"kind": "{KIND}"')
PERCENTILES = ("mean", "p50", "p90", "p99", "p99_9", "max")


def step_record(step: Step, document: Document) -> dict[str, Any]:
    """One step as the document lists it. over: by goal, the share of the operations that broke it."""
    latencies = document["latency_us"].get("all", {})
    counts = document["operations"]
    ended = counts["ok"] + counts["failed"] + counts["unknown"]
    return {
        "purpose": step.purpose,
        "rate": round(step.rate, 3),
        "began_s": round(step.began_s, 3),
        "took_s": round(step.elapsed_s, 3),
        "state": step.state,
        "over": {goal.text: round(step.evidence(at).observed, 6) for at, goal in enumerate(step.goals)},
        "throughput_ops_s": document["throughput_ops_s"],
        "errors": ended - counts["ok"],
        "bound_by": step.bound_by,
        "latency_us": {name: {each: round(latencies[name][each], 3) for each in PERCENTILES} for name in latencies},
    }


def build(
    answer: Answer,
    *,
    state: str,
    ended: str,
    slo: str,
    facts: RunFacts,
    bounds: Bounds,
    records: Sequence[dict[str, Any]],
    best: Document | None,
    took_s: float,
) -> Document:
    """The whole; `state` is that of the search as a process, `answer.state` what it has come to."""
    settings = {**facts.settings, "rate": None, "duration": None}
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "version": facts.version,
        "state": state,
        "ended": ended,
        "started_at": facts.started_at,
        "took_s": round(took_s, 3),
        "slo": slo,
        "bounds": asdict(bounds),
        "answer": {
            "state": answer.state,
            "rate": None if answer.rate is None else round(answer.rate, 1),
            "confirmed": answer.confirmed,
            "limit": None if answer.limit is None else round(answer.limit, 1),
            "low": round(answer.low, 1),
            "high": None if answer.high is None else round(answer.high, 1),
            "confidence": 0.95,
            "bound_by": answer.bound_by,
            "drift": list(answer.drift),
        },
        "steps": list(records),
        "at_rate": best,
        "engine": facts.engine,
        "runtime": facts.runtime,
        "seed": facts.seed,
        "settings": settings,
        "host": facts.host,
        "cluster": facts.cluster,
    }


def read_find(path: str) -> Document:
    """The document of a search from its file. Raises ResultError."""
    return read_kind(path, KIND, "search for a limit")


def answer_lines(document: Document) -> list[str]:
    """The answer in words: the rate, how sure it is, what bounds it, what was not steady."""
    answer, slo = document["answer"], document["slo"]
    lines = [_rate_line(answer, slo)]
    if answer["state"] not in ("none", "unlimited"):
        lines.append(_interval_line(answer))
    if answer["bound_by"] == "client" and answer["state"] != "none":
        lines.append(
            "The client was the limit, not the cluster: give it more cores or hosts (`cqlsurge doctor`, --processes, "
            "--hosts), and search again."
        )
    elif answer["state"] in ("found", "bracket") and answer["bound_by"]:
        lines.append(f"Beyond it the {answer['bound_by']} is what takes the time.")
    if answer["drift"]:
        lines.append(f"The system was not the same all the time: {answer['drift'][-1]}. Only long steps count.")
    if document["ended"]:
        lines.append(f"Ended early: {document['ended']}.")
    lines.append(f"{len(document['steps'])} steps in {show_s(document['took_s'])}.")
    return lines


def _rate_line(answer: dict[str, Any], slo: str) -> str:
    if answer["state"] == "none":
        lowest = f" (the lowest tried: {show_count(answer['high'])}/s)" if answer["high"] else ""
        return f"No rate held {slo}{lowest}."
    if answer["state"] == "unlimited":
        return f"{slo} held at every rate up to {show_count(answer['rate'])}/s: no limit was met."
    if answer["bound_by"] == "client":
        return f"{show_count(answer['rate'])} ops/s at least hold {slo}: more could not be sent well from here."
    how = "" if answer["confirmed"] else ", by what the steps around it say; it was not held for long itself"
    return f"{show_count(answer['rate'])} ops/s hold {slo}{how}."


def _interval_line(answer: dict[str, Any]) -> str:
    found = "" if answer["state"] == "found" else " That is wider than asked for: more time or steps would tell."
    return (
        f"The limit is {show_count(answer['limit'])}/s, with 95 % confidence between {show_count(answer['low'])}/s and "
        f"{show_count(answer['high'])}/s.{found}"
    )


def step_line(record: dict[str, Any]) -> str:
    """A step on one line."""
    latencies = record["latency_us"].get("response", {})
    over = ", ".join(f"{share:.2%} break {goal}" for goal, share in record["over"].items())
    p99 = f"  p99 {show_us(latencies['p99'])}" if latencies else ""
    name = "up from" if record["purpose"] == "climb" else "hold" if record["purpose"] == "hold" else "step"
    return f"{name:>7} {show_count(record['rate']):>7}/s {record['took_s']:4.0f} s  {record['state']:8}{p99}  {over}"

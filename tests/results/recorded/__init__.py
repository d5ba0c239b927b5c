"""Runs whose result documents were recorded, and what is compared of them: their form, and figures of one engine.

`forms.json` holds the form of each run's document; `phase.json` the messages of the load processes of a phase of the
engine `fake`, and what became of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FORMS, PHASE = FOLDER / "forms.json", FOLDER / "phase.json"

#: name -> (options of the simulator, settings of the run)
RUNS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "write": ([], {"operations": 4_000, "concurrency": 16}),
    "read": ([], {"mode": "read", "operations": 4_000, "concurrency": 16, "keys": 4_000}),
    "mixed": ([], {"mode": "mixed", "keys": 2_000, "operations": 4_000, "concurrency": 16}),
    "duration": ([], {"duration": 2.0, "warmup": 1.0, "concurrency": 16, "keys": 5_000}),
    "rate": ([], {"rate": "500", "duration": 2.0}),
    "ramp": ([], {"rate": "ramp:100..1k@2s", "duration": 2.0, "arrivals": "poisson", "max_backlog": 100}),
    "faults": (["--fault", "overloaded:p=0.05", "--fault", "drop:p=0.001"], {
        "operations": 3_000, "concurrency": 16, "retries": 0, "request_timeout": 1.0}),
    "late": (["--latency", "fixed:30ms"], {"rate": "2k", "duration": 2.0, "concurrency": 8}),
    "hosts": ([], {"hosts": "local:2", "duration": 2.0, "concurrency": 16}),
    "driver": ([], {"engine": "scylla-driver", "technique": "window", "operations": 2_000, "concurrency": 16}),
}  # fmt: skip
COMMON = {"runtime": "cpython", "processes": 2, "blob_size": 100, "fill": "text"}


#: members whose own members are names of what happened
NAMES = {"errors", "attempt_errors", "error_examples"}


def form(value: Any) -> Any:
    """A document with types in the place of values; of a list what its members have together."""
    if isinstance(value, dict):
        return {
            name: form(list(each.values()) if name in NAMES and isinstance(each, dict) else each)
            for name, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        merged: Any = None
        for each in value:
            merged = _both(merged, form(each))
        return [merged]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return None if value is None else type(value).__name__


def _both(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _both(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        return [_both(one[0], other[0])]
    return other if one is None else one


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Where two forms differ; what is not there in one of them is of no form. Members that are new are none."""
    if old is None or new is None:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        gone = [f"{path}/{name} is gone" for name in old if name not in new]
        found = [differences(old[name], new[name], f"{path}/{name}") for name in old if name in new]
        return [*gone, *(each for one in found for each in one)]
    if isinstance(old, list) and isinstance(new, list):
        return differences(old[0], new[0], f"{path}[]")
    return [] if old == new else [f"{path} was {old}, is {new}"]

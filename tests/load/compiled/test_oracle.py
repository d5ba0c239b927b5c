"""Generated code against the plain interpreter, byte for byte, on every interpreter that is here.

How: the plain workload says of each number kind, token, request and answer, which the production codec writes; each
back end of CPython, CPython with numpy, PyPy 3.9 and 3.11 makes them of generated code. `accept` must take every answer
and none with a bit turned.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.workload import builtin
from cqlsurge.workload.code import code_text
from cqlsurge.workload.loader import load_file
from tests.load.compiled.oracle import PYTHONS, compare

WAYS = {"parts", "blocks", "arenas"} if len(PYTHONS) > 1 else {"parts", "blocks"}


def keyvalue(**parameters: Any) -> tuple[str, dict[str, Any]]:
    return "kv", {"seed": 11, "keyspace": "ks", "table": "kv", "mode": "mixed", "keys": 1000, **parameters}


def test_the_key_value_workload() -> None:
    draw = random.Random(3)
    workloads = [
        keyvalue(mode=mode, blob_size=size, keys=keys, key_offset=offset, fill=fill)
        for mode, size, keys, offset, fill in [
            ("write", 1000, 1000, 0, "random"), ("read", 1000, 1, 77, "text"),
            ("mixed", 1000, (1 << 62) + 5, 0, "random"),
            ("mixed", 0, 1000, 5, "random"), ("mixed", 5, 1000, 0, "random"), ("mixed", 15, 999, 3, "text"),
            ("mixed", 16, 1000, 0, "random"), ("mixed", 17, 1000, 0, "random"),
        ]
    ]  # fmt: skip
    numbers = [*range(300), *[draw.randrange(1 << 45) for _ in range(100)]]
    assert compare(workloads, numbers) == WAYS


def phases_of(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Each phase of a built-in workload."""
    spec = load_file(name)
    told = spec.to_json()
    return [("spec", {"spec": told, "phase": phase.name, "seed": 7}) for phase in spec.phases if phase.mix]


@pytest.mark.parametrize("name", builtin.names())
def test_built_in_workloads(name: str) -> None:
    draw = random.Random(name)
    numbers = [*range(150), *[draw.randrange(1 << 24) for _ in range(60)]]
    assert compare(phases_of(name), numbers) == WAYS


def test_the_code_can_be_seen() -> None:
    spec = load_file("timeseries")
    text = code_text(spec, None)
    compile(text, "shown", "exec")
    assert "def step(number):" in text
    assert "def kinds(number):" in text
    with pytest.raises(UsageError, match="no phase 'nothing'"):
        code_text(spec, "nothing")

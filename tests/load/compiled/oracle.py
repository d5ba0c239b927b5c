"""The plain interpreter's operations as frames and answers of the production codec, and a way to have them compared."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from cqlsurge.load.cql.frames import OP_EXECUTE, encode_frame
from cqlsurge.load.cql.primitives import Consistency
from cqlsurge.load.cql.requests import Execute, QueryParameters
from cqlsurge.load.routing.murmur3 import token
from cqlsurge.load.workload.model import WorkloadSpec
from cqlsurge.load.workload.registry import build
from tests.load.compiled.made import CLOCK, ID, Made, due_ns

PYTHONS = [sys.executable, *[path for path in (shutil.which(name) for name in ("pypy3", "pypy3.11")) if path]]
SCRIPT = str(Path(__file__).with_name("made.py"))


def told(load: Any, numbers: list[int]) -> list[Made]:
    """[kind, token, frame, answer] of each number, bytes in hexadecimal."""
    found = []
    for place, number in enumerate(numbers):
        operation = load.operation(number)
        kind = load.kinds[operation.kind]
        parameters = QueryParameters(
            Consistency[kind.consistency],
            values=tuple(operation.cells),
            skip_metadata=True,
            page_size=kind.page_size,
            serial_consistency=None if kind.serial_consistency is None else Consistency[kind.serial_consistency],
            timestamp_us=CLOCK.timestamp_us(due_ns(place)) if kind.timestamp else None,
        )
        frame = encode_frame(OP_EXECUTE, Execute(ID, parameters).encode_body(), place)
        found.append([operation.kind, token(operation.routing_key or b""), frame.hex(), answer(load, number)])
    return found


def answer(load: Any, number: int) -> str | None:
    """The expected row as it stands in an answer, from the number of columns on."""
    cells = load.expected(*load.locate(number))
    if cells is None:
        return None
    row = b"".join(struct.pack(">i", -1 if cell is None else len(cell)) + (cell or b"") for cell in cells)
    return (struct.pack(">ii", len(cells), 1) + row).hex()


def compare(workloads: list[tuple[str, dict[str, Any]]], numbers: list[int]) -> set[str]:
    """Has every interpreter make these operations; which back ends were compared."""
    wanted = [told(build(WorkloadSpec(name, parameters)), numbers) for name, parameters in workloads]
    compared = set()
    for python in PYTHONS:
        job = json.dumps({"workloads": workloads, "numbers": numbers})
        ran = subprocess.run([python, SCRIPT], input=job, capture_output=True, text=True, check=False, env=os.environ)
        assert ran.returncode == 0, ran.stderr
        for name, found in json.loads(ran.stdout).items():
            compared.add(name)
            for load, (made, plain) in enumerate(zip(found, wanted, strict=True)):
                for number, one, other in zip(numbers, made, plain, strict=True):
                    assert one == other, (python, name, load, number)
    return compared

"""What generated code makes of a workload, by each back end of the interpreter that runs this.

As a program it reads {"workloads": [[name, parameters]], "numbers": [...]} from standard input and writes, for each
back end and workload, [kind, token, frame, answer] of each number, bytes in hexadecimal.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from cqlsurge.load.compiled.clock import Clock
from cqlsurge.load.compiled.layout import segments
from cqlsurge.load.compiled.lower import lower
from cqlsurge.load.compiled.parts import PartsProgram
from cqlsurge.load.compiled.statement import request_pieces
from cqlsurge.load.engines.contract import Node
from cqlsurge.load.workload.model import WorkloadSpec
from cqlsurge.load.workload.registry import build

CLOCK = Clock(1_700_000_000_000_000_000, 5_000)
ID = b"the statement id"
Made = list[Any]


def due_ns(place: int) -> int:
    return 10**12 + place // 3 * 1_000_000


def one_by_one(workload: Any, make_program: Any, connection: Any, numbers: list[int]) -> list[Made]:
    """By step, emit and answer; `accept` must take each answer, and none with a bit turned."""
    program = make_program(lower(workload))
    templates = [program.template(index, ID, CLOCK) for index in range(len(program.kinds))]
    found = []
    for place, number in enumerate(numbers):
        kind, row, token = program.step(number)
        assert program.step_anywhere(number) == (kind, row, 0)
        connection.reset()
        templates[kind].emit(connection, place, row, due_ns(place))
        frame = taken(connection)
        answer = program.answers[kind]
        body = None if answer is None else answer(number)
        if body is not None:
            accept = program.accepts[kind]
            whole = b"\0\0\0\2\0\0\0\4" + body
            assert accept(program.memory(whole), 0, len(whole), number) == 1
            for at in range(8, len(whole), 37):
                wrong = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]
                assert accept(program.memory(wrong), 0, len(wrong), number) == -1
            assert accept(program.memory(whole[:-1]), 0, len(whole) - 1, number) == -1
        found.append([kind, token, frame.hex(), None if body is None else body.hex()])
    return found


def taken(connection: Any) -> bytes:
    """What waits to be sent."""
    if hasattr(connection, "parts"):
        data = b"".join(connection.parts)
    else:
        from cqlsurge.load.compiled.memory import ffi

        data = ffi.buffer(connection.arena, connection.used)[:]
    assert len(data) == connection.used
    return data


def by_blocks(workload: Any, numbers: list[int]) -> list[Made]:
    """By numpy arrays, all numbers at once."""
    import numpy as np

    from cqlsurge.load.compiled.arrays import ArrayProgram
    from cqlsurge.load.compiled.matrices import STAMP, STREAM, Frames
    from cqlsurge.load.compiled.statement import answer_pieces

    program = ArrayProgram(lower(workload))
    lowered = program.lowered
    every: Any = np.array(numbers)
    kinds = program.kinds_of(every)
    found: list[Made] = [[] for _ in numbers]
    for kind, statement in enumerate(lowered.statements):
        places = np.flatnonzero(kinds == kind)
        if not len(places):
            continue
        tokens, *columns = program.frames[kind](every[places])
        again = program.frames_anywhere[kind](every[places])
        assert all(list(one) == list(other) for one, other in zip(columns, again, strict=False))
        shown = dict(zip(program.shown[kind], columns))
        stamps = np.array([CLOCK.timestamp_us(due_ns(place)) for place in places.tolist()])
        frames = Frames(
            segments(request_pieces(lowered.graph, statement, ID)),
            len(places),
            request=True,
            stamped=statement.kind.timestamp,
        )
        frames.fill({**shown, STREAM: places, STAMP: stamps}, len(places))
        made = pieces_of(frames, len(places))
        answers: list[str | None] = [None] * len(places)
        columns_of = program.answer_columns(kind)
        if columns_of is not None:
            wanted = Frames(segments(answer_pieces(statement) or []), len(places))
            wanted.fill(columns_of(every[places]), len(places))
            answers = [each.hex() for each in pieces_of(wanted, len(places))]
        tokens = np.broadcast_to(tokens, (len(places),)).tolist()
        for place, token, frame, answer in zip(places.tolist(), tokens, made, answers):
            found[place] = [kind, token, frame.hex(), answer]
    return found


def pieces_of(frames: Any, count: int) -> list[bytes]:
    ends = frames.ends[:count].tolist()
    return [bytes(frames.view[begin:end]) for begin, end in zip([0, *ends], ends)]


def backends() -> dict[str, Any]:
    """What makes operations here, by name."""
    from cqlsurge.load.engines.wire.buffers_python import JoinConnection

    node = Node("h", "127.0.0.1", 1, "dc", "r")
    ways = {"parts": lambda load, numbers: one_by_one(load, PartsProgram, JoinConnection(node, 0), numbers)}
    if "__pypy__" in sys.builtin_module_names:
        from cqlsurge.load.compiled.arena import ArenaProgram
        from cqlsurge.load.engines.wire.buffers_cffi import ArenaConnection

        ways["arenas"] = lambda load, numbers: one_by_one(load, ArenaProgram, ArenaConnection(node, 0), numbers)
        return ways
    try:
        import numpy  # noqa: F401
    except ImportError:
        return ways
    return {**ways, "blocks": by_blocks}


def main() -> None:
    job = json.load(sys.stdin)
    found = {}
    for name, make in backends().items():
        loads = [build(WorkloadSpec(name, parameters)) for name, parameters in job["workloads"]]
        found[name] = [make(load, job["numbers"]) for load in loads]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()

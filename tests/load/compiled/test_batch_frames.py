"""BATCH frames: what is in them is what the plain interpreter says, prepared or as text, whole or compressed."""

from __future__ import annotations

import pytest

from cqlsurge.load.compiled.clock import Clock
from cqlsurge.load.compiled.lower import lower
from cqlsurge.load.compiled.parts import PartsProgram
from cqlsurge.load.cql.frames import FLAG_COMPRESSED, HEADER_BYTES, OP_BATCH
from cqlsurge.load.cql.primitives import Consistency, Reader
from cqlsurge.load.cql.requests import Batch, BatchType
from cqlsurge.load.engines.wire.requests import WholeTemplate
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.workload.loader import load_workload

ID, OTHER = bytes(range(1, 17)), bytes(range(2, 18))
FILE = """
workload: b
schema: |
  CREATE KEYSPACE b WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
  CREATE TABLE b.t (pk int, ck int, v text, PRIMARY KEY (pk, ck));
  CREATE TABLE b.u (pk int, ck int, v text, PRIMARY KEY (pk, ck));
  CREATE TABLE b.n (pk int PRIMARY KEY, c counter);
tables:
  b.t: {partitions: 100, rows: uniform(1..9), columns: {v: "maybe(50%, text(0..40))"}}
  b.u: {like: b.t}
  b.n: {partitions: 100}
statements:
  one: {batch: unlogged, each: {insert: b.t, rows: all}, consistency: ONE}
  both: {batch: logged, each: {insert: [b.t, b.u], rows: select(30%)}}
  counted: {batch: counter, each: {cql: "UPDATE b.n SET c = c + :c WHERE pk = :pk", with: {c: 3}}}
phases:
  run: {mix: {one: 1, both: 1, counted: 1}, operations: 1000}
"""


class Frames:
    """Takes frames as a connection of parts does."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.used = 0

    def append(self, data: bytes) -> None:
        self.parts.append(data)

    def take(self) -> bytes:
        data = b"".join(self.parts)
        self.parts.clear()
        return data


def workload() -> SpecWorkload:
    return SpecWorkload(load_workload(FILE, "b.yaml", {}), "run", 1)


def decoded(frame: bytes) -> Batch:
    assert frame[4] == OP_BATCH
    assert int.from_bytes(frame[5:9], "big") == len(frame) - HEADER_BYTES
    return Batch.decode(Reader(frame[HEADER_BYTES:]))


def test_frames_hold_what_the_interpreter_says() -> None:
    made = workload()
    program = PartsProgram(lower(made))
    templates = [program.template(index, ID, Clock(0, 0)) for index in range(3)]
    sent = Frames()
    types = {"one": BatchType.UNLOGGED, "both": BatchType.LOGGED, "counted": BatchType.COUNTER}
    for number in range(300):
        operation = made.operation(number)
        kind, row, _token = program.step(number)
        assert kind == operation.kind
        templates[kind].emit(sent, 5, row, 7_000_000)
        batch = decoded(sent.take())
        name = made.kinds[kind].name
        assert batch.type == types[name]
        assert batch.consistency == (Consistency.ONE if name == "one" else Consistency.LOCAL_QUORUM)
        assert [tuple(part.values) for part in batch.statements] == [tuple(cells) for _, cells in operation.batch]
        assert batch.timestamp_us == (None if name == "counted" else 7000)
        for part, (index, _) in zip(batch.statements, operation.batch, strict=True):
            assert part.statement == (ID if index == 0 else made.kinds[kind].further[0])


def test_where_nodes_have_other_ids_the_statement_goes_as_text() -> None:
    made = workload()
    program = PartsProgram(lower(made))
    template = program.template(0, ID, Clock(0, 0))
    program.template(0, bytes(16), Clock(0, 0))  # an id of zeros stands for none
    sent = Frames()
    number = next(number for number in range(100) if made.operation(number).kind == 0)
    template.emit(sent, 5, program.step(number)[1], 0)
    assert decoded(sent.take()).statements[0].statement == ID
    program.template(0, OTHER, Clock(0, 0))
    template.emit(sent, 5, program.step(number)[1], 0)
    assert decoded(sent.take()).statements[0].statement == made.kinds[0].statement


def test_a_compressed_batch_is_still_a_batch() -> None:
    made = workload()
    program = PartsProgram(lower(made))
    whole = WholeTemplate(program.template(0, ID, Clock(0, 0)), lambda body: body[:20])
    sent = Frames()
    number = next(number for number in range(100) if made.operation(number).kind == 0)
    whole.emit(sent, 9, program.step(number)[1], 0)  # type: ignore[arg-type]
    frame = sent.take()
    assert (frame[1], frame[4], len(frame)) == (FLAG_COMPRESSED, OP_BATCH, HEADER_BYTES + 20)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_keys_route_by_the_first_row(kind: int) -> None:
    made = workload()
    program = PartsProgram(lower(made))
    for number in range(60):
        operation = made.operation(number)
        if operation.kind == kind:
            assert operation.routing_key is not None
            assert program.step(number)[2] != 0

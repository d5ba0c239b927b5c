"""The wire engine's numpy blocks against what they stand for, one by one: plans, routes, histograms, phases.

How: the same numbers through the scalar code and through the blocks, all results equal bit for bit; then phases against
a scripted server in this process, with blocks from the first operation on, so that cold paths meet them.
"""

from __future__ import annotations

import itertools
import random
import struct
import time
from typing import TYPE_CHECKING, Any

import lz4.block
import numpy as np
import pytest

from cqlsurge.load.compiled.arrays import ArrayProgram
from cqlsurge.load.compiled.lower import lower
from cqlsurge.load.compiled.parts import PartsProgram
from cqlsurge.load.cql.envelope import seal_frame
from cqlsurge.load.cql.frames import FLAG_COMPRESSED, OP_RESULT, encode_frame
from cqlsurge.load.engines.contract import Setup, Target, Work
from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.sample import ALL
from cqlsurge.load.engines.source import Source
from cqlsurge.load.engines.wire import issue_numpy, receive_numpy
from cqlsurge.load.engines.wire.buffers_python import JoinConnection
from cqlsurge.load.engines.wire.connection import FREE, KIND_BITS, MAX_SLOTS
from cqlsurge.load.engines.wire.connection_numpy import Inbox, SlotConnection
from cqlsurge.load.engines.wire.engine import WireEngine
from cqlsurge.load.engines.wire.latencies_numpy import indices_of
from cqlsurge.load.engines.wire.plan_numpy import BLOCK, BlockPlan
from cqlsurge.load.engines.wire.router import build_router
from cqlsurge.load.engines.wire.rows_numpy import RowChecker
from cqlsurge.load.engines.wire.verify import Checker
from cqlsurge.load.engines.wire.warm import Mute
from cqlsurge.load.latency.histogram import LATENCIES
from cqlsurge.load.latency.layout import TABLE_LIMIT, UNIT_MAGNITUDE, index_of
from cqlsurge.load.pacing.schedule import Pacer
from cqlsurge.load.pacing.shapes import Segment, Shape
from cqlsurge.load.workload.kv import KeyValue
from tests.load.engines import test_wire_scripted as scripted
from tests.load.engines.scripted_server import Link, ScriptedServer, error, void
from tests.load.engines.test_wire_parts import REPLICATION, lanes, nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from cqlsurge.load.cql.requests import Execute

COUNT = 600


def plan_of(load: KeyValue) -> BlockPlan:
    return BlockPlan(load, ArrayProgram(lower(load)))


def keyvalue(mode: str = "mixed", **parameters: Any) -> KeyValue:
    return KeyValue(seed=11, keyspace="ks", table="kv", mode=mode, **{"keys": 1000, "blob_size": 100, **parameters})


@pytest.mark.parametrize("shards", [0, 1, 8])
@pytest.mark.parametrize("each", [1, 3])
def test_blocks_plan_and_route_as_the_loop_does(shards: int, each: int) -> None:
    group = nodes(3, shards)
    have = {
        node.host_id: [JoinConnection(node, shard // each) for shard in range(max(1, shards) * each)] for node in group
    }
    target = Target((("127.0.0.1", 1),), "dc", "ks", "kv", replication=REPLICATION)
    router = build_router(target, group, have)
    assert router is not None
    plan, plain = plan_of(keyvalue()), PartsProgram(lower(keyvalue()))
    for first, wanted in ((0, 10), (BLOCK - 20, 10), (BLOCK - 5, 200), (1 << 40, BLOCK + 50)):
        at = plan.cover(first, wanted, router)
        assert plan.lanes is not None
        for number in range(first, first + min(wanted, 300)):
            kind, row, token = plain.step(number)
            assert plan.step(number) == (kind, row, token)
            lane, planned_kind = divmod(int(plan.keys[at]), 2)
            assert planned_kind == kind
            assert plan.ops[at] == number << KIND_BITS | kind
            place = router.position(token) * router.width + number % router.width
            assert plan.lanes.connections[lane] is router.groups[place].lane(token, number)
            at += 1
    assert plan.step(5) == plain.step(5)


def test_one_connection_needs_no_tokens() -> None:
    group = nodes(1, 0)
    router = build_router(Target((), "dc", "ks", "kv"), group, lanes(group))
    assert router is not None
    assert router.only is not None
    plan, plain = plan_of(keyvalue()), PartsProgram(lower(keyvalue()))
    plan.cover(0, 5, router)
    assert [plan.step_anywhere(number) for number in range(5)] == [plain.step_anywhere(n) for n in range(5)]
    assert [plan.step(number) for number in range(5)] == [plain.step(n) for n in range(5)]


@pytest.mark.parametrize("mode", ["read", "mixed"])
@pytest.mark.parametrize("blob_size", [17, 1000])
def test_rows_are_checked_to_the_byte(mode: str, blob_size: int) -> None:
    load = keyvalue(mode, blob_size=blob_size, key_offset=5)
    draw = random.Random(blob_size)
    numbers = [number for number in range(3000) if load.locate(number)[0] == 1][:700]
    draw.shuffle(numbers)
    inbox, starts, sizes = Inbox(), [], []
    at = 3
    for number in numbers:
        cells = load.expected(*load.locate(number))
        assert cells is not None
        body = struct.pack(">iiii", 2, draw.choice([4, 5]), 2, 1) + b"".join(
            struct.pack(">i", len(cell)) + cell for cell in cells
        )
        starts.append(at)
        frame = encode_frame(OP_RESULT, body, draw.randrange(MAX_SLOTS))
        sizes.append(len(frame))
        inbox.view[at : at + len(frame)] = frame
        at += len(frame) + draw.randrange(2)
    ops = np.array(numbers) << KIND_BITS | 1
    columns = (np.array(starts), np.array(sizes), ops)
    program = ArrayProgram(lower(load))
    every, tenth = RowChecker(program, 1, ALL), RowChecker(program, 1, ALL // 10)
    assert every.right(inbox, *columns)
    skips = Checker(plan_of(load), [0, 0], 0.1).skips
    for place in draw.sample(range(len(numbers)), 40):
        spot = starts[place] + draw.choice([17, 20, 24, 28, 29, 44, 48, 49, 64, 64 + blob_size - 17 + 1])
        bit = 1 << draw.randrange(8)
        inbox.bytes[spot] ^= bit
        assert not every.right(inbox, *columns), spot - starts[place]
        assert tenth.right(inbox, *columns) == skips(numbers[place])
        inbox.bytes[spot] ^= bit
    assert every.right(inbox, *columns)


def test_indices_are_those_of_the_layout() -> None:
    edge = TABLE_LIMIT << UNIT_MAGNITUDE
    draw = random.Random(5)
    values = [-(10**9), -1, 0, 63, 64, 131071, 131072, edge - 1, edge, edge + 1, 1 << 42, 1 << 50]
    values += [draw.randrange(1 << draw.randrange(1, 45)) for _ in range(5000)]
    assert indices_of(np.array(values)).tolist() == [index_of(value) for value in values]


def test_slots_are_plain_ints_and_grow() -> None:
    connection = SlotConnection(nodes(1, 0)[0], -1)
    while connection.grow():
        connection.ops[len(connection.ops) - 1] = 1 << 60
    assert len(connection.flushes) == len(connection.free) == MAX_SLOTS
    assert set(connection.flushes) == {FREE}
    assert type(connection.ops[63]) is int
    assert [at for at, op in enumerate(connection.ops) if op][:3] == [63, 127, 255]


@pytest.fixture
def blocks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issue_numpy, "FEW", 1)
    monkeypatch.setattr(receive_numpy, "FEW", 1)


@pytest.mark.usefixtures("blocks_only")
@pytest.mark.parametrize("every", [0, 13, 50])
def test_errors_among_successes_keep_every_count(every: int) -> None:
    seen: set[bytes] = set()

    def answer(link: Link, stream: int, execute: Execute) -> None:
        key = execute_key(execute)
        if every and key[0] % every == 0 and key not in seen:
            seen.add(key)
            link.send(error(stream, scripted.OVERLOADED))
        else:
            link.send(void(stream))

    with ScriptedServer(answer) as server:
        engine = scripted.engine_for(server, retries=8)
        recorder = scripted.run(engine, 3000, 200)
        engine.close()
    kind = recorder.kinds[0]
    assert (kind.ok, kind.failed, kind.unknown) == (3000, 0, 0)
    assert recorder.retries == recorder.attempt_errors.get("overloaded", 0) == len(seen)
    assert [recorder.counted(name) for name in LATENCIES] == [3000, 3000, 3000]
    assert [(t.issued, t.ok, t.failed) for t in recorder.targets] == [(3000 + len(seen), 3000, len(seen))]


def execute_key(execute: Any) -> bytes:
    value: bytes = execute.parameters.values[0]
    assert len(value) == 16
    return value


@pytest.fixture(params=["blocks", "one by one"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks from the first operation on, or none at all."""
    if request.param == "blocks":
        request.getfixturevalue("blocks_only")
    else:
        monkeypatch.setenv("CQLSURGE_WIRE_NUMPY", "0")


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    "run",
    [
        scripted.test_a_late_answer_frees_its_id_and_is_given_to_nobody,
        scripted.test_a_statement_is_prepared_again_even_under_another_id,
        scripted.test_a_retry_carries_the_timestamp_of_its_first_attempt,
        scripted.test_an_answer_that_nobody_asked_for_ends_the_connection,
    ],
)
def test_what_a_server_may_do_is_borne_either_way(run: Callable[[], None]) -> None:
    run()


@pytest.mark.usefixtures("either_way")
def test_a_schedule_that_ends_leaves_nothing_uncounted() -> None:
    segment = Segment(100_000_000, 30_000_000, 30_000_000)
    with ScriptedServer(lambda link, stream, _: link.send(void(stream))) as server:
        engine = scripted.engine_for(server)
        load, source, start_ns = scripted.workload(), Source(), time.monotonic_ns()
        source.add(0, 1 << 20)
        recorder = scripted.WholeRecorder(load.kinds, start_ns)
        control = Control(Mute(), recorder, source, start_ns=start_ns)
        pacer = Pacer(Shape("30000 for 100 ms", [segment], 0))
        engine.run(Work(load, source, recorder, control, 100, start_ns, pacer=pacer))
        engine.close()
    kind = recorder.kinds[0]
    assert recorder.due == recorder.issued == kind.ok == 3000
    assert [recorder.counted(name) for name in LATENCIES] == [3000, 3000, 3000]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("form", ["plain", "global table", "compressed", "warned", "paged", "by turns"])
def test_no_plain_answer_leaves_the_quick_way_whatever_its_form(form: str, share: float) -> None:
    load = keyvalue("mixed", blob_size=200, fill="text")
    draw, turns = random.Random(3), itertools.count()
    expected = {cells[0]: cells for number in range(3000) if (cells := load.expected(*load.locate(number))) is not None}

    def answer(link: Link, stream: int, execute: Execute) -> None:
        chosen = ["plain", "global table", "compressed", "warned", "paged"][next(turns) % 5]
        chosen = chosen if form == "by turns" else form
        body = struct.pack(">i", 1)
        if len(execute.parameters.values) == 1:
            cells = expected[execute_key(execute)]
            rows = struct.pack(">i", 1) + b"".join(struct.pack(">i", len(cell)) + cell for cell in cells)
            state = struct.pack(">i", 9) + draw.randbytes(9) if chosen == "paged" else b""
            flags = {"plain": 4, "paged": 7}.get(chosen, 5)
            body = struct.pack(">iii", 2, flags, len(cells)) + state + rows
        if chosen == "compressed":
            block = struct.pack(">I", len(body)) + lz4.block.compress(body, store_size=False)
            link.send(encode_frame(OP_RESULT, block, stream, FLAG_COMPRESSED))
        else:
            link.send(seal_frame(OP_RESULT, body, stream, warnings=("mind",) if chosen == "warned" else ()))

    with ScriptedServer(answer) as server:
        server.compression = True
        target = Target((("127.0.0.1", server.port),), "dc", "ks", "kv", compression=True)
        engine = WireEngine(Setup(keyvalue("mixed", blob_size=200), target, {}))
        assert engine.open()["compression"] == "lz4"
        source, start_ns = Source(), time.monotonic_ns()
        source.add(0, 3000)
        source.end()
        recorder = scripted.WholeRecorder(load.kinds, start_ns)
        control = Control(Mute(), recorder, source, start_ns=start_ns)
        engine.run(Work(load, source, recorder, control, 200, start_ns, verify_share=share))
        engine.close()
    assert recorder.errors == {}
    assert sum(kind.ok for kind in recorder.kinds) == 3000
    assert recorder.kinds[1].rows == recorder.kinds[1].ok > 1000
    assert recorder.gauges["slow_answers"] == 0

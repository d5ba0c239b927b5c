"""What the wire engine does with a server that misbehaves in one precise way.

How: a scripted server in a thread (scripted_server.py) answers each EXECUTE as the test says; the engine runs phases in
this process. Nothing is timed but the deadlines under test, which are short and waited out in full.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from cqlsurge.load.cql.frames import OP_RESULT, RESPONSE, VERSION
from cqlsurge.load.cql.requests import Execute
from cqlsurge.load.cql.server_errors import OVERLOADED, UNPREPARED, UnpreparedDetails
from cqlsurge.load.engines.contract import Setup, Target, Work
from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.source import Source
from cqlsurge.load.engines.wire import deadlines
from cqlsurge.load.engines.wire.engine import WireEngine
from cqlsurge.load.engines.wire.requests import HEADER
from cqlsurge.load.latency.histogram import LATENCIES
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.load.pacing.schedule import Pacer
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.load.workload.model import Kind
from tests.load.engines.scripted_server import Link, ScriptedServer, error, void


class WholeRecorder(Recorder):
    """Knows how many latencies it counted in the whole phase, in however many snapshots."""

    def __init__(self, kinds: Sequence[Kind], start_ns: int) -> None:
        super().__init__(kinds, start_ns)
        self._taken = dict.fromkeys(LATENCIES, 0)

    def counted(self, latency: str) -> int:
        return self._taken[latency] + sum(sum(getattr(kind, latency)) for kind in self.kinds)

    def take(self) -> dict[str, Any]:
        self._taken = {latency: self.counted(latency) for latency in LATENCIES}
        taken = super().take()
        for kind in self.kinds:
            for latency in LATENCIES:
                setattr(kind, latency, new_counts())  # also those that held nothing, which are not taken
        return taken


def workload(blob_size: int = 32) -> KeyValue:
    return KeyValue(seed=3, keyspace="ks", table="kv", mode="write", keys=1 << 20, blob_size=blob_size)


def engine_for(server: ScriptedServer, blob_size: int = 32, **options: Any) -> WireEngine:
    target = Target((("127.0.0.1", server.port),), "dc", "ks", "kv")
    engine = WireEngine(Setup(workload(blob_size), target, options))
    engine.open()
    return engine


def run(
    engine: WireEngine,
    count: int,
    concurrency: int = 8,
    blob_size: int = 32,
    first: int = 0,
    pacer: Pacer | None = None,
) -> WholeRecorder:
    class Quiet:
        def send(self, message: dict[str, Any]) -> None:
            pass

        def receive(self) -> list[dict[str, Any]]:
            return []

    source = Source()
    source.add(first, count)
    source.end()
    load = workload(blob_size)
    start_ns = time.monotonic_ns()
    recorder = WholeRecorder(load.kinds, start_ns)
    control = Control(Quiet(), recorder, source, start_ns=start_ns)
    engine.run(Work(load, source, recorder, control, concurrency, start_ns, pacer=pacer))
    assert recorder.issued == recorder.due == recorder.finished == count
    return recorder


def test_a_late_answer_frees_its_id_and_is_given_to_nobody() -> None:
    held: list[tuple[Link, int]] = []
    streams: list[int] = []
    asked = itertools.count(1)

    def execute(link: Link, stream: int, request: Execute) -> None:
        streams.append(stream)
        if next(asked) == 3:
            held.append((link, stream))
        else:
            # Traffic goes on beyond the deadline: a connection that falls silent would be given up.
            time.sleep(0.002)
            link.send(void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, request_timeout_s=1.0)
        first = run(engine, 900)
        assert (first.kinds[0].ok, first.kinds[0].unknown) == (899, 1)
        assert first.unacknowledged.pairs() == [(2, 3)]
        link, stream = held[0]
        streams.clear()
        second = run(engine, 100)
        assert stream not in streams
        link.send(void(stream))
        streams.clear()
        third = run(engine, 300)
        assert third.gauges["late_replies"] + second.gauges["late_replies"] == 1
        assert stream in streams
        assert (second.kinds[0].ok, third.kinds[0].ok) == (100, 300)
        engine.close()


def test_a_server_that_does_not_read_gets_no_unbounded_buffer() -> None:
    with ScriptedServer(lambda link, stream, request: link.send(void(stream))) as server:
        engine = engine_for(server, blob_size=20_000)
        server.reading.clear()
        threading.Timer(0.5, server.reading.set).start()
        recorder = run(engine, 2000, concurrency=1000, blob_size=20_000)
        assert recorder.kinds[0].ok == 2000
        assert recorder.gauges["unwritable_s"] > 0
        assert engine.pool is not None
        assert all(conn.used == 0 for conn in engine.pool.connected())
        engine.close()


def test_warnings_and_payloads_are_no_errors() -> None:
    def execute(link: Link, stream: int, request: Execute) -> None:
        link.send(void(stream, warnings=("slow down",), payload={"tablets-routing-v1": b"x"}))

    with ScriptedServer(execute) as server:
        engine = engine_for(server)
        assert run(engine, 100).kinds[0].ok == 100
        engine.close()


def test_a_statement_is_prepared_again_even_under_another_id() -> None:
    seen: set[bytes] = set()

    def execute(link: Link, stream: int, request: Execute) -> None:
        seen.add(request.statement_id)
        if request.statement_id != server.statement_id:
            link.send(error(stream, UNPREPARED, UnpreparedDetails(request.statement_id)))
        else:
            link.send(void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server)
        old = server.statement_id
        run(engine, 50)
        server.statement_id = b"another-id-12345"
        again = run(engine, 200, concurrency=16)
        assert again.kinds[0].ok == 200
        assert again.errors == {}
        assert again.attempt_errors["unprepared"] >= 1
        assert server.prepared == 3
        assert seen == {old, server.statement_id}
        engine.close()


def test_a_retry_carries_the_timestamp_of_its_first_attempt() -> None:
    stamps: dict[bytes, list[int]] = {}

    def execute(link: Link, stream: int, request: Execute) -> None:
        parameters = request.parameters
        assert parameters.values is not None
        assert parameters.timestamp_us is not None
        key = parameters.values[0]
        assert isinstance(key, bytes)
        stamps.setdefault(key, []).append(parameters.timestamp_us)
        refused = key[0] < 12 and len(stamps[key]) < 3
        link.send(error(stream, OVERLOADED) if refused else void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, retries=5)
        recorder = run(engine, 400, concurrency=60)
        assert recorder.kinds[0].ok == 400
        engine.close()
    again = [each for each in stamps.values() if len(each) > 1]
    assert 2 * len(again) == recorder.retries > 10
    assert all(len(each) == 3 and len(set(each)) == 1 for each in again)
    now_us = time.time_ns() // 1000
    assert all(0 <= now_us - each[0] < 60_000_000 for each in stamps.values())


def test_retries_end_and_their_share_is_capped() -> None:
    with ScriptedServer(lambda link, stream, request: link.send(error(stream, OVERLOADED))) as server:
        engine = engine_for(server, retries=2)
        recorder = run(engine, 300, concurrency=10)
        assert recorder.kinds[0].unknown == 300
        assert recorder.errors == {"overloaded": 300}
        assert recorder.attempt_errors == {"overloaded": 300 + recorder.retries}
        assert recorder.retries <= 30
        engine.close()


@pytest.mark.parametrize("after", [1, 17])
def test_a_connection_that_breaks_is_made_again(after: int) -> None:
    answered = 0

    def execute(link: Link, stream: int, request: Execute) -> None:
        nonlocal answered
        answered += 1
        if link.number == 1 and answered >= after:
            link.sock.shutdown(2)
            raise OSError
        link.send(void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, retries=3)
        recorder = run(engine, 200, concurrency=20)
        assert recorder.kinds[0].ok == 200
        assert recorder.attempt_errors["connection"] <= 20
        assert server.connections == 2
        engine.close()


def test_frames_as_large_as_the_inbox_and_larger() -> None:
    sizes: list[int] = []

    def execute(link: Link, stream: int, request: Execute) -> None:
        assert request.parameters.values is not None
        value = request.parameters.values[1]
        assert isinstance(value, bytes)
        sizes.append(len(value))
        link.send(void(stream, payload={"filler": bytes(700_000)}))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, blob_size=300_000)
        assert run(engine, 12, blob_size=300_000).kinds[0].ok == 12
        engine.close()
    assert sizes == [300_000] * 12


def test_an_answer_that_nobody_asked_for_ends_the_connection() -> None:
    count = 0

    def execute(link: Link, stream: int, request: Execute) -> None:
        nonlocal count
        count += 1
        link.send(void(stream))
        if count == 40:
            link.send(void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, retries=3)
        assert run(engine, 200, concurrency=4).kinds[0].ok == 200
        assert server.connections == 2
        engine.close()


def test_bytes_that_never_become_an_answer_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that was cut short swallows all that comes behind it."""
    monkeypatch.setattr(deadlines, "SILENT_NS", 300_000_000)
    asked = itertools.count()

    def trickle(link: Link) -> None:
        try:
            for _ in range(40):
                link.sock.send(bytes(10))
                time.sleep(0.05)
        except OSError:
            pass

    def execute(link: Link, stream: int, request: Execute) -> None:
        if link.number > 1:
            link.send(void(stream))
        elif next(asked) == 0:
            link.send(HEADER.pack(VERSION | RESPONSE, 0, stream, OP_RESULT, 1 << 20))
            threading.Thread(target=trickle, args=[link], daemon=True).start()

    with ScriptedServer(execute) as server:
        engine = engine_for(server, request_timeout_s=0.3, retries=3)
        recorder = run(engine, 200)
        assert server.connections == 2
        assert recorder.errors == {"client_timeout": 8}
        assert recorder.kinds[0].ok == 192
        engine.close()


@pytest.mark.parametrize("body", [b"", b"\0\0\0\4\0\x10", b"\xff\xff\xff\xff"])
def test_a_broken_answer_to_prepare_ends_the_connection_only(body: bytes) -> None:
    def execute(link: Link, stream: int, request: Execute) -> None:
        if link.number == 1 and request.statement_id == b"0123456789abcdef":
            link.send(error(stream, UNPREPARED, UnpreparedDetails(request.statement_id)))
        else:
            link.send(void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, retries=3)
        server.prepare = lambda link: body if link.number == 1 else None
        recorder = run(engine, 100)
        assert recorder.kinds[0].ok == 100
        assert server.connections == 2
        engine.close()

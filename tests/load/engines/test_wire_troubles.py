"""What the wire engine does while a server is in trouble: refusals, stalls, outages, and what they may cost.

As test_wire_scripted.py. Deadlines under test are waited out; where a test says that something must not happen, the
server makes it happen for certain by the counts it keeps, not by the clock.
"""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from cqlsurge.load.cql.envelope import seal_frame
from cqlsurge.load.cql.requests import Execute
from cqlsurge.load.cql.results import Rows, SetKeyspace
from cqlsurge.load.cql.server_errors import BAD_CREDENTIALS, OVERLOADED, UNPREPARED, UnpreparedDetails
from cqlsurge.load.engines.contract import EngineError
from cqlsurge.load.engines.wire import connection, connection_numpy, ticks
from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import Pacer
from tests.load.engines.scripted_server import Link, ScriptedServer, error, void
from tests.load.engines.test_wire_scripted import engine_for, run


@pytest.mark.parametrize("rate", [None, "800"])
def test_retries_are_a_tenth_of_the_operations_by_rate_as_in_closed_load(rate: str | None) -> None:
    with ScriptedServer(lambda link, stream, request: link.send(error(stream, OVERLOADED))) as server:
        engine = engine_for(server, retries=3)
        recorder = run(engine, 1000, concurrency=64, pacer=None if rate is None else Pacer(parse(rate)))
        engine.close()
    assert recorder.kinds[0].unknown == 1000
    assert recorder.errors == {"overloaded": 1000}
    assert 50 <= recorder.retries <= 100


def test_statements_that_are_never_prepared_cost_no_more_than_retries() -> None:
    def execute(link: Link, stream: int, request: Execute) -> None:
        link.send(error(stream, UNPREPARED, UnpreparedDetails(request.statement_id)))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, retries=3)
        recorder = run(engine, 500, concurrency=8)
        engine.close()
    assert recorder.errors == {"unprepared": 500}
    assert recorder.retries <= 50
    assert sum(target.failed for target in recorder.targets) == 500 + recorder.retries


def test_what_waits_for_a_stream_id_goes_before_what_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """More in flight than stream ids, as when all but one node are down: nobody starves while ids come free."""
    for module in (connection, connection_numpy):
        monkeypatch.setattr(module, "MAX_SLOTS", 64)
    waiting: list[tuple[Link, int]] = []
    asked = itertools.count(1)

    def execute(link: Link, stream: int, request: Execute) -> None:
        waiting.append((link, stream))
        number = next(asked)
        if len(waiting) == 64 or number > 6336:
            time.sleep(0.02 if number <= 6336 else 0.0)
            for where, each in waiting:
                where.send(void(each))
            waiting.clear()

    with ScriptedServer(execute) as server:
        engine = engine_for(server, request_timeout_s=1.0)
        recorder = run(engine, 6400, concurrency=200)
        engine.close()
    assert recorder.errors == {}
    assert recorder.kinds[0].ok == 6400


def test_a_log_in_refused_for_a_moment_ends_nothing() -> None:
    asked = itertools.count(1)

    def execute(link: Link, stream: int, request: Execute) -> None:
        if next(asked) == 50:
            link.sock.shutdown(2)
            raise OSError
        link.send(void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, retries=8)
        server.startup = lambda link, stream: error(stream, BAD_CREDENTIALS) if link.number < 5 else None
        recorder = run(engine, 200, concurrency=4)
        assert recorder.kinds[0].ok == 200
        assert server.connections == 5
        engine.close()


def test_a_log_in_refused_from_the_start_is_an_error() -> None:
    with ScriptedServer(lambda link, stream, request: None) as server:
        server.startup = lambda link, stream: error(stream, BAD_CREDENTIALS)
        with pytest.raises(EngineError, match="as the test says"):
            engine_for(server)


def test_a_short_request_timeout_leaves_a_healthy_connection_alone() -> None:
    """Each answer takes 120 ms and then comes: the operations are over by then, the connection is as good as ever."""

    def execute(link: Link, stream: int, request: Execute) -> None:
        threading.Timer(0.12, lambda: link.send(void(stream))).start()

    with ScriptedServer(execute) as server:
        engine = engine_for(server, request_timeout_s=0.03)
        recorder = run(engine, 8, concurrency=1)
        assert recorder.errors == {"client_timeout": 8}
        assert server.connections == 1
        time.sleep(0.2)  # until the last answer has come
        engine.close()


@pytest.mark.parametrize("concurrency", [4, 100])
def test_an_answer_after_the_deadline_is_no_success(concurrency: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not a sweep came first: here there is none."""
    monkeypatch.setattr(ticks, "sweep", lambda load, now: None)
    waiting: list[tuple[Link, int]] = []

    def execute(link: Link, stream: int, request: Execute) -> None:
        waiting.append((link, stream))
        if len(waiting) == concurrency:
            time.sleep(0.15)
            link.send(b"".join([void(each) for _, each in waiting]))
            waiting.clear()

    with ScriptedServer(execute) as server:
        engine = engine_for(server, request_timeout_s=0.1)
        recorder = run(engine, 3 * concurrency, concurrency)
        assert recorder.errors == {"client_timeout": 3 * concurrency}
        assert recorder.gauges["late_replies"] == 3 * concurrency
        assert server.connections == 1
        engine.close()


@pytest.mark.parametrize("wrong", [Rows(0, []), SetKeyspace("other")])
def test_a_write_is_not_ended_by_a_result_that_no_write_has(wrong: Rows | SetKeyspace) -> None:
    def execute(link: Link, stream: int, request: Execute) -> None:
        if link.number == 1:
            link.send(seal_frame(wrong.opcode, wrong.encode_body(), stream))
        else:
            link.send(void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, retries=8)
        recorder = run(engine, 200, concurrency=4)
        assert recorder.kinds[0].ok == 200
        assert server.connections == 2
        engine.close()


@pytest.mark.parametrize("policy", ["retry", "backoff"])
def test_a_client_timeout_is_tried_again_where_that_is_asked_for(policy: str) -> None:
    keys: set[object] = set()

    def execute(link: Link, stream: int, request: Execute) -> None:
        assert request.parameters.values is not None
        key = request.parameters.values[0]
        assert isinstance(key, bytes)
        if key[0] < 8 and key not in keys:
            keys.add(key)  # never answered
        else:
            time.sleep(0.002)
            link.send(void(stream))

    with ScriptedServer(execute) as server:
        engine = engine_for(server, request_timeout_s=0.3, on_error=f"client_timeout={policy}")
        recorder = run(engine, 300, concurrency=20)
        assert recorder.errors == {}
        assert recorder.kinds[0].ok == 300
        assert recorder.retries == recorder.attempt_errors["client_timeout"] == len(keys) > 3
        engine.close()


def test_an_id_that_came_free_is_not_used_at_once() -> None:
    """Also where all others are busy: an answer that comes twice must find its id free, not taken again."""
    streams: list[int] = []
    held: list[tuple[Link, int]] = []

    def execute(link: Link, stream: int, request: Execute) -> None:
        streams.append(stream)
        if len(streams) < 64:
            held.append((link, stream))
            return
        link.send(void(stream))
        if len(streams) >= 500:
            while held:
                where, each = held.pop()
                where.send(void(each))

    with ScriptedServer(execute) as server:
        engine = engine_for(server)
        run(engine, 600, concurrency=64)
        engine.close()
    last: dict[int, int] = {}
    for at, stream in enumerate(streams[:500]):
        assert at - last.get(stream, -100) >= 32
        last[stream] = at

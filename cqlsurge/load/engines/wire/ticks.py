"""What is done now and then, not for each operation: control, sweep, connections, retries, accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cqlsurge.load.engines.contract import Node
from cqlsurge.load.engines.wire import answers
from cqlsurge.load.engines.wire.deadlines import SWEEP_NS, sweep
from cqlsurge.load.outcomes.breaker import CLOSED

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.engines.wire.pool import Pool


def tick(load: Load, now: int) -> None:
    """Polls the control and looks after everything that can wait for it."""
    account(load, now)
    if load.closed:
        # Some may always be left over, where less may be in flight than was asked for.
        del load.dues[: load.at]
        load.at = 0
    load.control.poll(now)
    load.fetch_histograms()
    load.tick_ns = load.control.next_ns
    if load.control.stopping and not load.stopping:
        stop(load, load.due_by(now))
    if load.schedule is not None and load.schedule.ended and load.at == len(load.dues):
        load.control.ran_out()
    if load.schedule is not None and not load.stopping:
        load.schedule.scale(load, load.control.rate_factor, now)
    if load.control.topology:
        messages, load.control.topology[:] = list(load.control.topology), []
        for message in messages:
            take_topology(load.pool, message)
    load.pool.find_routes()
    if load.router is not load.pool.router:
        follow(load)
    load.pool.maintain(now)
    if load.concurrency < load.limit.most:
        load.concurrency = load.limit.regain()
    for connection in load.pool.connected():
        if connection.breaker.state != CLOSED:
            connection.heed()
    if now >= load.sweep_ns:
        sweep(load, now)
        load.sweep_ns = now + min(SWEEP_NS, load.timeout_ns // 5)


def stop(load: Load, now: int) -> None:
    """Nothing more is issued; what became due before is left as backlog."""
    load.stopping = True
    load.past = load.number
    if load.schedule is not None:
        load.left = load.schedule.waiting(load, now)
    load.dues.clear()
    load.at = 0


def refill(load: Load) -> None:
    """The next block of numbers, if there is one by now."""
    block = None if load.stopping else load.work.source.take()
    if block is not None:
        load.number, load.past = block[0], block[0] + block[1]
        load.blocks.append((block[0], load.begun))
    elif load.work.source.finished and not load.stopping:
        load.control.ran_out()
        load.tick_ns = load.control.next_ns


def retry(load: Load, now: int) -> None:
    """Sends what has waited long enough for another attempt, and of what is parked as much as connections take."""
    for attempt in load.retries.ready(now):
        attempt.since_ns = now
        answers.place(load, attempt, now)
    parked = load.parked
    for _ in range(len(parked)):
        attempt = parked.popleft()
        if not answers.try_to_place(load, attempt, now):
            # Any connection would have done: there is none for the others either.
            parked.appendleft(attempt)
            break


def account(load: Load, now: int) -> None:
    """Brings the recorder up to date."""
    recorder = load.recorder
    due_by = load.due_by(now)
    if load.schedule is not None and not load.stopping:
        load.schedule.advance(load, due_by)
    for record, ok, rows in zip(recorder.kinds, load.oks, load.rows):
        record.ok += ok
        record.rows += rows
    empty = load.checker.empty
    for record, without in zip(recorder.kinds, empty):
        record.empty += without
    empty[:] = [0] * len(empty)
    load.oks[:] = [0] * len(load.oks)
    load.rows[:] = [0] * len(load.rows)
    recorder.issued = load.begun
    recorder.skipped = load.skipped
    recorder.due = load.begun + load.skipped
    if load.stopping:
        recorder.due += load.left
    elif load.schedule is not None and not (load.number == load.past and load.work.source.finished):
        waiting = load.schedule.waiting(load, due_by)
        recorder.due += waiting
        if waiting and load.at < len(load.dues):
            load.lag_max_ns = max(load.lag_max_ns, now - load.dues[load.at])
    recorder.gauges.update(
        sends=load.sends,
        ops_sent=load.sent_operations,
        polls=load.wakes,
        empty_polls=load.empty_wakes,
        unwritable_s=load.pool.unwritable_ns / 1e9,
        loop_lag_max=load.lag_max_ns / 1e9,
        late_replies=load.late_replies,
        slow_answers=load.slow_answers,
        backoffs=load.limit.halvings,
        **load.receive_delays.gauges(),
    )


def take_topology(pool: Pool, message: dict[str, Any]) -> None:
    """The cluster has changed: a message with all its nodes, and the tablets of our table where they are others.

    Tokens are left out of a node that has the same as before.
    """
    tokens = {node.host_id: node.tokens for node in pool.target.nodes}
    nodes = tuple(
        [
            Node(**{**node, "tokens": tuple(node["tokens"]) if "tokens" in node else tokens.get(node["host_id"], ())})
            for node in message["nodes"]
        ]
    )
    tablets = message.get("tablets")
    if tablets is None:
        pool.target = replace(pool.target, nodes=nodes)
    else:
        rows = tuple([(last, tuple([(host, shard) for host, shard in replicas])) for last, replicas in tablets])
        pool.target = replace(pool.target, nodes=nodes, tablets=rows)
        pool.routes.take_tablets(pool.target)
    pool.take_nodes(nodes)


def follow(load: Load) -> None:
    """Connections and routes after a change of the pool."""
    pool, recorder = load.pool, load.recorder
    leaving, pool.leaving = pool.leaving, []
    load.route(pool.router)
    known = {id(target) for target in recorder.targets}
    recorder.targets += [each.target for each in pool.all() if id(each.target) not in known]
    for connection in leaving:
        if connection.connected:
            answers.lose(load, connection, "the node has left")

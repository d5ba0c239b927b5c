"""Lets PyPy compile the loop before the clock starts: the same functions, against a server of our own over socketpairs.

The database never sees any of it, and nothing of it is counted: pool, recorder and load are thrown away.
"""

from __future__ import annotations

import gc
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.frames import HEADER_BYTES, OP_RESULT, RESPONSE, VERSION
from cqlsurge.load.cql.results import KIND_ROWS, KIND_VOID, METADATA_NONE
from cqlsurge.load.engines.contract import Node, Target, Work
from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.source import Source
from cqlsurge.load.engines.wire.connection import KIND_BITS, KIND_MASK
from cqlsurge.load.engines.wire.load import Load
from cqlsurge.load.engines.wire.loop import drive, turn
from cqlsurge.load.engines.wire.pool import Pool
from cqlsurge.load.engines.wire.retries import Retries

if TYPE_CHECKING:
    from cqlsurge.load.compiled.program import Program
    from cqlsurge.load.engines.wire.backend import Backend
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.plan import Plan
    from cqlsurge.load.engines.wire.pool import MakeTemplates

#: (operations in flight, operations, seconds of CPU at most) of each part: blocks first, then a few answers a wake, as
#: real databases give them, so that what each wake does is compiled too
PARTS = ((512, 400_000, 0.8), (8, 60_000, 0.7))
#: wall time of a part over the CPU time that it may have: on a crowded machine it ends earlier
PATIENCE = 3
#: as many bytes of requests and answers are under way at most, but for two operations, and in a part in all, but for a
#: few; the first operations tell their size
BYTES_IN_FLIGHT, BYTES = 1 << 22, 1 << 29
FIRST_IN_FLIGHT, FIRST_OPERATIONS = 2, 16
RECEIVE_BYTES = 1 << 18
CONNECTIONS = 64
ID_BYTES = 16
_REPLY = struct.Struct(">BBHBi")
_VOID = struct.pack(">i", KIND_VOID)
_ROWS = struct.pack(">ii", KIND_ROWS, METADATA_NONE)


class Mute:
    """A channel to nobody. After `most_s` of the process's CPU time, or PATIENCE times as long, it says stop."""

    def __init__(self, most_s: float = float("inf")) -> None:
        self._until_cpu_s = time.process_time() + most_s
        self._until_s = time.monotonic() + most_s * PATIENCE

    def send(self, message: dict[str, Any]) -> None:
        """Nobody listens."""

    def receive(self) -> list[dict[str, Any]]:
        """Nobody speaks, but for the one word."""
        if time.process_time() < self._until_cpu_s and time.monotonic() < self._until_s:
            return []
        return [{"type": "stop", "drain_s": 10}]


class Answerer:
    """The server's end of a socketpair: answers each EXECUTE with what it must get."""

    def __init__(self, sock: socket.socket, connection: Connection, program: Program) -> None:
        self.sock, self._connection, self._answers = sock, connection, program.answers
        self._rest = b""
        self._unsent = memoryview(b"")

    def step(self) -> None:
        """Answers all that has arrived."""
        if self._unsent:
            self._send(b"")
        try:
            data = self._rest + self.sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        start, answers = 0, []
        while len(data) - start >= HEADER_BYTES:
            past = start + HEADER_BYTES + int.from_bytes(data[start + 5 : start + HEADER_BYTES], "big")
            if past > len(data):
                break
            body = self._body(self._connection.ops[data[start + 2] << 8 | data[start + 3]])
            answers.append(data[start + 2 : start + 4].join(_around(len(body))) + body)
            start = past
        self._rest = data[start:]
        self._send(b"".join(answers))

    def _body(self, op: int) -> bytes:
        """What the operation that was asked for must get."""
        answer = self._answers[op & KIND_MASK]
        return _VOID if answer is None else _ROWS + answer(op >> KIND_BITS)

    def _send(self, data: bytes) -> None:
        # What is left is looked at and not copied: of large answers it goes out in many pieces.
        left = memoryview(b"".join((self._unsent, data)) if self._unsent and data else data or self._unsent)
        try:
            self._unsent = left[self.sock.send(left) :] if left else left
        except BlockingIOError:
            self._unsent = left


def _around(length: int) -> tuple[bytes, bytes]:
    """What stands before and behind the stream id in an answer's header."""
    header = _REPLY.pack(VERSION | RESPONSE, 0, 0, OP_RESULT, length)
    return header[:2], header[4:]


class SteppingPoller:
    """The pool's poller, which lets the answerers work before it looks."""

    def __init__(self, poller: Any, answerers: Sequence[Answerer]) -> None:
        self._poller, self._answerers = poller, answerers
        self.register, self.modify, self.unregister = poller.register, poller.modify, poller.unregister

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        """What is there now; it never waits."""
        for answerer in self._answerers:
            answerer.step()
        return list(self._poller.poll(0))


def warm(target: Target, backend: Backend, plan: Plan, make_templates: MakeTemplates, inbox: Any) -> float:
    """Runs the loop for one and a half seconds of CPU at most; gives the seconds it took.

    CPU, since on a crowded machine a second may be over before anything is compiled. The loop is the engine's own: one
    that only calls the same functions would be compiled apart.
    """
    began_ns = time.monotonic_ns()
    nodes, workload = _few_nodes(target), plan.workload
    statements = [kind.statement for kind in workload.kinds]
    pool = Pool(_only(target, nodes), statements, backend.connection, make_templates)
    answerers = [_answered(pool, connection, plan.program) for connection in pool.all()]
    pool.poller = SteppingPoller(pool.poller, answerers)
    each_bytes = _first(pool, plan, inbox, backend.flush_bytes)
    for in_flight, operations, most_s in PARTS:
        in_flight = max(FIRST_IN_FLIGHT, min(in_flight, BYTES_IN_FLIGHT // each_bytes))
        operations = max(FIRST_OPERATIONS, min(operations, BYTES // each_bytes))
        load = _load(pool, plan, in_flight, operations, most_s, backend.flush_bytes)
        drive(load, inbox, backend.flush_bytes, turn)
    for answerer in answerers:
        answerer.sock.close()
    for connection in pool.all():
        connection.close()
    gc.collect()
    return (time.monotonic_ns() - began_ns) / 1e9


def _first(pool: Pool, plan: Plan, inbox: Any, flush_bytes: int) -> int:
    """A few operations; the bytes of one, request and answer."""
    load = _load(pool, plan, FIRST_IN_FLIGHT, FIRST_OPERATIONS, float("inf"), flush_bytes)
    drive(load, inbox, flush_bytes, turn)
    return max(1, (load.recorder.bytes_out + load.recorder.bytes_in) // FIRST_OPERATIONS)


def _load(pool: Pool, plan: Plan, in_flight: int, operations: int, most_s: float, flush_bytes: int) -> Load:
    now_ns = time.monotonic_ns()
    source = Source()
    source.add(0, operations)
    source.end()
    recorder = Recorder(plan.workload.kinds, now_ns)
    control = Control(Mute(most_s), recorder, source, start_ns=now_ns)
    work = Work(plan.workload, source, recorder, control, in_flight, now_ns)
    load = Load(work, plan, pool, Retries(0, 0), 1 << 62, flush_bytes)
    load.dues += [now_ns] * in_flight
    return load


def _answered(pool: Pool, connection: Connection, program: Program) -> Answerer:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    connection.take_socket(ours)
    connection.statement_ids = [bytes([index]) * ID_BYTES for index in range(len(program.kinds))]
    connection.templates = pool.make_templates(connection.statement_ids, connection)
    connection.connected = True
    connection.judge_ready()
    pool.by_fd[connection.fd] = connection
    pool.poller.register(connection.fd, select.POLLIN)
    return Answerer(theirs, connection, program)


def _few_nodes(target: Target) -> list[Node]:
    """As many of the local nodes as make no more connections than are worth it."""
    nodes: list[Node] = []
    count = 0
    for node in target.nodes:
        count += max(1, node.shards)
        if nodes and count > CONNECTIONS:
            break
        if node.dc == target.local_dc:
            nodes.append(node)
    return nodes


def _only(target: Target, nodes: list[Node]) -> Target:
    return Target(
        contact_points=target.contact_points,
        local_dc=target.local_dc,
        keyspace=target.keyspace,
        table=target.table,
        nodes=tuple(nodes),
        replication=target.replication,
    )

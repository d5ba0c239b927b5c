"""One connection as the hot loop sees it: stream ids, what each is busy with, and the bytes to send.

A slot belongs to a stream id. `ops` holds the operation (number << KIND_BITS | kind), `dues` its due time, `flushes`
its state: 0 or more: in flight, the number of the flush that sends it (its time is in the ring of flush times); FREE;
ORPHAN: timed out, the id stays out of use until its late reply; AGED or less: in flight, sent at minus that time.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.engines.recorder import TargetRecord
from cqlsurge.load.engines.wire.ids import FreeIds, free_ids
from cqlsurge.load.outcomes.breaker import CLOSED, Breaker

if TYPE_CHECKING:
    import socket

    from cqlsurge.load.compiled.program import Template
    from cqlsurge.load.cql.compression import Compressor
    from cqlsurge.load.cql.frames import Frame
    from cqlsurge.load.engines.contract import Node
    from cqlsurge.load.engines.wire.paging import PagedRead
    from cqlsurge.load.engines.wire.retries import Attempt

FREE = -1
ORPHAN = -2
AGED = -16

KIND_BITS = 6
KIND_MASK = (1 << KIND_BITS) - 1
#: kinds from here on are not plain first attempts: RETRIED + kind, and INTERNAL for requests of our own
RETRIED = 32
INTERNAL = 63
MAX_KINDS = 31

FIRST_SLOTS = 64
MAX_SLOTS = 32768

#: a connection is given up when so many ids wait for late replies
MAX_ORPHANS = MAX_SLOTS * 3 // 4


class ConnectionLost(Exception):
    """The connection is gone; the text says why."""


class Connection:
    """One place for a connection to a node or to one of its shards; it outlives the sockets that fill it.

    `ready` says that the hot loop may give it operations: connected, its socket takes bytes, its breaker is closed, no
    statement of it is being prepared. `used` counts the bytes that wait to be sent, `queued` the operations in them.
    `resting` ids stay free as long as there can be others: an id that came free just now is not used at once, so that
    an answer which comes twice finds nobody waiting for it.
    """

    __slots__ = (
        "attempts", "blocked_ns", "breaker", "compressor", "connected", "dues", "fd", "flushes", "free", "heard_ns",
        "internal", "node", "ok_seen", "ops", "orphans", "paged", "preparing", "queued", "rate_limit_code", "ready",
        "rest", "resting", "seq", "shard", "sock", "statement_ids", "target", "templates", "tls", "used",
    )  # fmt: skip

    def __init__(self, node: Node, shard: int) -> None:
        self.node, self.shard = node, shard
        self.target = TargetRecord(node.host_id, node.address, shard)
        self.ready = self.connected = False
        self.sock: socket.socket | None = None
        self.fd = -1
        self.templates: list[Template] = []
        self.statement_ids: list[bytes] = []
        self.compressor: Compressor | None = None
        self.rate_limit_code: int | None = None
        self.tls = False
        self.breaker = Breaker()
        self.ok_seen = 0
        self.reset()

    def reset(self) -> None:
        """As new: no slots in use, nothing to send, nothing received."""
        self.ops: list[int] = []
        self.dues: list[int] = []
        self.flushes: list[int] = []
        self.free: FreeIds = free_ids()
        self.attempts: dict[int, Attempt] = {}
        self.paged: dict[int, PagedRead] = {}
        self.internal: dict[int, Callable[[Frame], None]] = {}
        self.preparing: set[int] = set()
        self.rest = b""
        self.resting = 0
        self.used = self.queued = self.orphans = 0
        self.seq = -1
        self.blocked_ns = 0
        self.heard_ns = 0

    def grow(self) -> bool:
        """Makes more stream ids, or wakes those that rest; False when there are no more."""
        have = len(self.ops)
        if have >= MAX_SLOTS:
            return self.wake()
        more = max(FIRST_SLOTS, have)
        self.ops += [0] * more
        self.dues += [0] * more
        self.flushes += [FREE] * more
        self.free.extend(range(have, have + more))
        self.resting = (have + more) // 2
        return True

    def wake(self) -> bool:
        """Lets no id rest any longer, where all are there that there can be; whether that brings any."""
        woken = bool(self.resting and self.free)
        self.resting = 0
        return woken

    def release(self, sid: int) -> None:
        """Puts a stream id back into use."""
        self.flushes[sid] = FREE
        self.free.append(sid)

    def takes(self) -> bool:
        """Whether it can take an operation now: as `ready`, whatever the breaker says, and it has a stream id."""
        standing = self.connected and not self.blocked_ns and not self.preparing
        return standing and (len(self.free) > self.resting or self.grow())

    def judge_ready(self) -> None:
        """Brings `ready` up to date."""
        clear = not self.blocked_ns and not self.preparing
        self.ready = self.connected and clear and self.breaker.state == CLOSED

    def trouble(self, now_ns: int) -> None:
        """The target failed in a way that says something about the target."""
        self.heed()
        if self.breaker.failed(now_ns):
            self.judge_ready()

    def heed(self) -> None:
        """Tells the breaker of successes since the last time; cheaper than at each of them."""
        if self.target.ok != self.ok_seen:
            self.ok_seen = self.target.ok
            self.breaker.succeeded()
            self.judge_ready()

    def take_socket(self, sock: socket.socket) -> None:
        """The socket to use from now on; it does not block."""
        self.sock, self.fd = sock, sock.fileno()
        self.tls = isinstance(sock, ssl.SSLSocket)

    def close(self) -> None:
        """Closes the socket and forgets all that was under way."""
        self.connected = False
        self.judge_ready()
        if self.sock is not None:
            self.sock.close()
            self.sock = None
        self.reset()

    def append(self, data: bytes) -> None:
        """Adds bytes to what waits to be sent."""
        raise AssertionError("a connection must take bytes")

    def push(self) -> bool:
        """Sends what waits; True when all is out, False when the socket takes no more now. Raises ConnectionLost."""
        raise AssertionError("a connection must send")

    def pull(self, inbox: Any) -> int:
        """Receives behind `rest` into the inbox: the bytes there now, -1 when nothing came. Raises ConnectionLost."""
        raise AssertionError("a connection must receive")

    def keep(self, inbox: Any, start: int, end: int) -> None:
        """Keeps the unfinished frame at the end of the inbox for the next `pull`."""
        raise AssertionError("a connection must keep what is not whole yet")

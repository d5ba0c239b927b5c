"""The connections of one load process: one to each node of the local data centre, or to each of its shards.

It owns the poller. Connections that break come back by themselves, after a pause that grows and has full jitter.
"""

from __future__ import annotations

import random
import select
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Callable

from cqlsurge.load.engines.contract import EngineError, Node, Target
from cqlsurge.load.engines.placement import known_nodes
from cqlsurge.load.engines.wire.connection import Connection, ConnectionLost
from cqlsurge.load.engines.wire.dial import DIAL_NS, Dial, port_slice
from cqlsurge.load.engines.wire.handshake import HandshakeError
from cqlsurge.load.engines.wire.load import EPOLL, RING, RING_MASK, new_poller
from cqlsurge.load.engines.wire.router import Router
from cqlsurge.load.engines.wire.routes import Routes
from cqlsurge.load.outcomes.backoff import full_jitter_s

if TYPE_CHECKING:
    from cqlsurge.load.compiled.program import Template
    from cqlsurge.load.engines.wire.handshake import Greeting, Shards

IN, OUT = select.POLLIN, select.POLLOUT
RECONNECT_BASE_S, RECONNECT_CAP_S = 0.1, 5.0
#: connections to port 9042 for one shard that are given back because another shard answered, before any is good enough
SHARD_TRIES = 8

MakeTemplates = Callable[[Sequence[bytes], "Connection"], "list[Template]"]


class Lane:
    """How a connection comes to be: tries so far, and when the next one may start."""

    __slots__ = ("connection", "dialing", "tries", "when_ns")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialing = False
        self.tries = self.when_ns = 0


class Pool:
    """See the module's text. `notes` are sentences for the result; `ring` holds the times of the last flushes."""

    def __init__(
        self,
        target: Target,
        statements: Sequence[str],
        make_connection: Callable[[Node, int], Connection],
        make_templates: MakeTemplates,
        *,
        context: ssl.SSLContext | None = None,
        each: int = 1,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self.target, self.statements, self.make_templates = target, list(statements), make_templates
        self.context, self.each, self._make_connection = context, each, make_connection
        self.ports = port_slice(worker, workers)
        self.poller = new_poller()
        self.by_fd: dict[int, Connection] = {}
        self.dials: dict[int, Dial] = {}
        self.lanes: dict[str, list[Lane]] = {}
        self.nodes: list[Node] = []
        self.notes: list[str] = []
        self.leaving: list[Connection] = []
        self._shards: dict[str, Shards] = {}
        self.last_error = ""
        self._opening = False
        #: whether a load has begun: nothing may take long any more
        self.loaded = False
        self.ring = [0] * RING
        self.seq = 0
        self.unwritable_ns = 0
        #: nodes whose shard-aware port is not used, and why
        self._no_shard_port: dict[str, str] = {}
        self.routes = Routes(target)
        self.take_nodes(known_nodes(target))

    # -- nodes ---------------------------------------------------------------------------------------------------

    def take_nodes(self, nodes: Iterable[Node]) -> None:
        """Makes room for the connections that these nodes want, and a new router where it would be another.

        It is there at once until the first phase begins, later after some ticks. Connections that are not wanted any
        more are in `leaving`, for the caller to let go. Without a node all stays as it is; at first there must be one.
        """
        listed = [self._as_learned(node) for node in nodes]
        local = [node for node in listed if node.dc == self.target.local_dc]
        if not listed and self.loaded:
            return
        if not listed:
            raise EngineError("the cluster has no node to send anything to; check --dc")
        self.nodes = local or listed
        lanes: dict[str, list[Lane]] = {}
        for node in self.nodes:
            count = max(1, node.shards) * self.each
            have = self.lanes.get(node.host_id, [])
            same = len(have) == count and (have[0].connection.node.address, have[0].connection.node.port) == (
                node.address, node.port,
            )  # fmt: skip
            lanes[node.host_id] = have if same else self._new_lanes(node, count)
            for lane in lanes[node.host_id]:
                lane.connection.node = node
        kept = {id(lane) for each in lanes.values() for lane in each}
        self.leaving += [lane.connection for each in self.lanes.values() for lane in each if id(lane) not in kept]
        self.lanes = lanes
        self._make_routes()

    def _make_routes(self) -> None:
        lanes_of = {host: self._connections(host) for host in self.lanes}
        self.routes.take_nodes(self.target, self.nodes, lanes_of, at_once=not self.loaded)

    @property
    def router(self) -> Router:
        """The way to the connections as it is now."""
        return self.routes.router

    def find_routes(self) -> None:
        """Goes on with a router that is to come; to be called at each tick."""
        if self.routes.wanted:
            self._make_routes()
        self.routes.go_on()

    def _new_lanes(self, node: Node, count: int) -> list[Lane]:
        return [Lane(self._make_connection(node, index // self.each if node.shards else -1)) for index in range(count)]

    def _connections(self, host_id: str) -> list[Connection]:
        return [lane.connection for lane in self.lanes[host_id]]

    def all(self) -> list[Connection]:
        """Every connection, whether it stands or not."""
        return [lane.connection for lanes in self.lanes.values() for lane in lanes]

    def connected(self) -> list[Connection]:
        """Those that stand."""
        return list(self.by_fd.values())

    # -- connecting ----------------------------------------------------------------------------------------------

    def open(self, timeout_s: float) -> None:
        """Connects all of them; EngineError when none stands in the end or none ever can."""
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        self._opening = True
        while True:
            now_ns = time.monotonic_ns()
            self.maintain(now_ns)
            if len(self.by_fd) == len(self.all()) or now_ns > deadline_ns or self._settled():
                break
            for fd, _ in self.poll_ms(50):
                if fd in self.dials:
                    self.attend(fd)
        self._opening = False
        if not self.by_fd:
            raise EngineError(f"no connection to {self._where()}: {self.last_error or 'timed out'}")
        missing = len(self.all()) - len(self.by_fd)
        if missing:
            self.note(f"{missing} of {len(self.all())} connections could not be made at first ({self.last_error})")

    def _settled(self) -> bool:
        """Whether each lane has been tried often enough for a start, and some node answers or none will."""
        if self.dials:
            return False
        return all(lane.connection.connected or lane.tries >= 3 for lanes in self.lanes.values() for lane in lanes)

    def _where(self) -> str:
        return ", ".join(f"{node.address}:{node.port}" for node in self.nodes[:3])

    def note(self, text: str) -> None:
        """Something to be said aloud, once."""
        if text not in self.notes:
            self.notes.append(text)

    def poll_ms(self, timeout_ms: int) -> list[tuple[int, int]]:
        """What the poller has within that time."""
        events: list[tuple[int, int]] = self.poller.poll(timeout_ms / 1000 if EPOLL else timeout_ms)
        return events

    def maintain(self, now_ns: int) -> None:
        """Starts the dials that are due, and ends those that take too long."""
        for dial in [dial for dial in self.dials.values() if now_ns - dial.started_ns > DIAL_NS]:
            self._unreached(dial, "no answer to the handshake", now_ns)
        for lanes in self.lanes.values():
            for lane in lanes:
                connection = lane.connection
                if not connection.connected and not lane.dialing and now_ns >= lane.when_ns:
                    self._dial(lane, now_ns)

    def _dial(self, lane: Lane, now_ns: int) -> None:
        node = lane.connection.node
        shard_port = bool(node.shards and node.shard_aware_port) and node.host_id not in self._no_shard_port
        try:
            dial = Dial(
                lane.connection,
                self.target,
                self.context,
                self.statements,
                now_ns=now_ns,
                shard_port=shard_port,
                ports=self.ports,
                turn=lane.tries,
            )
        except ConnectionLost as lost:
            self._postpone(lane, str(lost), now_ns)
            return
        lane.dialing = True
        self.dials[dial.fd] = dial
        self.poller.register(dial.fd, dial.mask)

    def _lane(self, connection: Connection) -> Lane | None:
        lanes = self.lanes.get(connection.node.host_id, [])
        return next((lane for lane in lanes if lane.connection is connection), None)

    def _postpone(self, lane: Lane | None, reason: str, now_ns: int) -> None:
        self.last_error = reason
        if lane is not None:
            lane.dialing = False
            lane.tries += 1
            wait_s = full_jitter_s(lane.tries, RECONNECT_BASE_S, RECONNECT_CAP_S, random.random())
            lane.when_ns = now_ns + int(wait_s * 1e9)

    def _failed(self, dial: Dial, reason: str, now_ns: int) -> None:
        del self.dials[dial.fd]
        self._unwatch(dial.fd)
        dial.close()
        self._postpone(self._lane(dial.connection), reason, now_ns)

    def attend(self, fd: int) -> None:
        """A dial has something to do. Raises EngineError where the server would not have us from the start.

        Later on it is a node's trouble: one that restarts refuses log-ins until it can read who may.
        """
        dial = self.dials[fd]
        now_ns = time.monotonic_ns()
        try:
            greeting = dial.attend()
        except HandshakeError as error:
            self._failed(dial, str(error), now_ns)
            if error.hopeless and self._opening and not self.by_fd and self._dialled_twice(dial):
                raise EngineError(f"{dial.connection.node.address}: {error}") from error
            return
        except ConnectionLost as error:
            self._unreached(dial, str(error), now_ns)
            return
        if greeting is None:
            self.poller.modify(fd, dial.mask)
            return
        del self.dials[fd]
        self._arrived(dial, greeting, now_ns)

    def _dialled_twice(self, dial: Dial) -> bool:
        lane = self._lane(dial.connection)
        return lane is None or lane.tries > 1

    def _unreached(self, dial: Dial, reason: str, now_ns: int) -> None:
        """No connection came of it. Where only the shard-aware port is closed (a firewall), the usual one may do."""
        host = dial.connection.node.host_id
        if dial.shard_port:
            self._no_shard_port[host] = f"fails ({reason})"
        else:
            self._no_shard_port.pop(host, None)  # the whole node is away: once it is back, either port may do
        self._failed(dial, reason, now_ns)

    def _arrived(self, dial: Dial, greeting: Greeting, now_ns: int) -> None:
        """A handshake is done: the connection stands, if it leads to a shard that still needs one."""
        node, asker = dial.connection.node, self._lane(dial.connection)
        if greeting.shards is not None and greeting.shards.total != node.shards:
            # We were told otherwise, or not yet: the node's connections are made anew.
            self._hang_up(dial)
            self._shards[node.host_id] = greeting.shards
            self.take_nodes(self.nodes)
            return
        if asker is not None:
            asker.dialing = False
        lane = asker
        if greeting.shard is not None and node.shards and greeting.shard != dial.connection.shard:
            if dial.shard_port:
                self._no_shard_port[node.host_id] = "leads to other shards than port numbers say (NAT on the way?)"
            lane = self._lane_for_shard(node, greeting.shard)
            if lane is None and asker is not None:
                asker.tries += 1
                lane = asker if asker.tries > SHARD_TRIES else None
        if lane is None or lane.connection.connected:
            # One for the same shard was sooner, perhaps on its way to another: what is in flight on it must stay.
            self._hang_up(dial)
            return
        if not dial.shard_port and node.host_id in self._no_shard_port:
            self.note(
                f"{node.address}: the shard-aware port {node.shard_aware_port} {self._no_shard_port[node.host_id]};"
                f" using port {node.port}, where the server chooses the shard"
            )
        if dial.no_source:
            self.note(f"{node.address}: {dial.no_source}; using port {node.port}, where the server chooses the shard")
        if self.target.tablets == () and not greeting.tells_tablets:
            self.note(
                "the table's tablets are not known, and the server does not tell of requests that belong elsewhere:"
                " they go to any node"
            )
        lane.tries = 0
        self.adopt(lane.connection, dial, greeting, now_ns)

    def _unwatch(self, fd: int) -> None:
        try:
            self.poller.unregister(fd)
        except OSError:
            pass  # the descriptor is gone already

    def _hang_up(self, dial: Dial) -> None:
        self._unwatch(dial.fd)
        dial.close()

    def _as_learned(self, node: Node) -> Node:
        """The node with the shards that it told us of itself."""
        told = self._shards.get(node.host_id)
        if told is None:
            return node
        return replace(node, shards=told.total, ignore_msb=told.ignore_msb, shard_aware_port=told.port)

    def _lane_for_shard(self, node: Node, shard: int) -> Lane | None:
        lanes = self.lanes.get(node.host_id, [])
        return next((lane for lane in lanes if lane.connection.shard == shard and not lane.connection.connected), None)

    def adopt(self, connection: Connection, dial: Dial, greeting: Greeting, now_ns: int) -> None:
        """The dial's socket becomes the connection's."""
        connection.reset()
        connection.take_socket(dial.sock)
        connection.compressor, connection.rate_limit_code = greeting.compressor, greeting.rate_limit_code
        connection.heard_ns = now_ns
        connection.statement_ids = list(greeting.statement_ids)
        connection.templates = self.make_templates(connection.statement_ids, connection)
        connection.connected = True
        connection.judge_ready()
        self.by_fd[connection.fd] = connection
        self.poller.modify(connection.fd, IN)

    def drop(self, connection: Connection, reason: str, now_ns: int) -> None:
        """The connection does not stand any more; it will be dialled again."""
        connection.target.lost += 1
        if self.by_fd.pop(connection.fd, None) is not None:
            self._unwatch(connection.fd)
        connection.close()
        self._postpone(self._lane(connection), reason, now_ns)

    # -- what the loop asks for ----------------------------------------------------------------------------------

    def new_flush(self) -> int:
        """The number of a new flush, which has not been sent yet."""
        self.seq += 1
        self.ring[(self.seq - 1) & RING_MASK] = 0
        return self.seq - 1

    def block(self, connection: Connection) -> None:
        """The socket takes no more: wait until it does."""
        if not connection.blocked_ns:
            connection.blocked_ns = time.monotonic_ns()
            connection.judge_ready()
            self.poller.modify(connection.fd, IN | OUT)

    def unblock(self, connection: Connection) -> None:
        """The socket takes bytes again and nothing is left to send."""
        if connection.blocked_ns:
            self.unwritable_ns += time.monotonic_ns() - connection.blocked_ns
            connection.blocked_ns = 0
            connection.judge_ready()
            self.poller.modify(connection.fd, IN)

    def choose(self, choices: Sequence[Connection], now_ns: int) -> Connection | None:
        """The first of a token's connections that can take an operation, else any other that can."""
        for connection in choices:
            if connection.takes() and connection.breaker.allows(now_ns):
                return connection
        for connection in choices:
            if connection.takes():
                return connection
        return next((connection for connection in self.by_fd.values() if connection.takes()), None)

    def close(self) -> None:
        """Lets everything go."""
        for dial in self.dials.values():
            dial.close()
        self.dials.clear()
        for connection in self.connected():
            connection.close()
        self.by_fd.clear()
        if hasattr(self.poller, "close"):
            self.poller.close()

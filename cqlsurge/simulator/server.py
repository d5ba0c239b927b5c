"""The sockets of the simulated cluster: every node's listeners and clients on one asyncio loop."""

from __future__ import annotations

import asyncio
import random
import select
import selectors
import time
from typing import TYPE_CHECKING

from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import SERVER, FrameDecoder
from cqlsurge.load.routing.sharding import shard_of_port
from cqlsurge.simulator.connection import Answer, Connection, Peer
from cqlsurge.simulator.delivery import Wire

if TYPE_CHECKING:
    from cqlsurge.simulator.cluster import Cluster
    from cqlsurge.simulator.request_log import RequestLog
    from cqlsurge.simulator.topology import SimulatedNode

LOOK_EVERY_S = 0.02


class PreciseSelector(selectors.DefaultSelector):
    """Waits to the microsecond, where epoll's own timeout would round up to whole milliseconds."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            select.select([self], [], [], timeout)
            timeout = 0
        return super().select(timeout)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop that is good enough for delays below a millisecond."""
    return asyncio.SelectorEventLoop(PreciseSelector())


class ClientProtocol(asyncio.Protocol):
    """One accepted connection."""

    def __init__(self, server: Server, node: SimulatedNode, *, shard_aware: bool) -> None:
        self._server = server
        self._cluster = server.cluster
        self._node = node
        self._shard_aware = shard_aware
        self._decoder = FrameDecoder(SERVER)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("TCP only")
        self._transport = transport
        self.wire = Wire(transport, self._server.random)
        address, port = transport.get_extra_info("peername")[:2]
        index = self._node.index
        if self._shard_aware:
            shard = shard_of_port(port, self._cluster.topology.shard_count)
        else:
            shard = self._cluster.counts.fewest_connections(index)
        self._connection = Connection(self._cluster, Peer(address, port, self._node, shard))
        self._connection.counts.connections += 1
        self._cluster.connections[self._connection] = self.wire.send
        self._server.clients.setdefault(index, set()).add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.counts.connections -= 1
        self._cluster.connections.pop(self._connection, None)
        self._server.clients[self._node.index].discard(self)

    def pause_writing(self) -> None:
        """A client that does not read its answers is not read from either."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.wire.deaf:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        received_ns = time.monotonic_ns()
        error: ProtocolError | None = None
        try:
            requests = self._decoder.feed(data)
        except ProtocolError as fault:
            error, requests = fault, fault.frames
        # Answers that may go out at the same time go out together, which saves a call to the kernel for each.
        groups: dict[int, list[Answer]] = {}
        for request in requests:
            if self.wire.deaf:
                return
            answer = self._connection.answer(request)
            groups.setdefault(self._delay_ns(received_ns), []).append(answer)
        for delay_ns, answers in groups.items():
            if delay_ns:
                loop = asyncio.get_running_loop()
                loop.call_at((received_ns + delay_ns) / 1e9, self._send, answers, received_ns, delay_ns)
            else:
                self._send(answers, received_ns, 0)
        if error is not None:
            self.wire.send_answer(self._connection.protocol_error(error, error.stream))

    def _delay_ns(self, received_ns: int) -> int:
        """How long to hold back an answer to what came at this time."""
        delays = self._cluster.delays
        if not delays.active or self._connection.state != "ready":
            return 0
        since_start_ns = received_ns - self._cluster.started_ns
        return delays.send_at_ns(self._node.index + 1, since_start_ns) - since_start_ns

    def _send(self, answers: list[Answer], received_ns: int, injected_ns: int) -> None:
        log = self._server.log
        if log is not None:
            now_ns = time.monotonic_ns()
            peer = self._connection.peer
            for answer in answers:
                log.add(answer.stream, peer, received_ns, now_ns, injected_ns)
        plain: list[bytes] = []
        for answer in answers:
            if answer.plain:
                plain.append(answer.frame)
                continue
            self.wire.send(b"".join(plain))
            plain.clear()
            self.wire.send_answer(answer)
        self.wire.send(b"".join(plain))


class Server:
    """Opens and closes the nodes' listeners; `clients` are the open connections of each node."""

    def __init__(self, cluster: Cluster, log: RequestLog | None = None, seed: int = 0) -> None:
        self.cluster = cluster
        self.log = log
        self.random = random.Random(f"wire {seed}")
        self.clients: dict[int, set[ClientProtocol]] = {}
        self.forced_down: set[int] = set()
        self.shard_ports_closed: set[int] = set()
        #: by node index: the port's listener, and the shard-aware port's
        self._listeners: dict[int, asyncio.Server] = {}
        self._aware_listeners: dict[int, asyncio.Server] = {}
        self._settling = asyncio.Lock()

    async def start(self) -> None:
        for node in self.cluster.topology.nodes:
            await self._open(node)

    async def run(self, stopping: asyncio.Event) -> None:
        """Bring nodes down and up as faults and the control URL want them, until it is time to stop."""
        while not stopping.is_set():
            await self.settle()
            if self.log is not None:
                self.log.flush()
            try:
                await asyncio.wait_for(stopping.wait(), LOOK_EVERY_S)
            except TimeoutError:
                pass

    async def stop(self) -> None:
        for node in self.cluster.topology.nodes:
            await self._close(node)
        if self.log is not None:
            self.log.close()

    async def _listen(self, node: SimulatedNode, port: int, *, shard_aware: bool) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: ClientProtocol(self, node, shard_aware=shard_aware),
            node.address,
            port,
            backlog=1024,
            ssl=self.cluster.tls,
        )

    async def _open(self, node: SimulatedNode) -> None:
        self._listeners[node.index] = await self._listen(node, self.cluster.topology.port, shard_aware=False)
        await self._settle_shard_port(node)

    async def _settle_shard_port(self, node: SimulatedNode) -> None:
        port = self.cluster.topology.shard_aware_port
        listening = self._aware_listeners.get(node.index)
        closed = port is None or node.index in self.shard_ports_closed
        if closed and listening is not None:
            await _close_listener(self._aware_listeners.pop(node.index))
        elif port is not None and not closed and listening is None:
            self._aware_listeners[node.index] = await self._listen(node, port, shard_aware=True)

    async def _close(self, node: SimulatedNode) -> None:
        for listeners in (self._listeners, self._aware_listeners):
            listener = listeners.pop(node.index, None)
            if listener is not None:
                await _close_listener(listener)
        for client in list(self.clients.get(node.index, ())):
            client.wire.reset()

    async def settle(self) -> None:
        """Make each node's sockets agree with what is wanted of it now."""
        async with self._settling:
            for node in self.cluster.topology.nodes:
                await self._settle(node)

    async def _settle(self, node: SimulatedNode) -> None:
        cluster = self.cluster
        down = node.index in self.forced_down or cluster.faults.node_is_down(node.index + 1, cluster.elapsed_ns())
        if down and node.up:
            await self._close(node)
            cluster.set_up(node, up=False)
        elif not down and not node.up:
            await self._open(node)
            cluster.set_up(node, up=True)
        elif node.up:
            await self._settle_shard_port(node)


async def _close_listener(listener: asyncio.Server) -> None:
    """Accept no more, let the protocols of accepted connections know them, then close.

    asyncio makes an accepted connection's transport one turn of its loop later, and calls `connection_made` another
    turn after that. A listener closed before leaves the connection open and unread (CPython issue 109564).
    """
    loop = asyncio.get_running_loop()
    for listening in listener.sockets:
        loop.remove_reader(listening.fileno())
    for _ in range(2):
        await asyncio.sleep(0)
    listener.close()

"""The null server's sockets: one epoll loop over all nodes' listeners and clients."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import HEADER_BYTES, MAX_FRAME_BYTES, SERVER, FrameDecoder
from cqlsurge.load.routing.sharding import shard_of_port
from cqlsurge.simulator.connection import Connection, Peer
from cqlsurge.simulator.control import ControlServer
from cqlsurge.simulator.null.executor import NullExecutor
from cqlsurge.simulator.null.fast import (
    READ,
    RIGHT,
    WORDS,
    WRITE,
    WRONG_NODE,
    WRONG_SHARD,
    FastStatement,
    answer_frames,
    fast_statement,
)
from cqlsurge.simulator.null.general import GeneralStatement
from cqlsurge.simulator.null.holding import Holding
from cqlsurge.simulator.null.values import NullValues

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from cqlsurge.load.cql.frames import Frame
    from cqlsurge.simulator.cluster import Cluster
    from cqlsurge.simulator.request_log import RequestLog
    from cqlsurge.simulator.topology import SimulatedNode

RECEIVE_BYTES = 1 << 18
#: where answers are held back: requests come few at a time, and large buffers make PyPy collect garbage more often
FEW_BYTES = 1 << 13
# A client that does not read its answers is not read from either.
UNSENT_BYTES_MAX = 1 << 22
POLL_S = 1.0


class Stopped(BaseException):
    """Raised in the loop by SIGINT and SIGTERM."""


class NullClient:
    """One accepted connection: what came and was not whole yet, what could not be sent yet."""

    def __init__(self, server: NullServer, connected: socket.socket, node: SimulatedNode, shard: int) -> None:
        self.socket = connected
        self._server = server
        self._executor = server.executor
        address, port = connected.getpeername()[:2]
        self.peer = Peer(address, port, node, shard)
        self._connection = Connection(server.cluster, self.peer)
        self._decoder = FrameDecoder(SERVER)
        self._statements: dict[int, FastStatement | GeneralStatement | None] = {}
        self._schema_version: Any = None
        self._left = b""
        self._out: list[bytes] = []
        self.unsent = b""
        self.closing = False
        self.events = select.EPOLLIN
        counts = self._connection.counts
        counts.connections += 1
        server.cluster.connections[self._connection] = self._push

    def put(self, frame: bytes) -> None:
        """Adds a frame to what `send` sends."""
        self._out.append(frame)

    def send(self) -> None:
        """Sends outside of any request."""
        self.flush()
        self._server.watch(self)

    def _push(self, frame: bytes) -> None:
        """An event."""
        self.put(frame)
        self.send()

    def receive(self) -> None:
        """Read what there is, answer it, send the answers."""
        try:
            chunk = self.socket.recv(self._server.receive_bytes)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.closing = True
            return
        if self._schema_version is not self._executor.schema.version:
            self._schema_version = self._executor.schema.version
            self._statements.clear()
        data = self._left + chunk if self._left else chunk
        holding = self._server.holding
        used = self._answer(data) if holding is None else self._answer_later(data, holding)
        self._left = data[used:]
        if len(self._left) >= HEADER_BYTES and not self.closing:
            self._check(self._left)
        self.flush()

    def _answer(self, data: bytes) -> int:
        """Answers the whole frames in `data`; how many bytes they are."""
        used, counted = answer_frames(data, self._statements, self._server.values, self._out, self._slow)
        counts = self._connection.counts
        counts.read += counted[READ]
        counts.write += counted[WRITE]
        counts.right += counted[RIGHT]
        counts.wrong_shard += counted[WRONG_SHARD]
        counts.wrong_node += counted[WRONG_NODE]
        return used

    def _answer_later(self, data: bytes, holding: Holding) -> int:
        """As `_answer`, each answer to be sent when its delay is over; a handshake is not delayed."""
        received_ns = time.monotonic_ns()
        at = 0
        while at + HEADER_BYTES <= len(data):
            past = at + HEADER_BYTES + int.from_bytes(data[at + 5 : at + HEADER_BYTES], "big")
            if past > len(data):
                break
            ready = self._connection.state == "ready"
            self._answer(data[at:past])
            at = past
            if ready and not self.closing:
                holding.delay(self, b"".join(self._out), received_ns)
                self._out.clear()
        return at

    def _check(self, left: bytes) -> None:
        """A header that can never become a good frame must not be waited for."""
        if left[0] != 4 or int.from_bytes(left[5:9], "big") > MAX_FRAME_BYTES:
            self._slow(left)

    def _slow(self, data: bytes) -> None:
        """Any frame but an EXECUTE of the expected shape on a statement already looked up."""
        if self.closing:
            return
        try:
            frames = self._decoder.feed(data)
        except ProtocolError as error:
            self._out.append(self._connection.protocol_error(error, error.stream).frame)
            self.closing = True
            return
        for frame in frames:
            self._look_up(frame)
            answer = self._connection.answer(frame)
            self._out.append(answer.frame)
            self.closing |= answer.close

    def _look_up(self, frame: Frame) -> None:
        """Note the statement of an EXECUTE for the next time."""
        if frame.opcode != 10 or frame.flags or len(frame.body) < 18 or self._connection.state != "ready":
            return
        word = WORDS.unpack_from(frame.body, 2)[0]
        if word not in self._statements:
            ready = self._executor.prepared(self._connection.peer.node, frame.body[2:18])
            if ready is not None:
                self._statements[word] = fast_statement(ready, self._connection, self._server.values)

    def flush(self) -> None:
        if self._out:
            self.unsent = b"".join([self.unsent, *self._out]) if self.unsent else b"".join(self._out)
            self._out.clear()
        if not self.unsent:
            return
        try:
            sent = self.socket.send(self.unsent)
        except BlockingIOError:
            return
        except OSError:
            self.closing = True
            self.unsent = b""
            return
        self.unsent = self.unsent[sent:] if sent < len(self.unsent) else b""

    def close(self) -> None:
        self._connection.counts.connections -= 1
        self._server.cluster.connections.pop(self._connection, None)
        self.socket.close()


class NullServer:
    """All nodes in one process and one thread."""

    def __init__(self, cluster: Cluster, values: NullValues, holding: Holding | None = None) -> None:
        self.cluster = cluster
        self.values = values
        self.holding = holding
        self.receive_bytes = RECEIVE_BYTES if holding is None else FEW_BYTES
        self._waiting = self._stopping = False
        self.executor = NullExecutor(cluster.topology, values, tablets=cluster.tablets)
        cluster.executor = self.executor
        self._epoll = select.epoll()
        self._listeners: dict[int, tuple[socket.socket, SimulatedNode, bool]] = {}
        self._clients: dict[int, NullClient] = {}

    def listen(self) -> None:
        topology = self.cluster.topology
        for node in topology.nodes:
            ports = [(topology.port, False)]
            if topology.shard_aware_port is not None:
                ports.append((topology.shard_aware_port, True))
            for port, aware in ports:
                listener = socket.create_server((node.address, port), backlog=1024)
                listener.setblocking(False)
                self._listeners[listener.fileno()] = (listener, node, aware)
                self._epoll.register(listener.fileno(), select.EPOLLIN)

    def close(self) -> None:
        for client in list(self._clients.values()):
            client.close()
        for listener, _, _ in self._listeners.values():
            listener.close()
        self._epoll.close()

    def serve(self, stdin: int | None) -> None:
        """Until `stop` is called, or `stdin` ends."""
        if stdin is not None:
            self._epoll.register(stdin, select.EPOLLIN)
        holding = self.holding
        while not self._stopping:
            self._waiting = True
            ready = self._epoll.poll(POLL_S if holding is None else holding.timeout_s(POLL_S))
            self._waiting = False
            for fd, events in ready:
                client = self._clients.get(fd)
                if client is not None:
                    self._serve_client(client, events)
                elif fd in self._listeners:
                    self._accept(*self._listeners[fd])
                elif fd == stdin and not os.read(fd, 4096):
                    return
            if holding is not None:
                holding.release()

    def stop(self) -> None:
        """To be called by a signal: ends `serve` at once where it waits, else when what it is about is done.

        Raises Stopped.
        """
        self._stopping = True
        if self._waiting:
            raise Stopped

    def _serve_client(self, client: NullClient, events: int) -> None:
        if events & select.EPOLLOUT:
            client.flush()
        if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and len(client.unsent) < UNSENT_BYTES_MAX:
            client.receive()
        self.watch(client)

    def watch(self, client: NullClient) -> None:
        """Wait for what this client needs next, or let it go."""
        fd = client.socket.fileno()
        if client.closing and not client.unsent:
            self._epoll.unregister(fd)
            del self._clients[fd]
            client.close()
            return
        wanted = 0 if client.closing or len(client.unsent) >= UNSENT_BYTES_MAX else select.EPOLLIN
        if client.unsent:
            wanted |= select.EPOLLOUT
        if wanted != client.events:
            client.events = wanted
            self._epoll.modify(fd, wanted)

    def _accept(self, listener: socket.socket, node: SimulatedNode, aware: bool) -> None:
        try:
            connected, address = listener.accept()
        except OSError:
            return
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if aware:
            shard = shard_of_port(address[1], self.cluster.topology.shard_count)
        else:
            shard = self.cluster.counts.fewest_connections(node.index)
        fd = connected.fileno()
        self._clients[fd] = NullClient(self, connected, node, shard)
        self._epoll.register(fd, select.EPOLLIN)


def serve_null(
    cluster: Cluster, args: argparse.Namespace, announce: Callable[[str], None], log: RequestLog | None
) -> int:
    """Hold a null server until a signal or the end of standard input; the exit code."""
    holding = Holding(cluster, log) if cluster.delays.active or log is not None else None
    server = NullServer(cluster, NullValues(args.blob_size, args.seed), holding)

    def answer(method: str, path: str, _: Any) -> Any:
        if (method, path) == ("GET", ""):
            return cluster.counts.state()
        if (method, path) == ("POST", "reset"):
            cluster.counts.reset()
            return {}
        raise LookupError("a null server knows GET / and POST reset only")

    control = ControlServer(answer)
    control.start()
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: server.stop())
        server.listen()
        announce(control.url)
        server.serve(0 if args.until_stdin_closes else None)
    except Stopped:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second one must not cut off the log
        control.close()
        server.close()
        if log is not None:
            log.close()
    return 0

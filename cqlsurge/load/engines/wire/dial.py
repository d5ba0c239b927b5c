"""One attempt at a connection: connecting, TLS, handshake; never waits, the pool's poller wakes it."""

from __future__ import annotations

import errno
import os
import random
import select
import socket
import ssl
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import CLIENT, FrameDecoder, encode_frame
from cqlsurge.load.engines.tls import TLS_BROKEN, tls_reason
from cqlsurge.load.engines.wire.connection import ConnectionLost
from cqlsurge.load.engines.wire.handshake import Greeting, HandshakeError, handshake
from cqlsurge.load.engines.wire.receive_stamps import ask_for_stamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cqlsurge.load.engines.contract import Target
    from cqlsurge.load.engines.wire.connection import Connection

DIAL_NS = 10_000_000_000
PORT_LOW, PORT_HIGH = 49152, 65536
_SMALL_RECEIVE = 65536
#: a source port that cannot be had: bound by others, not ours to take, or in use towards the same address
_TAKEN = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)


class Dial:
    """On its way to be the socket of `connection`. `shard_port`: through the shard-aware port."""

    def __init__(
        self,
        connection: Connection,
        target: Target,
        context: ssl.SSLContext | None,
        statements: Sequence[str],
        *,
        now_ns: int,
        shard_port: bool = False,
        ports: range,
        turn: int = 0,
    ) -> None:
        self.connection, self.shard_port = connection, shard_port
        self.started_ns = now_ns
        self._steps = handshake(target, statements)
        self._decoder = FrameDecoder(CLIENT)
        self._context, self._tls_done = context, context is None
        self._unsent = b""
        self._asked = False
        node = connection.node
        self._host = target.address_map.get(node.address, node.address)
        #: why the shard-aware port could not be used, where it was to be
        self.no_source = ""
        self.sock: socket.socket = self._connect(ports, turn)
        self.fd = self.sock.fileno()

    def _connect(self, ports: range, turn: int) -> socket.socket:
        """A socket that is connecting, to each of the host's addresses in turn. Raises ConnectionLost."""
        node, shard = self.connection.node, self.connection.shard
        try:
            found = socket.getaddrinfo(self._host, node.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise ConnectionLost(f"{self._host}: {error.strerror or error}") from error
        family, _, _, _, (address, _, *rest) = found[turn % len(found)]
        if self.shard_port and node.shard_aware_port:
            for source in source_ports(shard, node.shards, ports):
                sock = _connect_from(source, family, (address, node.shard_aware_port, *rest))
                if sock is not None:
                    return sock
            self.shard_port = False
            self.no_source = f"no source port that leads to shard {shard} is free"
        sock = _connect_from(None, family, (address, node.port, *rest))
        if sock is None:
            raise ConnectionLost(os.strerror(errno.EADDRNOTAVAIL))
        return sock

    @property
    def mask(self) -> int:
        """The events to wait for."""
        return select.POLLIN | (select.POLLOUT if self._unsent or not self._asked else 0)

    def close(self) -> None:
        """Gives up."""
        self.sock.close()

    def attend(self) -> Greeting | None:
        """Goes on as far as it can; the greeting when all is done. Raises ConnectionLost, HandshakeError."""
        try:
            if not self._asked and not self._begin():
                return None
            if self._unsent:
                self._send()
            return self._receive()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError, InterruptedError):
            return None
        except ssl.SSLCertVerificationError as error:
            raise HandshakeError(f"certificate of {self._host}: {error.verify_message}", hopeless=True) from error
        except ProtocolError as error:
            raise HandshakeError(f"protocol: {error}") from error
        except TLS_BROKEN as error:
            raise ConnectionLost(tls_reason(error)) from error

    def _begin(self) -> bool:
        """Once connected: TLS if asked for, then the first request. False while still connecting."""
        result = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            raise ConnectionLost(os.strerror(result))
        if not self._tls_done:
            assert self._context is not None
            if not isinstance(self.sock, ssl.SSLSocket):
                self.sock = self._context.wrap_socket(
                    self.sock,
                    server_hostname=self.connection.node.certificate_name or self._host,
                    do_handshake_on_connect=False,
                )
            self.sock.do_handshake()
            self._tls_done = True
        request = next(self._steps)
        self._unsent = encode_frame(request.opcode, request.encode_body())
        self._asked = True
        return True

    def _send(self) -> None:
        self._unsent = self._unsent[self.sock.send(self._unsent) :]

    def _receive(self) -> Greeting | None:
        while True:
            data = self.sock.recv(_SMALL_RECEIVE)
            if not data:
                raise ConnectionLost("closed by the server during the handshake")
            for frame in self._decoder.feed(data):
                try:
                    request = self._steps.send(frame)
                except StopIteration as done:
                    greeting: Greeting = done.value
                    return greeting
                self._unsent = encode_frame(request.opcode, request.encode_body())
                self._send()


def _connect_from(source: int | None, family: int, address: Any) -> socket.socket | None:
    """A socket that is connecting from a port of ours; None where that one is taken. Raises ConnectionLost."""
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConnectionLost(error.strerror or str(error)) from error
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ask_for_stamps(sock)
        if source is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", source))
        result = sock.connect_ex(address)
    except OSError as error:
        result = error.errno or errno.EINVAL
    if result in (0, errno.EINPROGRESS):
        return sock
    sock.close()
    if result in _TAKEN:
        return None
    raise ConnectionLost(os.strerror(result))


def port_slice(worker: int, workers: int) -> range:
    """The source ports of one load process of a host: all have slices of their own, so that they do not fight."""
    size = (PORT_HIGH - PORT_LOW) // max(1, workers)
    return range(PORT_LOW + worker * size, PORT_LOW + (worker + 1) * size)


def source_ports(shard: int, shards: int, ports: range) -> Iterator[int]:
    """The ports that lead to a shard (port % shards == shard): ours first, in any order, then those of all processes.

    A slice may be smaller than the number of shards, and other programs use ports as well.
    """
    for each in (ports, range(PORT_LOW, PORT_HIGH)):
        candidates = range(each.start + (shard - each.start) % shards, each.stop, shards)
        start = random.randrange(max(1, len(candidates)))
        for turn in range(len(candidates)):
            yield candidates[(start + turn) % len(candidates)]

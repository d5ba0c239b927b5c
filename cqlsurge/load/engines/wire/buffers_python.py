"""A connection's bytes as parts, joined when they are sent: the way for CPython, and for PyPy without cffi."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from cqlsurge.load.engines.tls import TLS_BROKEN, tls_reason
from cqlsurge.load.engines.wire.connection import Connection, ConnectionLost

if TYPE_CHECKING:
    import socket

    from cqlsurge.load.engines.contract import Node

FLUSH_BYTES = 65536
INBOX_BYTES = 1 << 18


class Inbox:
    """Where all connections receive: `bytes` to read by index; it grows for a frame that is larger."""

    def __init__(self) -> None:
        self._allocate(INBOX_BYTES)

    def _allocate(self, size: int) -> None:
        self.size = size
        self.bytes = bytearray(size)
        self.view = memoryview(self.bytes)

    def slice(self, start: int, end: int) -> bytes:
        """A copy of some of it."""
        return bytes(self.view[start:end])

    def make_room(self, size: int) -> None:
        """Makes it at least so large; what is in it is lost."""
        if size > self.size:
            self._allocate(size)


class JoinConnection(Connection):
    """Sends joined parts. `parts` are bytes objects that make whole frames, `used` bytes in all."""

    __slots__ = ("parts", "unsent")

    def __init__(self, node: Node, shard: int) -> None:
        super().__init__(node, shard)
        self.parts: list[bytes] = []
        self.unsent: memoryview | None = None

    def reset(self) -> None:
        """See Connection."""
        super().reset()
        self.parts = []
        self.unsent = None

    def append(self, data: bytes) -> None:
        """See Connection."""
        self.parts.append(data)
        self.used += len(data)

    def push(self) -> bool:
        """See Connection."""
        sock = self.sock
        assert sock is not None
        data: Any = b"".join(self.parts)
        self.parts.clear()
        if self.unsent is not None:
            # A blocked connection is given no operations, but an answer of our own (PREPARE) may have come in between.
            data = b"".join((self.unsent, data)) if data else self.unsent
        sent = push_tls(sock, data) if isinstance(sock, ssl.SSLSocket) else push_plain(sock, data)
        if sent == len(data):
            self.unsent = None
            self.used = self.queued = 0
            return True
        self.unsent = memoryview(data)[sent:]
        return False

    def pull(self, inbox: Inbox) -> int:
        """See Connection."""
        sock = self.sock
        assert sock is not None
        have = len(self.rest)
        if have:
            inbox.make_room(have + 65536)
            inbox.view[:have] = self.rest
        if isinstance(sock, ssl.SSLSocket):
            got = pull_tls(sock, inbox.view[have:])
            return got if got < 0 else have + got
        got = pull_plain(sock, inbox.view[have:])
        return got if got < 0 else have + got

    def keep(self, inbox: Inbox, start: int, end: int) -> None:
        """See Connection."""
        self.rest = inbox.slice(start, end) if start < end else b""


def push_plain(sock: socket.socket, data: Any) -> int:
    """Sends what the socket takes of it; how much that was. Raises ConnectionLost."""
    try:
        return sock.send(data)
    except (BlockingIOError, InterruptedError):
        return 0
    except OSError as error:
        raise ConnectionLost(error.strerror or str(error)) from error


def pull_plain(sock: socket.socket, view: memoryview) -> int:
    """Receives into the view; how much came, -1 when nothing did. Raises ConnectionLost."""
    try:
        got = sock.recv_into(view)
    except (BlockingIOError, InterruptedError):
        return -1
    except OSError as error:
        raise ConnectionLost(error.strerror or str(error)) from error
    if not got:
        raise ConnectionLost("closed by the server")
    return got


def push_tls(sock: ssl.SSLSocket, data: Any) -> int:
    """Writes to a TLS socket that does not block; the bytes it took. Raises ConnectionLost."""
    sent = 0
    view = memoryview(data)
    try:
        while sent < len(view):
            sent += sock.send(view[sent:])
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return sent
    except TLS_BROKEN as error:
        raise ConnectionLost(tls_reason(error)) from error
    return sent


def pull_tls(sock: ssl.SSLSocket, view: memoryview) -> int:
    """Reads from a TLS socket what is decrypted or can be; -1 when nothing. Raises ConnectionLost."""
    got = 0
    try:
        while got < len(view):
            more = sock.recv_into(view[got:])
            if not more:
                break
            got += more
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return got or -1
    except TLS_BROKEN as error:
        raise ConnectionLost(tls_reason(error)) from error
    if not got:
        raise ConnectionLost("closed by the server")
    return got

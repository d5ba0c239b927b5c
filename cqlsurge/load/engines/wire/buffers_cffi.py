"""A connection's bytes in memory of our own: on PyPy, memmove through cffi costs a third of list and join.

Importing it raises ImportError where cffi is not there; buffers_python is the fallback.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING, Any

from cqlsurge.load.compiled.memory import ffi, libc, memmove
from cqlsurge.load.engines.wire.buffers_python import pull_tls, push_tls
from cqlsurge.load.engines.wire.connection import Connection, ConnectionLost

if TYPE_CHECKING:
    from cqlsurge.load.engines.contract import Node

#: a connection is flushed as soon as so many bytes wait; an arena has room for these and one more frame
FLUSH_BYTES = 65536
#: room behind FLUSH_BYTES, so that most frames need no larger arena
SPARE_BYTES = 8192
INBOX_BYTES = 1 << 18

_send, _recv = libc.send, libc.recv
_AGAIN = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)
_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)


class Inbox:
    """Where all connections receive: `bytes` to read by index; it grows for a frame that is larger."""

    def __init__(self) -> None:
        self._allocate(INBOX_BYTES)

    def _allocate(self, size: int) -> None:
        self.size = size
        self.bytes: Any = ffi.new("unsigned char[]", size)
        self.view = memoryview(ffi.buffer(self.bytes, size))

    def slice(self, start: int, end: int) -> bytes:
        """A copy of some of it."""
        return bytes(self.view[start:end])

    def make_room(self, size: int) -> None:
        """Makes it at least so large; what is in it is lost."""
        if size > self.size:
            self._allocate(size)


class ArenaConnection(Connection):
    """Sends from an arena and receives into the inbox with one copy each."""

    __slots__ = ("arena", "capacity", "started")

    def __init__(self, node: Node, shard: int) -> None:
        super().__init__(node, shard)
        self.capacity = FLUSH_BYTES + SPARE_BYTES
        self.arena: Any = ffi.new("unsigned char[]", self.capacity)
        self.started = 0

    def reset(self) -> None:
        """See Connection."""
        super().reset()
        self.started = 0

    def reserve(self, size: int) -> None:
        """Makes sure that `size` more bytes fit."""
        if self.used + size > self.capacity:
            self.capacity = self.used + size + SPARE_BYTES
            arena = ffi.new("unsigned char[]", self.capacity)
            memmove(arena, self.arena, self.used)
            self.arena = arena

    def append(self, data: bytes) -> None:
        """See Connection."""
        size = len(data)
        self.reserve(size)
        memmove(self.arena + self.used, data, size)
        self.used += size

    def push(self) -> bool:
        """See Connection."""
        start, used = self.started, self.used
        if isinstance(self.sock, ssl.SSLSocket):
            sent = push_tls(self.sock, ffi.buffer(self.arena + start, used - start))
        else:
            sent = _send(self.fd, self.arena + start, used - start, _NO_SIGNAL)
            if sent < 0:
                if ffi.errno not in _AGAIN:
                    raise ConnectionLost(os.strerror(ffi.errno))
                sent = 0
        if start + sent == used:
            self.started = self.used = self.queued = 0
            return True
        self.started = start + sent
        return False

    def pull(self, inbox: Inbox) -> int:
        """See Connection."""
        have = len(self.rest)
        if have:
            inbox.make_room(have + 65536)
            memmove(inbox.bytes, self.rest, have)
        if isinstance(self.sock, ssl.SSLSocket):
            got = pull_tls(self.sock, inbox.view[have:])
            return got if got < 0 else have + got
        got = _recv(self.fd, inbox.bytes + have, inbox.size - have, 0)
        if got > 0:
            return have + int(got)
        if got < 0 and ffi.errno in _AGAIN:
            return -1
        raise ConnectionLost(os.strerror(ffi.errno) if got else "closed by the server")

    def keep(self, inbox: Inbox, start: int, end: int) -> None:
        """See Connection."""
        self.rest = inbox.slice(start, end) if start < end else b""

"""Small servers that are no CQL port, for tests: each says what its kind says, on a loopback port of its own."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Talk = Callable[[socket.socket], None]


@contextmanager
def listener(talk: Talk, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that talks to each connection on a thread of its own, then closes it."""

    def converse(sock: socket.socket) -> None:
        try:
            with sock, context.wrap_socket(sock, server_side=True) if context else sock as plain:
                plain.settimeout(20)
                talk(plain)
        except OSError:
            pass  # the client has gone

    def accept() -> None:
        while True:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=converse, args=(sock,), daemon=True).start()

    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def greets(text: bytes) -> Talk:
    """Speaks first, as SSH, mail servers and MySQL do."""

    def talk(sock: socket.socket) -> None:
        sock.sendall(text)
        sock.recv(4096)

    return talk


def answers_lines(text: bytes) -> Talk:
    """Says nothing until it has a line, as HTTP and Redis do."""

    def talk(sock: socket.socket) -> None:
        heard = b""
        while b"\n" not in heard:
            piece = sock.recv(4096)
            if not piece:
                return
            heard += piece
        sock.sendall(text)

    return talk


def silent(sock: socket.socket) -> None:
    """Takes everything and says nothing."""
    while sock.recv(4096):
        pass


def hangs_up(sock: socket.socket) -> None:
    """Closes after the first bytes."""
    sock.recv(4096)

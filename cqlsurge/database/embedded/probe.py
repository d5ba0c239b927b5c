"""Whether a node answers CQL: one short conversation in protocol v4 over a socket, logging in where it must.

Frames as in the CQL binary protocol v4 specification, sections 2 (header) and 4 (messages).
"""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass

HEADER = struct.Struct(">BBhBi")
REQUEST_V4 = 0x04
STARTUP, READY, AUTHENTICATE, AUTH_RESPONSE, AUTH_SUCCESS = 0x01, 0x02, 0x03, 0x0F, 0x10
CQL_VERSION = b"\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0"
TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Login:
    """What a client must bring; `tls` trusts the cluster's CA and shows the client certificate."""

    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


def answers(address: str, port: int, login: Login) -> bool:
    """Whether the node accepts us as a client now."""
    try:
        with socket.create_connection((address, port), TIMEOUT_S) as plain:
            if login.tls is None:
                return _accepted(plain, login)
            with login.tls.wrap_socket(plain, server_hostname=address) as encrypted:
                return _accepted(encrypted, login)
    except OSError:
        return False


def _accepted(connection: socket.socket, login: Login) -> bool:
    opcode = _exchange(connection, STARTUP, CQL_VERSION)
    if opcode == AUTHENTICATE and login.user is not None:
        token = f"\0{login.user}\0{login.password}".encode()  # SASL PLAIN
        opcode = _exchange(connection, AUTH_RESPONSE, struct.pack(">i", len(token)) + token)
    return opcode in (READY, AUTH_SUCCESS)


def _exchange(connection: socket.socket, opcode: int, body: bytes) -> int:
    """Send one request; the opcode of its answer."""
    connection.sendall(HEADER.pack(REQUEST_V4, 0, 0, opcode, len(body)) + body)
    _version, _flags, _stream, answer, length = HEADER.unpack(_receive(connection, HEADER.size))
    _receive(connection, length)
    return int(answer)


def _receive(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionError("the node closed the connection")
        data += part
    return data

"""A TLS connection that breaks, as the wire engine's sockets see it, on any interpreter: plain asserts, no pytest.

Argument: a certificate with its key in one file. For each way of breaking and each of recv and send the engine must
say ConnectionLost. PyPy's ssl raises RuntimeError from send there.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from cqlsurge.load.engines.wire.buffers_python import pull_tls, push_tls
from cqlsurge.load.engines.wire.connection import ConnectionLost


def serve(how, pem):
    """The port of a server that takes one connection and breaks it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def go():
        raw, _ = listener.accept()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        peer = context.wrap_socket(raw, server_side=True)
        peer.recv(1)
        if how == "end":
            socket.socket(fileno=peer.detach()).close()
            return
        if how == "mid-record":
            os.write(peer.fileno(), b"\x17\x03\x03\x40\x00" + b"y" * 50)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()

    threading.Thread(target=go, daemon=True).start()
    return listener.getsockname()[1]


def lost(how, verb, pem):
    """Whether the engine's function says that the connection is lost, within five seconds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    client = context.wrap_socket(socket.create_connection(("127.0.0.1", serve(how, pem))))
    client.send(b"x")
    client.setblocking(False)
    deadline_s = time.monotonic() + 5
    try:
        while time.monotonic() < deadline_s:
            if verb == "recv":
                pull_tls(client, memoryview(bytearray(65536)))
            else:
                push_tls(client, b"z" * 60000)
            time.sleep(0.02)
    except ConnectionLost:
        return True
    return False


def main():
    """All of them."""
    for how in ("reset", "end", "mid-record"):
        for verb in ("recv", "send"):
            assert lost(how, verb, sys.argv[1]), (how, verb)


if __name__ == "__main__":
    main()

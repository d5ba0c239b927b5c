"""A server that does exactly what a test says, over the production codec: one thread, any number of connections.

It makes the handshake by itself; what becomes of each EXECUTE is the test's function: it gets the request and gives the
frames to send back (bytes), now or through `Link.send` later.
"""

from __future__ import annotations

import selectors
import socket
import threading
from typing import TYPE_CHECKING

from cqlsurge.load.cql.envelope import seal_frame
from cqlsurge.load.cql.frames import SERVER, FrameDecoder
from cqlsurge.load.cql.requests import Execute, Options, Prepare, Startup, decode_request
from cqlsurge.load.cql.responses import Ready, Supported
from cqlsurge.load.cql.results import Prepared, Void
from cqlsurge.load.cql.server_errors import ErrorResponse

if TYPE_CHECKING:
    from collections.abc import Callable


class Link:
    """One connection at the server's end."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock, self.number = sock, number
        self.decoder = FrameDecoder(SERVER)

    def send(self, data: bytes) -> None:
        self.sock.setblocking(True)
        self.sock.sendall(data)
        self.sock.setblocking(False)


def void(stream: int, **envelope: object) -> bytes:
    """The plain answer to a write."""
    return seal_frame(Void.opcode, Void().encode_body(), stream, **envelope)  # type: ignore[arg-type]


def error(stream: int, code: int, details: object = None) -> bytes:
    """An ERROR frame."""
    return seal_frame(ErrorResponse.opcode, ErrorResponse(code, "as the test says", details).encode_body(), stream)  # type: ignore[arg-type]


class ScriptedServer:
    """Use as a context; `port` is where it listens. `prepared` counts PREPAREs; `statement_id` may be changed."""

    def __init__(self, execute: Callable[[Link, int, Execute], None]) -> None:
        self._execute = execute
        self.statement_id = b"0123456789abcdef"
        self.prepared = self.connections = 0
        #: whether LZ4 is offered; what is sent compressed is the test's affair
        self.compression = False
        #: gives the body of the RESULT that answers a PREPARE, None for a right one
        self.prepare: Callable[[Link], bytes | None] = lambda link: None
        #: gives the frame that answers a STARTUP, None for a friendly one
        self.startup: Callable[[Link, int], bytes | None] = lambda link, stream: None
        self.reading = threading.Event()
        self.reading.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port: int = self._listener.getsockname()[1]
        self._ending = False
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._thread.join(10)
        self._listener.close()
        assert self.failure is None, self.failure

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            links: list[Link] = []
            while not self._ending:
                self.reading.wait(5)
                for key, _ in selector.select(0.02):
                    if key.data is None:
                        sock, _ = self._listener.accept()
                        sock.setblocking(False)
                        self.connections += 1
                        links.append(Link(sock, self.connections))
                        selector.register(sock, selectors.EVENT_READ, links[-1])
                    elif not self._read(key.data):
                        selector.unregister(key.data.sock)
                        key.data.sock.close()
            for link in links:
                link.sock.close()

    def _read(self, link: Link) -> bool:
        try:
            data = link.sock.recv(65536)
            if not data:
                return False
            for frame in link.decoder.feed(data):
                request = decode_request(frame)
                if isinstance(request, Execute):
                    self._execute(link, frame.stream, request)
                else:
                    self._greet(link, frame.stream, request)
        except OSError:
            return False
        except BaseException as failure:
            self.failure = failure
            return False
        return True

    def _greet(self, link: Link, stream: int, request: object) -> None:
        answer: Supported | Ready | Prepared
        if isinstance(request, Options):
            answer = Supported({"CQL_VERSION": ["3.0.0"], "COMPRESSION": ["lz4"] if self.compression else []})
        elif isinstance(request, Startup):
            refusal = self.startup(link, stream)
            if refusal is not None:
                link.send(refusal)
                return
            answer = Ready()
        else:
            assert isinstance(request, Prepare)
            self.prepared += 1
            answer = Prepared(self.statement_id)
            body = self.prepare(link)
            if body is not None:
                link.send(seal_frame(answer.opcode, body, stream))
                return
        link.send(seal_frame(answer.opcode, answer.encode_body(), stream))

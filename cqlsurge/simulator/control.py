"""The control URL: a small HTTP server on the loopback interface, behind a path that cannot be guessed.

It runs in a thread of its own, so that the servers' loops know nothing of HTTP; what to do is the caller's.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cqlsurge.errors import CqlsurgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    # (method, path without token, JSON body or None) -> JSON answer; LookupError for a path that there is not
    Answer = Callable[[str, str, Any], Any]

BODY_BYTES_MAX = 1 << 20


class ControlServer:
    """Serves until `close`; `url` ends in a slash."""

    def __init__(self, answer: Answer) -> None:
        self._token = secrets.token_urlsafe(24)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._token, answer))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/{self._token}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _handler(token: str, answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing; the path holds the token."""

        def _serve(self) -> None:
            _, given, path = (*self.path.split("/", 2), "", "")[:3]
            if not hmac.compare_digest(given.encode(), token.encode()):
                return self._reply(404, {"error": "no such path"})
            try:
                length = int(self.headers.get("Content-Length") or 0)
                if not 0 <= length <= BODY_BYTES_MAX:
                    return self._reply(413, {"error": "the body is too long"})
                body = json.loads(self.rfile.read(length)) if length else None
                return self._reply(200, answer(self.command, path.strip("/"), body))
            except LookupError as error:
                return self._reply(404, {"error": str(error)})
            except (CqlsurgeError, ValueError) as error:
                return self._reply(400, {"error": str(error)})

        def _reply(self, status: int, content: Any) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler

"""Small HTTP servers of our own: control URLs behind a path that nobody can guess, and figures for scrapers.

What goes wrong with one asker is that asker's alone: nothing of it reaches the screen, which belongs to the run.
"""

from __future__ import annotations

import hmac
import secrets
import socketserver
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
REQUEST_TIMEOUT_S = 5
BODY_BYTES_MAX = 1 << 20


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    text: str
    content_type: str = TEXT


#: (method, path without token and slashes at its ends, body) -> Answer
Respond = Callable[[str, str, bytes], Answer]


class OneAtATime(HTTPServer):
    """Answers inside `handle_request`, on the caller's own thread."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An asker that has gone is nothing; anything else is a bug, told in one line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            sys.stderr.write(f"an answer over HTTP failed: {type(error).__name__}: {error}\n")


class Threaded(socketserver.ThreadingMixIn, OneAtATime):
    """Answers on threads of its own."""

    daemon_threads = True


def new_token() -> str:
    """A path that nobody can guess."""
    return secrets.token_urlsafe(24)


def handler(respond: Respond, token: str = "") -> type[BaseHTTPRequestHandler]:
    """Serves GET and POST; with a token only paths that begin with it, and of others nobody learns why not."""

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_TIMEOUT_S

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the path may hold the token, and the screen is another's."""

        def _serve(self) -> None:
            path = self.path.split("?")[0].strip("/")
            if token:
                given, _, path = path.partition("/")
                if not hmac.compare_digest(given.encode(), token.encode()):
                    return self._send(Answer(404, "no such page"))
            length = self.headers.get("Content-Length") or "0"
            if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
                return self._send(Answer(413, "the body is too long"))
            return self._send(respond(self.command, path, self.rfile.read(int(length))))

        def _send(self, answer: Answer) -> None:
            body = answer.text.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler

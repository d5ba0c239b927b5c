"""The control URL: a small HTTP server on the loopback interface, behind a path that cannot be guessed.

It runs in a thread of its own, so that the servers' loops know nothing of HTTP; what to do is the caller's.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from cqlsurge.errors import CqlsurgeError
from cqlsurge.host.http_server import JSON, Answer, Threaded, handler, new_token

if TYPE_CHECKING:
    from collections.abc import Callable


class ControlServer:
    """Serves until `close`; `url` ends in a slash.

    `answer` is called with method, path without token, and JSON body or None; its answer is JSON. LookupError is for a
    path that there is not.
    """

    def __init__(self, answer: Callable[[str, str, Any], Any]) -> None:
        self._answer, token = answer, new_token()
        self._server = Threaded(("127.0.0.1", 0), handler(self._respond, token))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/{token}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _respond(self, method: str, path: str, body: bytes) -> Answer:
        try:
            return _json(200, self._answer(method, path, json.loads(body) if body else None))
        except LookupError as error:
            return _json(404, {"error": str(error)})
        except (CqlsurgeError, ValueError) as error:
            return _json(400, {"error": str(error)})


def _json(status: int, content: Any) -> Answer:
    return Answer(status, json.dumps(content), JSON)

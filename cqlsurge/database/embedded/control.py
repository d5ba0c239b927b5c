"""Stopping, starting and killing nodes of a cluster that another process holds: one request over loopback HTTP.

The control file holds the URL, with a token that nobody can guess, and only its owner can read it. POST URL/stop/2,
URL/start/2 or URL/kill/2; the answer is one line: 200 and what was done, or 409 and why not.
"""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cqlsurge.errors import CqlsurgeError, EmbeddedError, UsageError
from cqlsurge.host.http_server import Answer, OneAtATime, handler, new_token
from cqlsurge.host.ports import lease_port

if TYPE_CHECKING:
    from cqlsurge.database.embedded.cluster import EmbeddedCluster

ACTIONS = {"stop": "stopped", "start": "started", "kill": "killed"}
ANSWER_TIMEOUT_S = 300


class ControlServer(OneAtATime):
    """Answers one request at a time, inside `serve`; so the cluster is never touched by two at once."""

    def __init__(self, cluster: EmbeddedCluster) -> None:
        self.cluster = cluster
        self.token = new_token()
        self.lease = lease_port()
        super().__init__(("127.0.0.1", self.lease.port), handler(self._respond, self.token))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.lease.port}/{self.token}"

    def serve(self, wait_s: float) -> None:
        """Answer a request if one comes within that time."""
        self.timeout = wait_s
        self.handle_request()

    def server_close(self) -> None:
        super().server_close()
        self.lease.release()

    def _respond(self, method: str, path: str, body: bytes) -> Answer:
        action, _, number = path.partition("/")
        if method != "POST" or action not in ACTIONS or not number.isdecimal():
            return Answer(404, f"write the request as {' or '.join(ACTIONS)}, then the node's number\n")
        try:
            getattr(self.cluster, f"{action}_node")(int(number))
        except CqlsurgeError as error:
            return Answer(409, f"{error}\n")
        return Answer(200, f"node {number} is {ACTIONS[action]}\n")


def request(control_file: Path, action: str, node: int) -> str:
    """Ask the process behind a control file for an action; what it answers. Raises EmbeddedError, UsageError."""
    try:
        url = urlsplit(control_file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the control file {control_file}: {error}; is the cluster still held?") from None
    if url.scheme != "http" or not url.hostname:
        raise UsageError(f"{control_file} holds no control URL; name the file that --control-file wrote")
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request("POST", f"{url.path}/{action}/{node}")
        answer = connection.getresponse()
        text = answer.read().decode().strip()
    except (OSError, http.client.HTTPException):
        raise EmbeddedError(f"nobody answers at the URL in {control_file}; is the cluster still held?") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise EmbeddedError(text)
    return text

"""Our own HTTP servers: only those with the token are answered, and an asker that goes leaves nothing on the screen."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from cqlsurge.host.http_server import Answer, Threaded, handler


class Serving:
    """A server whose answers begin with `entered` and wait for `go`."""

    def __init__(self, token: str = "") -> None:
        self.entered, self.go, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.go.set()
        serving = self

        class Server(Threaded):
            def shutdown_request(self, request: object) -> None:
                super().shutdown_request(request)
                serving.ended.set()

        self.http = Server(("127.0.0.1", 0), handler(self.respond, token))
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def respond(self, method: str, path: str, body: bytes) -> Answer:
        self.entered.set()
        assert self.go.wait(20)
        if path == "broken":
            raise KeyError("no such thing")
        return Answer(200, f"{method} {path} {body.decode()}" + "x" * 10_000_000 * (path == "much"))

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def serving() -> Iterator[Serving]:
    made = Serving("secret")
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_the_token_opens_and_nothing_else_does(serving: Serving) -> None:
    assert serving.ask("GET", "/secret/a/b?c=d") == (200, "GET a/b ")
    assert serving.ask("POST", "/secret/", "body") == (200, "POST  body")
    for path in ("/", "/secre", "/secret2/a", "/a/secret"):
        assert serving.ask("GET", path) == (404, "no such page")


def test_an_asker_that_goes_away_is_nobodys_trouble(serving: Serving, capfd: pytest.CaptureFixture[str]) -> None:
    serving.go.clear()
    with socket.create_connection(("127.0.0.1", serving.port)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset at the end
        sock.sendall(b"GET /secret/much HTTP/1.0\r\n\r\n")
        assert serving.entered.wait(20)
    serving.go.set()
    assert serving.ended.wait(20)
    assert serving.ask("GET", "/secret/still")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_a_bug_in_an_answer_is_one_line(serving: Serving, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        serving.ask("GET", "/secret/broken")
    assert serving.ended.wait(20)
    assert capfd.readouterr().err == "an answer over HTTP failed: KeyError: 'no such thing'\n"

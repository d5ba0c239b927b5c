"""A simulator as a process of its own, for tests: its address, its control URL, and a plain client."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.frames import CLIENT, OP_EVENT, Frame, FrameDecoder, encode_frame
from cqlsurge.load.cql.requests import Execute, Prepare, Query, QueryParameters, Startup
from cqlsurge.load.cql.responses import decode_response

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
START_S = 30
ANSWER_S = 20
KEYSPACE = "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
TABLE = "CREATE TABLE ks.kv (key uuid PRIMARY KEY, value blob)"


class Simulated:
    """A running simulator."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, control: str) -> None:
        self.process = process
        self.address = address
        self.host, port = address.split(":")
        self.port = int(port)
        self.control = control

    def get(self, path: str = "") -> Any:
        with urllib.request.urlopen(self.control + path, timeout=ANSWER_S) as answer:
            return json.load(answer)

    def post(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(self.control + path, data=json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return json.load(answer)

    def refused(self, path: str, **body: Any) -> str:
        """The error text of a POST that must fail."""
        try:
            self.post(path, **body)
        except urllib.error.HTTPError as error:
            return str(json.load(error)["error"])
        raise AssertionError(f"POST {path} {body} was taken")

    def client(self, host: str | None = None, port: int | None = None, **options: str) -> Client:
        client = Client(host or self.host, port or self.port)
        client.ask(Startup({"CQL_VERSION": "3.0.0", **options}))
        return client


@contextmanager
def simulated(*options: str, python: str = sys.executable, **popen: Any) -> Iterator[Simulated]:
    """Start one; it is ended on the way out, and must end well."""
    with tempfile.TemporaryDirectory() as folder:
        ready, control = Path(folder, "ready"), Path(folder, "control")
        command = [python, "-m", "cqlsurge.simulator", f"--ready-file={ready}", f"--control-file={control}", *options]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, **popen)
        try:
            deadline = time.monotonic() + START_S
            while not ready.exists():
                assert process.poll() is None, process.stderr and process.stderr.read()
                assert time.monotonic() < deadline, "the simulator does not answer"
                time.sleep(0.01)
            yield Simulated(process, ready.read_text(), control.read_text())
            if process.poll() is None:
                process.terminate()
            code = process.wait(START_S)
            said = process.stderr.read() if process.stderr else b""
            assert code == 0, said
            assert b"Traceback" not in said, said.decode()
            assert not ready.exists()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stderr:
                process.stderr.close()


class Client:
    """A plain blocking client: one request at a time unless `send` is used."""

    def __init__(self, host: str, port: int, source: tuple[str, int] | None = None) -> None:
        self.socket = socket.create_connection((host, port), ANSWER_S, source)
        self.decoder = FrameDecoder(CLIENT)
        self.waiting: list[Frame] = []
        self.events: list[Any] = []

    def send(self, message: Any, stream: int = 1, flags: int = 0) -> None:
        self.socket.sendall(encode_frame(message.opcode, message.encode_body(), stream, flags))

    def frame(self) -> Frame:
        """The next response frame; events go aside. ConnectionError when the server has closed."""
        while True:
            while not self.waiting:
                data = self.socket.recv(1 << 16)
                if not data:
                    raise ConnectionError("the server has closed the connection")
                self.waiting = self.decoder.feed(data)
            frame = self.waiting.pop(0)
            if frame.opcode != OP_EVENT:
                return frame
            self.events.append(decode_response(frame))

    def ask(self, message: Any) -> Any:
        self.send(message)
        return decode_response(self.frame(), rate_limit_code=0xF000)

    def query(self, text: str, *values: bytes | None) -> Any:
        return self.ask(Query(text, QueryParameters(values=values or None)))

    def prepare(self, text: str) -> Any:
        return self.ask(Prepare(text))

    def execute(self, statement_id: bytes, *values: bytes | None, skip_metadata: bool = False) -> Any:
        return self.ask(Execute(statement_id, QueryParameters(values=values, skip_metadata=skip_metadata)))

    def make_table(self) -> None:
        for text in (KEYSPACE, TABLE):
            self.query(text)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

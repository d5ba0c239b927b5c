"""A database whose nodes announce addresses that do not lead to them (Docker, NAT): advice in one line, or translation.

How: a forwarder before the simulator that alters the announced address on its way, as a container's own would be.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cqlsurge.database.embedded.certificates import certificates
from cqlsurge.errors import ClusterError
from cqlsurge.runs.run import run
from cqlsurge.settings import Settings
from tests.simulator.simulated import Simulated, simulated

#: nothing listens there
ELSEWHERE = "127.9.9.9"


@pytest.fixture(scope="module")
def server() -> Iterator[Simulated]:
    with simulated("--like=cassandra", "--port=0") as running:
        yield running


@contextmanager
def altering(server: Simulated) -> Iterator[int]:
    """The port of a forwarder to the server, behind which it announces ELSEWHERE (an inet of as many bytes)."""
    own, other = (b"\x00\x00\x00\x04" + socket.inet_aton(address) for address in (server.host, ELSEWHERE))

    def pump(source: socket.socket, sink: socket.socket, *, alter: bool) -> None:
        try:
            while data := source.recv(1 << 20):
                sink.sendall(data.replace(own, other) if alter else data)
        except OSError:
            pass
        for sock in (source, sink):
            sock.close()

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            there = socket.create_connection((server.host, server.port))
            for source, sink, alter in ((client, there, False), (there, client, True)):
                threading.Thread(target=pump, args=(source, sink), kwargs={"alter": alter}, daemon=True).start()

    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def test_it_is_advice_and_the_advice_helps(server: Simulated) -> None:
    with altering(server) as port:
        settings = Settings(address=f"127.0.0.1:{port}", operations=50, processes=1, runtime="cpython")
        with pytest.raises(ClusterError) as error:
            run(settings)
        text = str(error.value)
        assert "\n" not in text
        assert "cannot be reached from here" in text
        assert f"--translate {ELSEWHERE}=127.0.0.1:{port}" in text
        for engine in ("wire", "scylla-driver"):
            document = run(
                Settings.from_json(
                    {**settings.to_json(), "engine": engine, "translate": f"{ELSEWHERE}=127.0.0.1:{port}"}
                )
            )
            assert document["operations"]["ok"] == 50
            assert document["cluster"]["addresses"] == [f"127.0.0.1:{port}"]


@pytest.mark.parametrize("engine", ["wire", "scylla-driver"])
def test_engines_check_certificates_against_the_name_that_was_given(tmp_path: Path, engine: str) -> None:
    """The certificate is for localhost, which no node announces."""
    files = certificates(tmp_path, [])
    with simulated("--port=0", "--tls", str(files.server), str(files.server)) as server:
        common = {"operations": 50, "processes": 1, "runtime": "cpython", "engine": engine, "tls_ca": str(files.ca)}
        document = run(Settings.from_json({**common, "address": f"localhost:{server.port}"}))
        assert document["operations"]["ok"] == 50
        with pytest.raises(ClusterError, match="is for another name"):
            run(Settings.from_json({**common, "address": server.address}))

"""The control plane's connection dies without a word, as behind a firewall that forgot it: that is noticed.

How: a proxy of TCP before a simulator; what it has taken so far falls silent, what comes later is passed on.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

from cqlsurge.database import connect as connecting
from cqlsurge.database.address import parse_address
from cqlsurge.database.secrets import Security
from tests.integration.wire_support import simulator

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Proxy:
    """Passes bytes on between each client and the server; `silence` swallows those of all clients that there are."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.taken = 0
        self._silent: set[int] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """From now on nothing comes through for those that are connected."""
        self._silent = set(range(self.taken))

    def close(self) -> None:
        """Takes no more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._to)
            except OSError:
                return
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=[self.taken, one, other], daemon=True).start()
            self.taken += 1

    def _pass(self, number: int, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                if number not in self._silent:
                    other.sendall(data)
        except OSError:
            pass
        if number not in self._silent:
            other.close()


def test_an_idle_connection_that_died_in_silence_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "HEARTBEAT_S", 1)
    monkeypatch.setattr(connecting, "HEARTBEAT_TIMEOUT_S", 1)
    with simulator(tmp_path, "--like", "cassandra") as running:
        proxy = Proxy(running.host, running.port)
        cluster, _ = connecting.connect(parse_address(f"127.0.0.1:{proxy.port}"), Security(None, None, None))
        try:
            proxy.silence()
            before = proxy.taken
            deadline_s = time.monotonic() + 60
            while proxy.taken == before and time.monotonic() < deadline_s:
                time.sleep(0.1)
            assert proxy.taken > before
        finally:
            cluster.shutdown()
            proxy.close()

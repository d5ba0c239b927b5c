"""The kernel's stamps of arrival, on real loopback sockets: delays are at least the time that went by."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from cqlsurge.load.engines.contract import Node
from cqlsurge.load.engines.wire.buffers_python import JoinConnection
from cqlsurge.load.engines.wire.receive_stamps import CELLS_US, EVERY_NS, GAUGE, ReceiveDelays, ask_for_stamps, delay_ns

REST_S = 0.03


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        client.setblocking(False)
        with server:
            yield client, server


def test_a_delay_is_what_went_by_since_the_bytes_came(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    ask_for_stamps(client)
    assert delay_ns(client) is None
    began_ns = time.monotonic_ns()
    server.send(b"answer")
    time.sleep(REST_S)
    delay = delay_ns(client)
    assert delay is not None
    assert REST_S * 0.9e9 < delay <= time.monotonic_ns() - began_ns + 1_000_000
    assert client.recv(100) == b"answer"


def test_without_stamps_there_is_no_sample(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    server.send(b"answer")
    time.sleep(0.005)
    assert delay_ns(client) is None


def test_samples_are_counted_by_cell(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    connection = JoinConnection(Node("host", "127.0.0.1", 9042, "dc", "rack"), -1)
    delays = ReceiveDelays()
    delays.sample(None, 5)
    delays.sample(connection, 5)
    assert (delays.next_ns, delays.gauges()) == (5 + EVERY_NS, {})
    connection.take_socket(client)
    ask_for_stamps(client)
    server.send(b"answer")
    time.sleep(REST_S)
    delays.sample(connection, 5)
    ((name, count),) = delays.gauges().items()
    assert count == 1
    assert int(name[len(GAUGE) :]) in [cell for cell in CELLS_US if cell >= REST_S * 0.9e6]

"""The simulator's ports as they open and close, in the test's own loop: at any turn of it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from cqlsurge.host.ports import lease_port
from cqlsurge.load.cql.frames import encode_frame
from cqlsurge.load.cql.requests import Options
from cqlsurge.simulator.cluster import Cluster
from cqlsurge.simulator.server import Server
from cqlsurge.simulator.topology import make_topology


@pytest.mark.parametrize("turns", range(6))
def test_a_connection_made_as_the_port_closes_is_served_or_reset(turns):
    assert asyncio.run(asked_as_the_port_closes(turns)) in ("answered", "reset")


async def asked_as_the_port_closes(turns):
    """What becomes of a client that connects so many turns of the server's loop before its port closes."""
    with lease_port() as plain, lease_port() as aware:
        server = Server(Cluster(make_topology(1, 4, plain.port, aware.port)))
        await server.start()
        with socket.create_connection(("127.0.0.1", aware.port)) as client:
            client.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)
            server.shard_ports_closed.add(0)
            await server.settle()
            try:
                return await asyncio.wait_for(asked(client), 5)
            finally:
                await server.stop()


async def asked(client):
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(client, encode_frame(Options.opcode, b"", 1))
        return "answered" if await loop.sock_recv(client, 1 << 16) else "closed"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"

"""Ports: real sockets and real lock files, in this process and in a second one that is killed."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from cqlsurge.errors import RunError
from cqlsurge.host.ports import HIGHEST_PORT, LOWEST_PORT, lease_port, port_is_free


def test_leased_port_is_low_free_and_not_given_twice():
    leases = [lease_port() for _ in range(20)]
    try:
        ports = [lease.port for lease in leases]
        assert len(set(ports)) == 20
        assert all(LOWEST_PORT <= port <= HIGHEST_PORT and port_is_free(port) for port in ports)
    finally:
        for lease in leases:
            lease.release()


def test_port_asked_for_by_number_that_is_locked_is_an_error():
    with lease_port() as lease, pytest.raises(RunError, match=f"port {lease.port} is taken.*--port 0"):
        lease_port(port=lease.port)
    lease_port(port=lease.port).release()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_port_must_be_free_on_every_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.2", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        assert port_is_free(port, ["127.0.0.1"])
        assert not port_is_free(port, ["127.0.0.1", "127.0.0.2"])
        with pytest.raises(RunError):
            lease_port(["127.0.0.1", "127.0.0.2"], port)


def test_wildcard_listener_counts_as_taken():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen(1)
        assert not port_is_free(taken.getsockname()[1], reuse=False)


def test_address_that_is_not_ours_is_named():
    with pytest.raises(RunError, match=r"no address 192\.0\.2\.1"):
        lease_port(["192.0.2.1"])


def test_lock_goes_with_its_process():
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from cqlsurge.host.ports import lease_port\nlease = lease_port()\nprint(lease.port, flush=True)\ninput()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        with pytest.raises(RunError):
            lease_port(port=port)
        holder.kill()
        holder.wait()
    lease_port(port=port).release()

"""Free loopback ports, each locked by a file so that two servers started at once never get the same one.

A lock is an `flock` on /tmp/cqlsurge-ports-UID/PORT: it goes with the process that holds it, however that ends, and it
is the same wherever the user's cache lies. Ports lie below the kernel's usual range for outgoing connections (32768 and
up), so that no client socket can sit on one while its server is being restarted.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cqlsurge.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOWEST_PORT = 10_000
HIGHEST_PORT = 32_767
# Where other servers are expected: never handed out unless asked for by number.
WELL_KNOWN = frozenset({11211, 15672, 19042, 19142, 27017})


@dataclass
class PortLease:
    """A locked port; give it back with `release` or by leaving the `with` block."""

    port: int
    fd: int

    def release(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> PortLease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def lease_port(addresses: Sequence[str] = ("127.0.0.1",), port: int = 0) -> PortLease:
    """Lock `port`, or with 0 any port from 10000 to 32767, that is free on each of the addresses.

    Raises RunError when the port asked for is taken, or none is left.
    """
    candidates = iter([port]) if port else _shuffled_ports()
    for candidate in candidates:
        fd = _lock(candidate)
        if fd is None:
            continue
        if port_is_free(candidate, addresses, reuse=bool(port)):
            return PortLease(candidate, fd)
        os.close(fd)
    if port:
        raise RunError(f"port {port} is taken on {' or '.join(addresses)}; take another one, or any with --port 0")
    raise RunError(f"no port from {LOWEST_PORT} to {HIGHEST_PORT} is free on {' and '.join(addresses)}")


def port_is_free(port: int, addresses: Sequence[str] = ("127.0.0.1",), *, reuse: bool = True) -> bool:
    """Whether a server could listen on the port on each of the addresses.

    `reuse` also takes a port that only waits for late packets of closed connections (TIME_WAIT), as servers do.
    Raises RunError for an address that this machine does not have.
    """
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if reuse:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    raise RunError(f"this machine has no address {address}; add it to the loopback interface") from None
                return False
    return True


def _shuffled_ports() -> Iterator[int]:
    ports = [port for port in range(LOWEST_PORT, HIGHEST_PORT + 1) if port not in WELL_KNOWN]
    random.Random().shuffle(ports)  # seeded by the system anew each time
    return iter(ports)


def _lock(port: int) -> int | None:
    """A descriptor that holds the port's lock, or None when another holder has it."""
    fd = os.open(_lock_directory() / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _lock_directory() -> Path:
    """The user's own folder of lock files; not under TMPDIR, which may differ from shell to shell."""
    root = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    folder = root / f"cqlsurge-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise RunError(f"{folder} belongs to another user; remove it, port locks lie there")
    return folder

"""How long answers lay in our sockets before we took them: samples of the kernel's own stamps of arrival.

With SO_TIMESTAMPNS the kernel notes when each packet came; a look at the first byte that waits (MSG_PEEK) tells the
stamp of the buffer that it is in. A buffer that took in several packets has the last one's, so a delay is at least what
it says. One look costs 2 to 5 us; it is taken at one wake every 10 ms, so that it costs nothing that could be measured.
"""

from __future__ import annotations

import socket
import struct
import time
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cqlsurge.load.engines.wire.connection import Connection

EVERY_NS = 10_000_000
#: upper ends of the cells that delays are counted in, microseconds; the last one takes what is longer
CELLS_US = (*(digit * 10**power for power in range(6) for digit in (1, 2, 5)), 1_000_000)
#: a count of each cell is a gauge of this name and the cell's upper end
GAUGE = "receive_delay_us_"
# Linux's number, which the module lacks before Python 3.14.
_SO_TIMESTAMPNS = getattr(socket, "SO_TIMESTAMPNS", 35)
_TIMESPEC = struct.Struct("@qq")
_PEEK = socket.MSG_PEEK | socket.MSG_DONTWAIT
_ROOM = 64
_CAN_PEEK = hasattr(socket.socket, "recvmsg")


def ask_for_stamps(sock: socket.socket) -> None:
    """Has the kernel stamp what arrives; where it cannot, there are no samples."""
    if not _CAN_PEEK:
        return
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        pass


def delay_ns(sock: socket.socket) -> int | None:
    """How long ago the first byte that waits came; None where nothing waits, or nothing is stamped."""
    try:
        _, ancillary, _, _ = sock.recvmsg(1, _ROOM, _PEEK)
        now_ns = time.time_ns()
    except OSError:
        return None
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            delay: int = now_ns - seconds * 1_000_000_000 - nanoseconds
            return max(0, delay)
    return None


class ReceiveDelays:
    """The samples of one phase, by cell; the next one is due at `next_ns`."""

    def __init__(self) -> None:
        self.next_ns = 0
        self.counts = [0] * len(CELLS_US)

    def sample(self, connection: Connection | None, now_ns: int) -> None:
        """Looks at a connection that has something to receive."""
        self.next_ns = now_ns + EVERY_NS
        if not _CAN_PEEK or connection is None or connection.sock is None or connection.tls:
            return
        delay = delay_ns(connection.sock)
        if delay is not None:
            self.counts[min(bisect_left(CELLS_US, delay / 1000), len(CELLS_US) - 1)] += 1

    def gauges(self) -> dict[str, float]:
        """The counts of cells that have any, as gauges: they can be added up over processes."""
        return {f"{GAUGE}{cell}": count for cell, count in zip(CELLS_US, self.counts) if count}

"""What a simulated server did with each request, for others to check their own figures against."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from cqlsurge.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from cqlsurge.simulator.connection import Peer

HEADER = "stream,node,shard,client_port,received_ns,sent_ns,injected_ns\n"
COLUMNS = HEADER.count(",") + 1
#: numbers in one array: one for all would be copied whole as it grows, 30 ms at a time
CHUNK = COLUMNS << 12


class RequestLog:
    """A CSV file, one line an answer. Times are CLOCK_MONOTONIC, nodes count from 1; injected: the delay asked for.

    Lines are made when they are written, so that a server in a hurry need not make them while it serves.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", encoding="ascii")
        except OSError as error:
            raise UsageError(f"--log-requests {path} cannot be written: {error.strerror}") from error
        self._file.write(HEADER)
        self._chunks: list[array[int]] = []
        self._chunk = array("q")

    def add(self, stream: int, peer: Peer, received_ns: int, sent_ns: int, injected_ns: int) -> None:
        append = self._chunk.append
        append(stream)
        append(peer.node.index + 1)
        append(peer.shard)
        append(peer.port)
        append(received_ns)
        append(sent_ns)
        append(injected_ns)
        if len(self._chunk) >= CHUNK:
            self._chunks.append(self._chunk)
            self._chunk = array("q")

    def flush(self) -> None:
        for fields in (*self._chunks, self._chunk):
            for at in range(0, len(fields), COLUMNS):
                self._file.write(",".join(map(str, fields[at : at + COLUMNS])) + "\n")
        self._file.flush()
        self._chunks.clear()
        del self._chunk[:]

    def close(self) -> None:
        self.flush()
        self._file.close()

"""What the simulator did with each request, for others to check their own figures against."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cqlsurge.simulator.connection import Peer

HEADER = "stream,node,shard,client_port,received_ns,sent_ns,injected_ns\n"


class RequestLog:
    """A CSV file, one line an answer. Times are CLOCK_MONOTONIC, nodes count from 1; injected: the delay asked for."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="ascii")
        self._lines = [HEADER]

    def add(self, stream: int, peer: Peer, received_ns: int, sent_ns: int, injected_ns: int) -> None:
        place = f"{stream},{peer.node.index + 1},{peer.shard},{peer.port}"
        self._lines.append(f"{place},{received_ns},{sent_ns},{injected_ns}\n")

    def flush(self) -> None:
        self._file.writelines(self._lines)
        self._file.flush()
        self._lines.clear()

    def close(self) -> None:
        self.flush()
        self._file.close()

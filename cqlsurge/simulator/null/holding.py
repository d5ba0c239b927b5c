"""Answers that the null server holds back, each for its own time, and the stamps of when they came and went."""

from __future__ import annotations

import time
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cqlsurge.simulator.cluster import Cluster
    from cqlsurge.simulator.null.server import NullClient
    from cqlsurge.simulator.request_log import RequestLog

#: when it may go, a number (no two are equal, so that nothing behind it is compared), whose, the answer, when it came
Held = tuple[int, int, "NullClient", bytes, int]

#: after the last request the loop polls on without sleeping for so long: waking up takes up to 0.1 ms
AWAKE_NS = 20_000_000


class Holding:
    """The answers that wait, by the time at which they may go. `log` takes a line for each."""

    def __init__(self, cluster: Cluster, log: RequestLog | None) -> None:
        self._cluster = cluster
        self._log = log
        self._waiting: list[Held] = []
        self._count = 0
        self._asleep_ns = 0

    def delay(self, client: NullClient, frame: bytes, received_ns: int) -> None:
        """Takes an answer to a request that came then."""
        since_start_ns = received_ns - self._cluster.started_ns
        delays = self._cluster.delays
        at_ns = self._cluster.started_ns + delays.send_at_ns(client.peer.node.index + 1, since_start_ns)
        self._count += 1
        heappush(self._waiting, (at_ns, self._count, client, frame, received_ns))
        self._asleep_ns = received_ns + AWAKE_NS

    def release(self) -> None:
        """Sends what may go by now."""
        waiting, now_ns = self._waiting, time.monotonic_ns()
        going: dict[NullClient, list[Held]] = {}
        while waiting and waiting[0][0] <= now_ns:
            held = heappop(waiting)
            client = held[2]
            if not client.closing:
                client.put(held[3])
                going.setdefault(client, []).append(held)
        for client, answers in going.items():
            sent_ns = time.monotonic_ns()
            client.send()
            if self._log is not None:
                for at_ns, _, _, frame, received_ns in answers:
                    self._log.add(frame[2] << 8 | frame[3], client.peer, received_ns, sent_ns, at_ns - received_ns)

    def timeout_s(self, longest_s: float) -> float:
        """How long to wait for requests: not at all while answers wait or requests came a moment ago."""
        return 0.0 if self._waiting or time.monotonic_ns() < self._asleep_ns else longest_s

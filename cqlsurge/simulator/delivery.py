"""How an answer leaves: at once, later, or in one of the ways that a fault prescribes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from cqlsurge.simulator.connection import Answer
    from cqlsurge.simulator.inject.faults import Fault

# Time for half a frame to reach the client before the reset does.
RESET_AFTER_S = 0.002


class Wire:
    """The sending half of one client's socket."""

    def __init__(self, transport: asyncio.Transport, draw: random.Random) -> None:
        self._transport = transport
        self._random = draw
        self._loop = asyncio.get_running_loop()
        self._dripping = False
        self._waiting: deque[bytes] = deque()
        self.deaf = False

    def send(self, data: bytes) -> None:
        """In order behind what still drips out."""
        if not data or self.deaf or self._transport.is_closing():
            return
        if self._dripping:
            self._waiting.append(data)
        else:
            self._transport.write(data)

    def send_answer(self, answer: Answer) -> None:
        if answer.fault is not None and answer.fault.kind != "error":
            self._misbehave(answer, answer.fault)
        else:
            self.send(answer.frame)
        if answer.close:
            self._transport.close()

    def reset(self) -> None:
        """End the connection with RST."""
        # An encrypted transport that was closed twice has no socket left to ask for.
        connected = None if self._transport.is_closing() else self._transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _misbehave(self, answer: Answer, fault: Fault) -> None:
        frame = answer.frame
        kind = fault.kind
        half = frame[: max(1, len(frame) // 2)]
        if kind == "reset":
            self.reset()
        elif kind == "reset-mid-frame":
            self.send(half)
            # Nothing may come behind it: a client would take that for the other half.
            self.deaf = True
            self._loop.call_later(RESET_AFTER_S, self.reset)
        elif kind == "truncated":
            self.send(half)
            self._transport.close()
        elif kind == "half-open":
            self.deaf = True
            self._transport.pause_reading()
        elif kind == "drip":
            self._drip(frame, fault.pause_ns / 1e9)
        elif kind == "garbage":
            self.send(self._random.randbytes(len(frame)))
        elif kind == "wrong-stream":
            self.send(frame[:2] + struct.pack(">h", answer.stream ^ 0x4000) + frame[4:])
        elif kind == "duplicate":
            self.send(frame + frame)
        # drop: nothing at all

    def _drip(self, frame: bytes, pause_s: float) -> None:
        if self._dripping:
            self._waiting.append(frame)
            return
        self._dripping = True
        self._drop_of(frame, 0, pause_s)

    def _drop_of(self, frame: bytes, at: int, pause_s: float) -> None:
        if self._transport.is_closing():
            return
        if at < len(frame):
            self._transport.write(frame[at : at + 1])
            self._loop.call_later(pause_s, self._drop_of, frame, at + 1, pause_s)
            return
        self._dripping = False
        if self._waiting:
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()

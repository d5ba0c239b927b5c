"""What joins the parent and the agent on a host: one connection of Dask's own, frames written together when many wait.

Frames are plain dicts (text, numbers, bytes, lists), so that Dask carries them without pickle. From the parent:

  look    engine, technique, runtime, files, part, parts    what could run there? (part of parts: of the host's cores)
  start   count                             that many load processes
  tell    to, line                          a message, encoded once, for these processes
  kill    process
  watch   begin                             begin, or end, to measure how hard the host is pressed
  ping    sent_ns                           each second, and to compare clocks
  close                                     end the load processes; the connection ends with it
From the agent:
  looked  facts, runtime, cores, note       or `refused`, text
  stage   text                              something takes long
  started pids                              or `refused`, text
  lines   process, lines                    what it said, as it said it
  ended   process, how, words
  use     use                               how hard the host is pressed, each second
  pong    sent_ns, now_ns
  leaving text                              the Dask worker will close: let the load end
"""

from __future__ import annotations

import asyncio
from typing import Any

LinkMessage = dict[str, Any]

#: either side pings or answers each second; one that was silent for so long is gone
PING_S = 1.0
SILENT_S = 8.0


class Link:
    """One end of a connection (a distributed.comm.Comm). All methods belong to one event loop.

    message_bytes: lines of load processes that have gone through, both ways.
    """

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self._waiting: list[LinkMessage] = []
        self._wake = asyncio.Event()
        self.message_bytes = 0

    def send(self, frame: LinkMessage) -> None:
        """Queues a frame; `write_all` takes it along."""
        self._waiting.append(frame)
        self.message_bytes += line_bytes(frame)
        self._wake.set()

    async def write_all(self) -> None:
        """Writes whatever is queued, until the connection breaks (OSError) or this is cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            frames, self._waiting = self._waiting, []
            await self._comm.write(frames)

    async def read(self) -> list[LinkMessage]:
        """The next frames. Raises OSError when the connection breaks, TimeoutError when the other side is silent."""
        async with asyncio.timeout(SILENT_S):
            frames: list[LinkMessage] = await self._comm.read()
        self.message_bytes += sum(map(line_bytes, frames))
        return frames

    async def close(self) -> None:
        """Writes what still waits, and ends the connection."""
        try:
            if self._waiting:
                await self._comm.write(self._waiting)
            await self._comm.close()
        except OSError:
            self._comm.abort()


def line_bytes(frame: LinkMessage) -> int:
    """The bytes of load processes' messages in a frame."""
    return sum(map(len, frame.get("lines", ()))) + len(frame.get("line", b""))

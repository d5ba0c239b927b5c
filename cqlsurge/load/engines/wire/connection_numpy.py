"""A connection whose slots are a numpy array, to be filled and read many at a time; cold paths see memoryviews of it.

Slots and what they mean: `connection`. A memoryview gives and takes plain ints, as the lists of other connections do.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cqlsurge.load.engines.wire.buffers_python import Inbox as PlainInbox
from cqlsurge.load.engines.wire.buffers_python import JoinConnection, pull_plain, push_plain
from cqlsurge.load.engines.wire.connection import FIRST_SLOTS, FREE, MAX_SLOTS

if TYPE_CHECKING:
    from cqlsurge.load.engines.contract import Node

SLOT = np.dtype([("op", "i8"), ("due", "i8"), ("flush", "i8")])
#: the first bytes of an answer: `shape` is opcode, length and three bytes of the kind of result (all of them 0); of
#: Rows there are the flags of the metadata and the count of rows
HEAD = np.dtype(
    {
        "names": ["start", "stream", "shape", "result", "flags", "rows"],
        "formats": [">u2", ">u2", ">i8", "u1", ">i4", ">i4"],
        "offsets": [0, 2, 4, 12, 13, 21],
        "itemsize": 25,
    }
)
INBOX_BYTES = 1 << 20
#: the most to be received from one connection at a time
PULL_BYTES = 1 << 18


class Inbox(PlainInbox):
    """An inbox where several connections receive one behind the other. `heads[p]` is the answer that begins at p."""

    def __init__(self) -> None:
        self._allocate(INBOX_BYTES)

    def _allocate(self, size: int) -> None:
        super()._allocate(size)
        self.array: Any = np.frombuffer(self.bytes, np.uint8)
        self.heads: Any = np.ndarray((size - HEAD.itemsize,), HEAD, self.bytes, strides=(1,))


class SlotConnection(JoinConnection):
    """`slots` is an array of SLOT, of which `ops`, `dues` and `flushes` are views.

    Parts may be memoryviews of arrays that change after the next `push`. `fed` says that `rest` holds whole frames to
    be taken before anything else is received.
    """

    __slots__ = ("fed", "slots")

    def __init__(self, node: Node, shard: int) -> None:
        self.fed = False
        super().__init__(node, shard)

    def reset(self) -> None:
        """See Connection."""
        super().reset()
        self.fed = False
        self._take_slots(np.empty(0, SLOT))

    def _take_slots(self, slots: Any) -> None:
        self.slots = slots
        self.ops = cast("list[int]", memoryview(slots["op"]))
        self.dues = cast("list[int]", memoryview(slots["due"]))
        self.flushes = cast("list[int]", memoryview(slots["flush"]))

    def grow(self) -> bool:
        """See Connection."""
        have = len(self.slots)
        if have >= MAX_SLOTS:
            return self.wake()
        more = max(FIRST_SLOTS, have)
        slots: Any = np.zeros(have + more, SLOT)
        slots[:have] = self.slots
        slots["flush"][have:] = FREE
        self._take_slots(slots)
        self.free.extend(range(have, have + more))
        self.resting = (have + more) // 2
        return True

    def push(self) -> bool:
        """See Connection."""
        sock = self.sock
        if len(self.parts) != 1 or self.unsent is not None or isinstance(sock, ssl.SSLSocket):
            return super().push()
        assert sock is not None
        data = self.parts.pop()
        sent = push_plain(sock, data)
        if sent == len(data):
            self.used = self.queued = 0
            return True
        self.unsent = memoryview(bytes(data[sent:]))
        return False

    def pull(self, inbox: PlainInbox) -> int:
        """See Connection."""
        if not self.fed:
            return super().pull(inbox)
        self.fed = False
        size = len(self.rest)
        inbox.make_room(size + 1)
        inbox.view[:size] = self.rest
        return size

    def pull_at(self, inbox: Inbox, at: int) -> int:
        """As `pull`, to position `at` of an inbox that has room for PULL_BYTES behind `rest`."""
        sock = self.sock
        assert sock is not None
        start = at + len(self.rest)
        got = pull_plain(sock, inbox.view[start : start + PULL_BYTES])
        if got < 0:
            return got
        inbox.view[at:start] = self.rest
        return start + got

"""The two errors of the codec: what the peer did wrong, and what our own side asked for in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cqlsurge.load.cql.frames import Frame

PROTOCOL_ERROR_CODE = 0x000A


class ProtocolError(Exception):
    """The peer sent bytes that break the protocol; the connection cannot be trusted any more.

    A server answers with ERROR `PROTOCOL_ERROR_CODE`, `str(error)` and `stream`, in a frame of its own version.
    `version` is the protocol version of the frame at fault (without the direction bit), where its header could be read.
    `unsupported_version` is True when that version is all that is wrong: the one case a client may answer by a new try.
    `frames` are the good ones that came before the fault in the same feed().
    """

    def __init__(
        self,
        message: str,
        *,
        stream: int = 0,
        version: int | None = None,
        opcode: int | None = None,
        unsupported_version: bool = False,
    ) -> None:
        super().__init__(message)
        self.stream = stream
        self.version = version
        self.opcode = opcode
        self.unsupported_version = unsupported_version
        self.frames: list[Frame] = []

    def at(self, frame: Frame) -> ProtocolError:
        """This error, told where it happened."""
        self.stream, self.version, self.opcode = frame.stream, frame.version, frame.opcode
        return self


class WireValueError(ValueError):
    """Our own side asked for something that the protocol cannot carry: a value out of range, an unknown type name."""

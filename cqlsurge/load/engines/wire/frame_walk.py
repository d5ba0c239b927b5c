"""Where the frames in a stretch of received bytes begin, without reading each length where few sizes come again."""

from __future__ import annotations

import struct
from typing import Any

from cqlsurge.load.cql.frames import HEADER_BYTES

#: where more sizes than these have been seen, every length is read
FEW_SIZES = 8
_length_at = struct.Struct(">I").unpack_from
_LENGTH_AT = HEADER_BYTES - 4


class FrameWalk:
    """Walks answers by the sizes that were seen before, which the caller checks against the lengths in the frames.

    `reads`: lengths are read instead of guessed; for the caller to set where a guess was wrong.
    """

    def __init__(self) -> None:
        self.reads = False
        self._sizes: set[int] = set()
        # Size of a frame by the last byte of its length; 0 where none was seen.
        self._steps = [0] * 256

    def bounds(self, data: Any, at: int, end: int) -> list[int] | range:
        """Where the frames in bytes `at` to `end` begin, and last where the last whole one ends.

        Where lengths were guessed, the numbers are guesses too.
        """
        sizes = self._sizes
        if self.reads or len(sizes) > FEW_SIZES:
            self.reads = False
            return self._read(data, at, end)
        if len(sizes) == 1:
            (size,) = sizes
            last = at + (end - at) // size * size
            if end - last < HEADER_BYTES or last + self._size_at(data, last) > end:
                return range(at, last + 1, size)
        bounds, steps = [at], self._steps
        append, last, low = bounds.append, end - HEADER_BYTES, HEADER_BYTES - 1
        while at <= last:
            step = steps[data[at + low]]
            if not step or at + step > end:
                step = self._size_at(data, at)
                if at + step > end:
                    break
            at += step
            append(at)
        return bounds

    def _read(self, data: Any, at: int, end: int) -> list[int]:
        bounds = [at]
        while end - at >= HEADER_BYTES:
            at += self._size_at(data, at)
            if at > end:
                break
            bounds.append(at)
        return bounds

    def _size_at(self, data: Any, at: int) -> int:
        """The size of the frame that begins there; noted."""
        size: int = HEADER_BYTES + _length_at(data, at + _LENGTH_AT)[0]
        self._sizes.add(size)
        self._steps[size - HEADER_BYTES & 255] = size
        return size

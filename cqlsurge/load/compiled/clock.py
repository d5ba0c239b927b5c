"""Client timestamps of operations."""

from __future__ import annotations


class Clock:
    """Client timestamps: microseconds since 1970 that belong to a due time, so that a retry has its first one."""

    def __init__(self, unix_ns: int, monotonic_ns: int) -> None:
        self.offset_us = (unix_ns - monotonic_ns) // 1000

    def timestamp_us(self, due_ns: int) -> int:
        """The timestamp of the operation that was due then; later operations never have an earlier one."""
        return due_ns // 1000 + self.offset_us

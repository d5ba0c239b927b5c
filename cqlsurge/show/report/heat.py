"""The heat map of latencies over time, as a small PNG for the inside of a chart."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from cqlsurge.results.timeline import heat_cells

#: of one colour, more or less opaque, so that it serves on light and on dark alike
COLOR = (64, 128, 240)


def heat_range(rows: Sequence[dict[str, Any]]) -> tuple[int, int] | None:
    """The lowest heat cell of the rows and the one past the highest; None where there is no heat."""
    cells = [cell for row in rows for cell in heat_cells(row.get("heat", ""))]
    return (min(cells), max(cells) + 1) if cells else None


def heat_png(rows: Sequence[dict[str, Any]], low: int, high: int) -> str:
    """A data URI: a column a row, a line of pixels a cell, the highest cell on top."""
    grid = [heat_cells(row.get("heat", "")) for row in rows]
    # Shares of the row, so that a second of low throughput is as visible as any other.
    shares = [{cell: count / sum(cells.values()) for cell, count in cells.items()} for cells in grid]
    most = max((share for cells in shares for share in cells.values()), default=1.0)
    lines = bytearray()
    for cell in range(high - 1, low - 1, -1):
        lines.append(0)  # no filter
        lines += bytes(_opacity(cells.get(cell, 0.0) / most) for cells in shares)
    return "data:image/png;base64," + base64.b64encode(_png(len(grid), high - low, bytes(lines))).decode()


def _opacity(share: float) -> int:
    # The fourth root: a single slow operation among thousands must still be seen.
    return round(20 + 235 * share**0.25) if share else 0


def _png(width: int, height: int, lines: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", bytes(COLOR) * 256),
        (b"tRNS", bytes(range(256))),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )

"""Histograms as text: HdrHistogram's V2 compressed encoding in base64, and its interval log, format version 1.3.

Any HdrHistogram library and tool reads both. The encoding (AbstractHistogram.java, ZigZagEncoding.java of HdrHistogram
2, all big endian): cookie and length of what follows; then, compressed by zlib, a header of 40 bytes and the counts as
ZigZag LEB128 numbers of at most 9 bytes, where a negative number is a run of so many zeros.
"""

from __future__ import annotations

import base64
import binascii
import struct
import time
import zlib
from typing import TYPE_CHECKING, NamedTuple

from .histogram import filled, maximum
from .layout import COUNTS_LENGTH, HIGHEST_TRACKABLE_NS, LOWEST_DISCERNIBLE_NS, SIGNIFICANT_DIGITS, new_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

OUTER = struct.Struct(">ii")  # cookie, length of the compressed part
INNER = struct.Struct(">iiiiqqd")  # cookie, payload length, index offset, digits, lowest, highest, conversion ratio
OUTER_COOKIE = 0x1C849304 | 0x10  # 0x10 in each: V2 writes no word size of its own
INNER_COOKIE = 0x1C849303 | 0x10
COOKIE_MASK = ~0xF0

LOG_LEGEND = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
NS_PER_MS = 1_000_000


class Encoded(NamedTuple):
    """A decoded histogram of any layout: `runs` are (index, count) pairs of the counts that are not zero."""

    digits: int
    lowest: int
    highest: int
    runs: list[tuple[int, int]]


def encode(counts: Sequence[int]) -> str:
    """A histogram as base64 text."""
    payload = _payload(counts)
    header = INNER.pack(
        INNER_COOKIE, len(payload), 0, SIGNIFICANT_DIGITS, LOWEST_DISCERNIBLE_NS, HIGHEST_TRACKABLE_NS, 1.0
    )
    packed = zlib.compress(header + payload)
    return base64.b64encode(OUTER.pack(OUTER_COOKIE, len(packed)) + packed).decode("ascii")


def decode(text: str) -> list[int]:
    """The histogram of a base64 text; ValueError if it is broken or of another layout than ours."""
    counts = new_counts()
    for index, count in cells(text):
        counts[index] = count
    return counts


def cells(text: str) -> list[tuple[int, int]]:
    """(index, count) of each count that is not zero, rising; ValueError as `decode`."""
    found = unpack(text)
    if (found.digits, found.lowest, found.highest) != (SIGNIFICANT_DIGITS, LOWEST_DISCERNIBLE_NS, HIGHEST_TRACKABLE_NS):
        raise ValueError(
            f"histogram has {found.digits} digits over {found.lowest}..{found.highest},"
            f" not {SIGNIFICANT_DIGITS} over {LOWEST_DISCERNIBLE_NS}..{HIGHEST_TRACKABLE_NS} ns"
        )
    if found.runs and found.runs[-1][0] >= COUNTS_LENGTH:
        raise ValueError(f"histogram has a count at {found.runs[-1][0]}, past the last of {COUNTS_LENGTH}")
    return found.runs


def unpack(text: str) -> Encoded:
    """What a base64 text holds, whatever its layout; ValueError if it is broken."""
    try:
        raw = base64.b64decode(text, validate=True)
        cookie, length = OUTER.unpack_from(raw)
        if cookie & COOKIE_MASK != OUTER_COOKIE & COOKIE_MASK or length != len(raw) - OUTER.size:
            raise ValueError("histogram is no HdrHistogram V2 compressed one, or is cut off")
        body = zlib.decompress(raw[OUTER.size :])
        cookie, length, offset, digits, lowest, highest, _ = INNER.unpack_from(body)
    except (binascii.Error, struct.error, zlib.error) as error:
        raise ValueError(f"histogram cannot be decoded: {error}") from error
    if cookie & COOKIE_MASK != INNER_COOKIE & COOKIE_MASK or length != len(body) - INNER.size or offset:
        raise ValueError("histogram is no HdrHistogram V2 encoded one, or is cut off")
    return Encoded(digits, lowest, highest, _runs(body, INNER.size))


def _payload(counts: Sequence[int]) -> bytes:
    out = bytearray()
    expected = 0
    for index in filled(counts):
        zeros = index - expected
        if zeros:
            _put(out, 0 if zeros == 1 else 2 * zeros - 1)  # ZigZag of -zeros
        count = counts[index]
        if count < 64:
            out.append(2 * count)
        else:
            _put(out, 2 * count)
        expected = index + 1
    return bytes(out)


def _put(out: bytearray, number: int) -> None:
    for _ in range(8):
        if number < 0x80:
            out.append(number)
            return
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)  # the ninth byte carries eight bits


def _runs(body: bytes, at: int) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    index = number = shift = 0
    for byte in body[at:]:
        if byte >= 0x80 and shift < 56:
            number |= (byte & 0x7F) << shift
            shift += 7
            continue
        if shift:
            byte = number | byte << shift
            number = shift = 0
        if byte & 1:
            index += (byte + 1) >> 1
        else:
            if byte:
                runs.append((index, byte >> 1))
            index += 1
    if shift:
        raise ValueError("histogram ends in the middle of a number")
    return runs


def log_head(start_s: float, comment: str = "") -> str:
    """The first lines of an interval log: its format and when it starts (seconds since 1970)."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start_s))
    return (
        (f"#{comment}\n" if comment else "")
        + "#[Histogram log format version 1.3]\n"
        + f"#[StartTime: {start_s:.3f} (seconds since epoch), {when}]\n"
        + f"#[BaseTime: {start_s:.3f} (seconds since epoch)]\n"
        + LOG_LEGEND
    )


def log_line(tag: str, start_s: float, length_s: float, counts: Sequence[int], max_ns: int | None = None) -> str:
    """One interval of a log: `start_s` counts from the log's start, `tag` names kind and latency (`read:service`)."""
    if not tag or any(mark in tag for mark in ", \r\n"):
        raise ValueError(f"tag {tag!r} is empty or has a comma, space or line end in it")
    highest = maximum(counts) if max_ns is None else max_ns
    return f"Tag={tag},{start_s:.3f},{length_s:.3f},{highest / NS_PER_MS:.3f},{encode(counts)}\n"

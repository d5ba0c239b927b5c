"""Which count of a histogram a latency belongs to: HdrHistogram's layout.

Latencies are whole nanoseconds. Three significant digits, lowest discernible value 64 ns (unit magnitude 6), highest
trackable value one hour: 26 buckets of 2048 cells whose lower halves overlap, 27648 counts. Cells are 64 ns wide up to
131 us and at most 0.1 % of their value above. A histogram is a plain `list[int]` of COUNTS_LENGTH counts.

The layout reaches to 2^42 ns (73 minutes). What is longer lands in the last count, `CLAMPED_INDEX`, and so is never
lost; what is negative lands in the first.

Hot loops inline `index_of`, with BITS in a local name (a test holds this text equal to `index_of`):

    v = ns >> 6
    if v < 2048:
        i = v if v > 0 else 0
    elif v < 8388608:
        b = BITS[v >> 11]
        i = (b << 10) + (v >> b)
    else:
        i = index_of(ns)
    counts[i] += 1

The source of the arithmetic is AbstractHistogram.java of HdrHistogram 2.
"""

from __future__ import annotations

UNIT_MAGNITUDE = 6
SIGNIFICANT_DIGITS = 3
LOWEST_DISCERNIBLE_NS = 1 << UNIT_MAGNITUDE
HIGHEST_TRACKABLE_NS = 3600 * 10**9

SUB_BUCKETS = 2048
HALF_MAGNITUDE = 10
BUCKETS = 26
COUNTS_LENGTH = (BUCKETS + 1) << HALF_MAGNITUDE
CLAMPED_INDEX = COUNTS_LENGTH - 1

# Below this many units of 64 ns (537 ms) the bit length comes from the table.
TABLE_LIMIT = 1 << 23
# BITS[x] is the bit length of x, for x = units >> 11. PyPy's int.bit_length() loops and costs twice as much.
BITS = bytes(x.bit_length() for x in range(TABLE_LIMIT >> 11))


def new_counts() -> list[int]:
    """An empty histogram."""
    return [0] * COUNTS_LENGTH


def index_of(value_ns: int) -> int:
    """The index of the count for a latency in nanoseconds; always within the list."""
    units = value_ns >> UNIT_MAGNITUDE
    if units < SUB_BUCKETS:
        return units if units > 0 else 0
    bucket = (units >> 11).bit_length()
    if bucket >= BUCKETS:
        return CLAMPED_INDEX
    return (bucket << HALF_MAGNITUDE) + (units >> bucket)


def lowest_at(index: int) -> int:
    """The lowest latency in ns that the count at this index stands for."""
    if index < SUB_BUCKETS:
        return index << UNIT_MAGNITUDE
    bucket = (index >> HALF_MAGNITUDE) - 1
    return (index - (bucket << HALF_MAGNITUDE)) << (bucket + UNIT_MAGNITUDE)


def width_at(index: int) -> int:
    """How many nanosecond values share the count at this index."""
    bucket = 0 if index < SUB_BUCKETS else (index >> HALF_MAGNITUDE) - 1
    return 1 << (bucket + UNIT_MAGNITUDE)


def value_at(index: int) -> int:
    """The highest latency in ns that the count at this index stands for: what a percentile reports."""
    return lowest_at(index) + width_at(index) - 1


def median_at(index: int) -> int:
    """The middle of the latencies in ns that the count at this index stands for: what a mean adds up."""
    return lowest_at(index) + (width_at(index) >> 1)

"""The key-value workload's operations many at a time, with numpy: equal bit for bit to `KeyValue`, one by one.

Importing it raises ImportError where numpy is not installed; `KeyValue` itself is the fallback.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cqlsurge.load.workload.kv import _FIRST_KEEP, _FIRST_SET, _SECOND_KEEP, _SECOND_SET, POOL_OFFSETS, KeyValue
from cqlsurge.load.workload.mixing import GOLDEN, MIX_1, MIX_2

Array = Any  # numpy.ndarray

_U = np.uint64


def mixed(start: int, numbers: Array) -> Array:
    """`mix64(start, number)` of each of the uint64 numbers."""
    z = numbers * _U(GOLDEN) + _U(start)
    z = (z ^ (z >> _U(30))) * _U(MIX_1)
    z = (z ^ (z >> _U(27))) * _U(MIX_2)
    return z ^ (z >> _U(31))


def locate(workload: KeyValue, first: int, count: int) -> tuple[Array, Array]:
    """(kinds int64, partitions uint64), each of shape (count,), of the operations from number `first` on."""
    numbers: Array = np.arange(first, first + count, dtype=np.uint64)
    keys, offset = _U(workload.keys), _U(workload.key_offset)
    if not workload.mixed:
        return np.full(count, workload.only_kind, np.int64), numbers % keys + offset
    reads = (mixed(workload.kind_stream, numbers) >> _U(11)) < _U(workload.read_below)
    drawn = (mixed(workload.draw_stream, numbers) >> _U(1)) % keys
    return reads.astype(np.int64), np.where(reads, drawn, numbers % keys) + offset


def partitions_read(workload: KeyValue, numbers: Array) -> Array:
    """The partitions, uint64, of operations that read: their int64 numbers, in any order."""
    numbers = numbers.astype(np.uint64)
    if workload.mixed:
        numbers = mixed(workload.draw_stream, numbers) >> _U(1)
    return numbers % _U(workload.keys) + _U(workload.key_offset)


def halves(workload: KeyValue, partitions: Array) -> tuple[Array, Array]:
    """The keys of uint64 partitions as two uint64 arrays."""
    first = mixed(workload.first_stream, partitions) & _U(_FIRST_KEEP) | _U(_FIRST_SET)
    second = mixed(workload.second_stream, partitions) & _U(_SECOND_KEEP) | _U(_SECOND_SET)
    return first, second


def pool_offsets(second: Array) -> Array:
    """Where in the pool the tails of first versions begin, int64."""
    return ((second >> _U(20)) & _U(POOL_OFFSETS - 1)).astype(np.int64)

"""Whether frames are compressed: what is asked for counts, else what the values are made of."""

from __future__ import annotations

import lz4.block
import pytest

from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.runs.compression import chosen_compression
from cqlsurge.settings import Settings


@pytest.mark.parametrize(
    ("asked", "fill", "blob_size", "on"),
    [
        (None, "random", 1000, False),
        (None, "text", 1000, True),
        (None, "text", 20, False),
        (True, "random", 1000, True),
        (False, "text", 1000, False),
    ],
)
def test_compression_is_what_was_asked_for_or_what_pays(
    asked: bool | None, fill: str, blob_size: int, on: bool
) -> None:
    chosen = chosen_compression(Settings(compression=asked, fill=fill, blob_size=blob_size))
    assert chosen.on is on
    assert ("ask" in chosen.reason) is (asked is not None)


@pytest.mark.parametrize("fill", ["random", "text"])
@pytest.mark.parametrize("blob_size", [16, 40, 64, 200, 1000])
def test_what_is_said_to_shrink_does(fill: str, blob_size: int) -> None:
    load = KeyValue(seed=2, keyspace="ks", table="kv", mode="write", keys=99, blob_size=blob_size, fill=fill)
    rows = [b"".join(load.values(0, number, 0)) for number in range(50)]
    shrunk = sum(len(lz4.block.compress(row, store_size=False)) for row in rows) / sum(map(len, rows))
    assert load.shrinks == (shrunk < 0.8)

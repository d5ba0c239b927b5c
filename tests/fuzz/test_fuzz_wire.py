"""The fuzz target of the codec for some seconds, and canaries: bugs planted in the codec that it must find."""

from __future__ import annotations

import subprocess

import fuzz_wire
import pytest

from cqlsurge.load.cql import primitives, results
from cqlsurge.load.cql.errors import ProtocolError

SECONDS = 2
CANARY_SECONDS = 60  # each is found within some seconds on a busy machine


def test_some_seconds_find_nothing():
    rounds, read = fuzz_wire.run(SECONDS, seed=1)
    assert rounds > 10
    assert read > rounds / 10, "hardly any mutated frame is still read: the mutations are too wild to reach far"


@pytest.mark.long
@pytest.mark.pypy
def test_a_second_on_pypy_finds_nothing(pypy):
    """Also shows that all of the codec imports and runs there."""
    command = [str(pypy), "-E", fuzz_wire.__file__, "--seconds", "1", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "nothing found" in done.stdout


def unchecked_take(self, count, what="bytes"):
    """Reader.take without its bounds check: shorter than asked for, or backwards."""
    start = self.position
    self.position = start + count
    return self.data[start : start + count]


def unknown_number_escapes(self):
    """Reader.consistency without its except."""
    return primitives.Consistency(self.short())


def preallocated_rows(reader):
    """Rows.decode that believes the row count."""
    count, columns, paging_state = results._decode_result_metadata(reader)
    row_count = reader.int32()
    if row_count < 0:
        raise ProtocolError("negative")
    rows = [None] * min(row_count, 1 << 24)
    for at in range(len(rows)):
        rows[at] = tuple([reader.blob() for _ in range(count)])
        if not reader.remaining:
            break
    return results.Rows(count, rows[: at + 1] if rows else [], columns, paging_state)


@pytest.mark.parametrize(
    ("where", "name", "bug"),
    [
        (primitives.Reader, "take", unchecked_take),
        (primitives.Reader, "consistency", unknown_number_escapes),
        (results, "_DECODERS", {**results._DECODERS, results.KIND_ROWS: preallocated_rows}),
    ],
)
def test_planted_bugs_are_found(monkeypatch, where, name, bug):
    monkeypatch.setattr(where, name, bug)
    with pytest.raises(fuzz_wire.Failure, match=r"seed \d+: "):
        fuzz_wire.run(CANARY_SECONDS, seed=1, watch_every=1)

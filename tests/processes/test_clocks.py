"""Offsets of other clocks from round trips. How: drawn delays on both ways, and what they may hide at most."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cqlsurge.processes.clocks import Trip, offset_of

delays = st.integers(0, 50_000_000)


@given(st.integers(-(10**15), 10**15), st.lists(st.tuples(delays, delays), min_size=1, max_size=20))
def test_the_true_offset_lies_within_the_error(offset_ns: int, ways: list[tuple[int, int]]) -> None:
    trips = []
    for at, (there_ns, back_ns) in enumerate(ways):
        sent_ns = 1_000_000_000 * at
        trips.append(Trip(sent_ns, sent_ns + there_ns + offset_ns, sent_ns + there_ns + back_ns))
    found = offset_of(trips)
    assert abs(found.offset_ns - offset_ns) <= found.error_ns
    assert found.error_ns == (min(there + back for there, back in ways) + 1) // 2

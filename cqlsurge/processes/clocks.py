"""How far another host's clock is from ours, from round trips. Pure.

As in NTP (RFC 5905, section 8), of several round trips the quickest tells most: the other clock was read somewhere
between sending and hearing, in the middle of it give or take half of the round trip.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Trip(NamedTuple):
    """One round trip: when we asked and heard, by our clock, and what the other clock said. Nanoseconds."""

    sent_ns: int
    theirs_ns: int
    heard_ns: int


class Offset(NamedTuple):
    """Their clock less ours is offset_ns, give or take error_ns."""

    offset_ns: int
    error_ns: int


def offset_of(trips: Iterable[Trip]) -> Offset:
    """The offset that the quickest of the round trips shows; there must be one."""
    best = min(trips, key=lambda trip: trip.heard_ns - trip.sent_ns)
    round_trip_ns = best.heard_ns - best.sent_ns
    return Offset(best.theirs_ns - (best.sent_ns + best.heard_ns) // 2, (round_trip_ns + 1) // 2)

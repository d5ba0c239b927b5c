"""Operation numbers are handed out once each, without gap or overlap. How: hypothesis deals in every order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cqlsurge.processes.dealer import LARGEST, Dealer


@given(total=st.integers(0, 200_000), workers=st.integers(1, 9), order=st.lists(st.integers(0, 8), max_size=50))
def test_every_number_is_dealt_once(total: int, workers: int, order: list[int]) -> None:
    dealer = Dealer(total, workers)
    turns = [turn % workers for turn in order] or [0]
    turn = 0
    while dealer.deal(turns[turn % len(turns)]) is not None:
        turn += 1
    blocks = sorted(block for given_blocks in dealer.given for block in given_blocks)
    position = 0
    for start, count in blocks:
        assert start == position
        assert count > 0
        position += count
    assert position == total
    assert dealer.exhausted


def test_blocks_shrink_towards_the_end() -> None:
    dealer = Dealer(1_000_000, 2)
    counts = []
    while (block := dealer.deal(0)) is not None:
        counts.append(block[1])
    assert counts[0] == 250_000
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < 2_000


def test_without_a_total_it_never_ends() -> None:
    dealer = Dealer(None, 2)
    assert [dealer.deal(0), dealer.deal(1)] == [(0, LARGEST), (LARGEST, LARGEST)]
    assert not dealer.exhausted


def test_what_a_lost_worker_may_have_sent() -> None:
    dealer = Dealer(None, 2)
    dealer.deal(0)
    dealer.deal(1)
    dealer.deal(0)
    assert dealer.ranges_from(0, 0) == [(0, LARGEST), (2 * LARGEST, 3 * LARGEST)]
    assert dealer.ranges_from(0, LARGEST + 5) == [(2 * LARGEST + 5, 3 * LARGEST)]
    assert dealer.handed(0) == 2 * LARGEST

"""The table of exponential gaps.

How: its entries are compared with quantiles from the library's logarithm, its mean and variance with those of the
exponential distribution; the draws with an even distribution.
"""

from __future__ import annotations

from math import log

import pytest

from cqlsurge.load.pacing.arrivals import BLOCK, ENTRIES, ONE, draws, gap_table


def test_entries_lie_between_their_quantiles() -> None:
    table = gap_table()
    for j in range(ENTRIES - 1):
        assert -log(1 - j / ENTRIES) * ONE - 1 <= table[j] <= -log(1 - (j + 1) / ENTRIES) * ONE + 1
    assert table[-1] == pytest.approx((1 + log(ENTRIES)) * ONE, abs=1)


def test_mean_is_exact_and_spread_is_exponential() -> None:
    table = gap_table()
    assert sum(table) == ENTRIES * ONE
    assert sum((each / ONE - 1) ** 2 for each in table) / ENTRIES == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("mean_ns", [200, 333.333, 20_000.5, 10**12])
def test_a_table_in_ns_keeps_the_mean(mean_ns: float) -> None:
    table = gap_table(mean_ns / ONE)
    assert sum(table) / ENTRIES == pytest.approx(mean_ns, rel=1e-7)
    assert min(table) >= 0
    exact = gap_table()
    assert all(abs(table[j] - exact[j] * mean_ns / ONE) <= 1 + mean_ns / ONE for j in range(ENTRIES))


def test_draws_are_even_and_differ_by_seed_part_stream_and_block() -> None:
    drawn = [each for block in range(64) for each in draws(1, 0, 0, block)]
    buckets = [0] * 256
    for each in drawn:
        buckets[each >> 8] += 1
    expected = len(drawn) / 256
    chi_square = sum((each - expected) ** 2 / expected for each in buckets)
    assert 180 < chi_square < 340  # 255 degrees of freedom
    others = {
        draws(*names).tobytes() for names in ((1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1))
    }
    assert len(others) == 5
    assert len(draws(1, 0, 0, 0)) == BLOCK

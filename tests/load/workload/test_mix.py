"""The mix: exact shares, ordinals without gap or repetition, and all of it invertible."""

from itertools import pairwise

import pytest

from cqlsurge.load.workload.mix import Mix, counts_of, pattern_of
from cqlsurge.load.workload.spec import BLOCK


@pytest.mark.parametrize(
    ("weights", "lengths"), [((70, 25, 5), (1,)), ((1, 3), (1, 2, 3, 9)), ((0, 1, 0.001), (1,)), ((5,), (1,))]
)
def test_ordinals_rise_without_gap_and_numbers_are_found_again(weights, lengths):
    mix = Mix(weights, seed=7, phase="run", lengths=lengths)
    seen = [0] * len(weights)
    for number in range(3 * BLOCK + 100):
        kind, ordinal = mix.at(number)
        assert ordinal == seen[kind] == mix.issued_before(kind, number)
        assert mix.number_of(kind, ordinal) == number
        seen[kind] += 1


def test_each_block_has_exact_counts():
    assert counts_of((70, 25, 5)) == [2867, 1024, 205]
    assert counts_of((0, 1)) == [0, BLOCK]
    assert counts_of((1e-9, 1)) == [1, BLOCK - 1]
    pattern = pattern_of((70, 25, 5))
    assert [pattern.count(kind) for kind in range(3)] == [2867, 1024, 205]


def test_runs_keep_the_shares():
    pattern = pattern_of((50, 50), (4,))
    assert [pattern.count(kind) for kind in range(2)] == [2048, 2048]
    changes = sum(one != other for one, other in pairwise(pattern))
    assert changes < BLOCK / 6  # of runs of four, half of which are followed by one of the same kind


def test_seed_and_phase_turn_the_pattern():
    kinds = [
        [Mix((1, 1), seed, phase).at(number)[0] for number in range(500)]
        for seed, phase in ((1, "a"), (2, "a"), (1, "b"))
    ]
    assert kinds[0] != kinds[1]
    assert kinds[0] != kinds[2]


@pytest.mark.parametrize("weights", [(0, 0), (1, -1)])
def test_weights_that_are_none(weights):
    with pytest.raises(ValueError, match="0 or more"):
        counts_of(weights)

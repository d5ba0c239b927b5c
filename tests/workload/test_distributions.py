"""Distributions against their definitions: chi-square and Kolmogorov-Smirnov over a million draws."""

import math
from statistics import NormalDist

import pytest

from cqlsurge.load.workload.distributions import ONE
from cqlsurge.load.workload.mixing import GOLDEN, MIX_1, MIX_2, mix64, native, stream, unsigned
from cqlsurge.workload import sampling

np = pytest.importorskip("numpy")

DRAWS = 1_000_000


def mixed(start, numbers):
    """`mix64` of each number."""
    z = numbers * np.uint64(GOLDEN) + np.uint64(start)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(MIX_1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(MIX_2)
    return z ^ (z >> np.uint64(31))


def drawn(distribution, count=DRAWS):
    """Samples, an array; the first thousand are compared with what `sample` gives one by one."""
    start = native(stream(1, "draws"))
    words = mixed(unsigned(start), np.arange(count, dtype=np.uint64)) >> np.uint64(11)
    cum = np.array(distribution.cum, np.uint64)
    piece = np.searchsorted(cum, words, "right") - 1
    risen = (words - cum[piece]).astype(np.float64) * np.array(distribution.scale)[piece]
    values = np.array(distribution.low)[piece] + (risen.astype(np.int64) if distribution.kind == "int" else risen)
    assert values[:1000].tolist() == [distribution.sample(unsigned(mix64(start, number))) for number in range(1000)]
    return values


def chi_square(values, expected):
    """How many standard deviations the statistic is above its mean; cells that expect fewer than 10 are one."""
    seen = dict(zip(*(part.tolist() for part in np.unique(values, return_counts=True)), strict=True))
    assert set(seen) <= set(expected)
    cells, rest = [], [0.0, 0]
    for value, share in expected.items():
        if share * len(values) >= 10:
            cells.append((share * len(values), seen.get(value, 0)))
        else:
            rest = [rest[0] + share * len(values), rest[1] + seen.get(value, 0)]
    if rest[0] >= 10:
        cells.append(tuple(rest))
    statistic = sum((count - wanted) ** 2 / wanted for wanted, count in cells)
    freedom = len(cells) - 1
    return (statistic - freedom) / math.sqrt(2 * freedom)


def kolmogorov(values, cumulated):
    """The largest distance between what was drawn and the definition, times the root of the number of draws."""
    ordered = np.sort(values)[:: max(1, len(values) // 20_000)]  # every so many is near enough: steps of 5e-5
    places = np.searchsorted(np.sort(values), ordered, "left") / len(values)
    defined = np.array([cumulated(float(value)) for value in ordered])
    return float(np.abs(places - defined).max()) * math.sqrt(len(values))


@pytest.mark.parametrize("exponent", [0.5, 0.99, 1.0, 1.3, 3.0])
@pytest.mark.parametrize("count", [1000, 100_000])
def test_zipf(exponent, count):
    total = math.fsum(rank**-exponent for rank in range(1, count + 1))
    expected = {rank: rank**-exponent / total for rank in range(1, count + 1)}
    values = drawn(sampling.zipf_range(1, count, exponent))
    if count == 1000:
        assert chi_square(values, expected) < 4
    seen = np.bincount(values, minlength=count + 1)
    for rank in (1, 2, 3, 10):
        wanted = expected[rank] * DRAWS
        assert abs(int(seen[rank]) - wanted) < 5 * math.sqrt(wanted) + 1
    defined = np.cumsum([0.0, *expected.values()])
    assert float(np.abs(np.cumsum(seen) / DRAWS - defined).max()) * math.sqrt(DRAWS) < 1.95


def test_uniform_hotspot_weights():
    assert chi_square(drawn(sampling.uniform_range(5, 104)), dict.fromkeys(range(5, 105), 0.01)) < 4
    hot = {index: 0.8 / 20 if index < 20 else 0.2 / 80 for index in range(100)}
    assert chi_square(drawn(sampling.hotspot(100, 0.2, 0.8)), hot) < 4
    assert chi_square(drawn(sampling.from_weights([99, 1, 0, 3])), {0: 99 / 103, 1: 1 / 103, 3: 3 / 103}) < 4


@pytest.mark.parametrize(("low", "high"), [(0, 100), (1, 1_000_000)])
def test_gaussian_range(low, high):
    normal = NormalDist((low + high) / 2, (high - low) / 6)
    values = drawn(sampling.gaussian_range(low, high))
    assert min(values) >= low
    assert max(values) <= high
    if high == 100:
        expected = {value: normal.cdf(value + 1) - normal.cdf(value) for value in range(low, high + 1)}
        expected[low] += normal.cdf(low)
        expected[high] = 1 - normal.cdf(high)
        assert chi_square(values, expected) < 4
    else:
        inside = values[(values > low) & (values < high)]
        inside = inside + np.random.default_rng(1).random(len(inside))
        scale = normal.cdf(high) - normal.cdf(low + 1)
        assert kolmogorov(inside, lambda x: (normal.cdf(x) - normal.cdf(low + 1)) / scale) < 1.95


def test_gaussian_and_exponential_of_floats():
    normal = NormalDist(20.0, 5.0)
    assert kolmogorov(drawn(sampling.gaussian_float(20.0, 5.0)), normal.cdf) < 1.95
    assert kolmogorov(drawn(sampling.exponential_float(3.0)), lambda x: 1 - math.exp(-x / 3)) < 1.95


@pytest.mark.parametrize("high", [50, 10_000_000])
def test_exponential_and_extreme_ranges(high):
    rng = np.random.default_rng(1)
    mean = high / -math.log(math.sqrt(1 / high))
    cut = -math.expm1(-high / mean)
    for shape, distribution in (
        (1.0, sampling.exponential_range(0, high)),
        (1.7, sampling.extreme_range(0, high, 1.7)),
    ):
        scale = mean if shape == 1.0 else high / (-math.log(math.sqrt(1 / high))) ** (1 / shape)
        values = drawn(distribution)
        values = values[values < high] + rng.random(int((values < high).sum()))
        end = -math.expm1(-((high / scale) ** shape))
        assert kolmogorov(values, lambda x, s=scale, k=shape, e=end: -math.expm1(-((x / s) ** k)) / e) < 1.95
    assert 0.8 < cut < 1


def test_samples_stay_in_their_pieces():
    for distribution in (
        sampling.zipf_range(1, 10**12, 0.7),
        sampling.gaussian_range(0, 10**15),
        sampling.hotspot(10**9, 0.2, 0.8),
    ):
        for piece, low in enumerate(distribution.low):
            end = distribution.cum[piece + 1] if piece + 1 < len(distribution.cum) else ONE
            last = distribution.sample((end - 1) << 11)
            following = distribution.low[piece + 1] if piece + 1 < len(distribution.low) else None
            assert distribution.sample(distribution.cum[piece] << 11) == low
            assert following is None or last < following or following < low


def test_quantiles_and_products():
    assert sampling.quantiles(sampling.uniform_range(1, 4))[::1024] == (1, 2, 3, 4)
    product = sampling.product(sampling.quantiles(sampling.uniform_range(1, 2)), (10,))
    assert product.count(10) == product.count(20) == 2048

"""Distributions to tables of pieces: what load processes sample. All that needs logarithms is done here, once.

Integer distributions over `low..high` are exact for each value while there are few, and by pieces that grow with the
distance where there are many. Definitions of gaussian, exp and extreme over a range are cassandra-stress's.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from statistics import NormalDist

from cqlsurge.load.workload.distributions import ONE, Distribution
from cqlsurge.load.workload.spec import BLOCK

#: values that get a piece each
EXACT = 4096
#: further pieces an octave
PIECES = 64
_SMALL = 2.0**-45

Cumulated = Callable[[float], float]


def from_weights(weights: Sequence[float], values: Sequence[int] | None = None, text: str = "") -> Distribution:
    """The index of each weight, or the integer in `values`, in proportion."""
    total = math.fsum(weights)
    cum: list[int] = []
    low: list[int] = []
    passed = 0.0
    for index, weight in enumerate(weights):
        if weight > 0:
            start = min(round(passed / total * ONE), ONE - 1)
            if not cum or start > cum[-1]:
                cum.append(start)
                low.append(index if values is None else values[index])
            passed += weight
    return Distribution("int", tuple(cum), tuple(low), (0.0,) * len(cum), text)


def from_pieces(pieces: Sequence[tuple[int, int, float]], text: str = "") -> Distribution:
    """Integers: pieces (low, how many, weight) with all values of a piece alike."""
    total = math.fsum(weight for _, _, weight in pieces)
    cum: list[int] = []
    low: list[int] = []
    widths: list[int] = []
    passed = 0.0
    for first, width, weight in pieces:
        start = min(round(passed / total * ONE), ONE - 1)
        passed += weight
        if weight <= 0 or (cum and start <= cum[-1]) or round(passed / total * ONE) <= start:
            continue
        cum.append(start)
        low.append(first)
        widths.append(width)
    if cum[0] != 0:
        cum[0] = 0
    scale = [_scale(width, (cum[at + 1] if at + 1 < len(cum) else ONE) - cum[at]) for at, width in enumerate(widths)]
    return Distribution("int", tuple(cum), tuple(low), tuple(scale), text)


def _scale(width: int, span: int) -> float:
    """How much a value rises for each unit, so that the last unit still falls below `width`."""
    if width <= 1:
        return 0.0
    scale = width / span
    while int((span - 1) * scale) >= width:
        scale = math.nextafter(scale, 0.0)
    return scale


def from_cumulated(low: int, high: int, cumulated: Cumulated, text: str = "", dense: int | None = None) -> Distribution:
    """Integers low..high, where cumulated(x) is the probability of a value below x (0 at low, 1 beyond high).

    `dense`: the value around which pieces are smallest (default: the median).
    """
    count = high - low + 1
    edges = list(range(low, high + 2)) if count <= EXACT else _edges(low, high, cumulated, dense)
    shares = [max(0.0, min(1.0, cumulated(edge))) for edge in edges]
    shares[0], shares[-1] = 0.0, 1.0
    pieces = [(edge, edges[at + 1] - edge, max(0.0, shares[at + 1] - shares[at])) for at, edge in enumerate(edges[:-1])]
    return from_pieces([piece for piece in pieces if piece[2] > 0], text)


def _edges(low: int, high: int, cumulated: Cumulated, dense: int | None) -> list[int]:
    """Borders of pieces: at equal probabilities, and at growing distances from the dense place."""
    edges = {low, low + 1, high, high + 1}
    centre = low if dense is None else dense
    step = 1.0
    while step < high - low + 1:
        edges |= {centre + int(step), centre - int(step)}
        step = max(step + 1, step * 2 ** (1 / PIECES)) if step > EXACT // 4 else step + 1
    for share in range(1, 1024):
        edges.add(_inverse(low, high, cumulated, share / 1024))
    return sorted(edge for edge in edges if low <= edge <= high + 1)


def _inverse(low: int, high: int, cumulated: Cumulated, share: float) -> int:
    first, last = low, high
    while first < last:
        middle = (first + last) // 2
        if cumulated(middle + 1) < share:
            first = middle + 1
        else:
            last = middle
    return first


def gaussian_range(low: int, high: int, mean: float | None = None, deviation: float | None = None) -> Distribution:
    """Truncated toward zero; what falls outside is put on the bound. Mean in the middle, deviation a third of half."""
    mean = (low + high) / 2 if mean is None else mean
    deviation = (high - low) / 6 if deviation is None else deviation
    text = f"gaussian({low}..{high}, {mean:g}, {deviation:g})"
    if deviation <= 0 or low == high:
        return from_weights([1.0], [int(mean)], text)
    normal = NormalDist(mean, deviation)
    return from_cumulated(low, high, lambda x: normal.cdf(x), text, int(mean))


def gaussian_float(mean: float, deviation: float) -> Distribution:
    """A normal distribution: its inverse in straight pieces, finer toward the tails."""
    normal = NormalDist(mean, deviation)
    shares = _float_shares()
    return _from_inverse([(share, normal.inv_cdf(share)) for share in shares], f"gaussian({mean:g}, {deviation:g})")


def _float_shares() -> list[float]:
    middle = [number / 2048 for number in range(1, 2048)]
    tails = [2.0**-power * part for power in range(12, 45) for part in (1.0, 1.25, 1.5, 1.75)]
    return sorted({_SMALL, *middle, *tails, *[1 - share for share in tails], 1 - _SMALL})


def _from_inverse(points: Sequence[tuple[float, float]], text: str) -> Distribution:
    cum, low, scale = [], [], []
    for at, (share, value) in enumerate(points):
        begin = 0 if at == 0 else round(share * ONE)
        following = points[at + 1] if at + 1 < len(points) else None
        end = round(following[0] * ONE) if following else ONE
        if end > begin:
            cum.append(begin)
            low.append(value)
            scale.append(((following[1] if following else value) - value) / (end - begin))
    return Distribution("float", tuple(cum), tuple(low), tuple(scale), text)


def exponential_range(low: int, high: int) -> Distribution:
    """low + an exponential, cut at high; mean (high-low)/q, q its quantile at 1 - sqrt(1/(high-low))."""
    span = high - low
    text = f"exp({low}..{high})"
    if span < 1:
        return from_weights([1.0], [low], text)
    quantile = -math.log(math.sqrt(1 / span)) if span > 1 else 1.0
    mean = span / quantile
    return from_cumulated(low, high, lambda x: -math.expm1(-(x - low) / mean), text, low)


def exponential_float(mean: float) -> Distribution:
    """An exponential of this mean."""
    points = [(share, -mean * math.log1p(-share)) for share in [0.0, *_float_shares()]]
    return _from_inverse(points, f"exp({mean:g})")


def extreme_range(low: int, high: int, shape: float) -> Distribution:
    """low + a Weibull of this shape, cut at high; scaled like `exponential_range`."""
    span = high - low
    text = f"extreme({low}..{high}, {shape:g})"
    if span < 1:
        return from_weights([1.0], [low], text)
    quantile = (-math.log(math.sqrt(1 / span)) if span > 1 else 1.0) ** (1 / shape)
    scale = span / quantile
    return from_cumulated(
        low, high, lambda x: -math.expm1(-(((x - low) / scale) ** shape)) if x > low else 0.0, text, low
    )


def zipf_range(low: int, high: int, exponent: float) -> Distribution:
    """The k-th value (from 1) in proportion to k ** -exponent: the first EXACT exactly, further ones by fine pieces."""
    count = high - low + 1
    text = f"zipf({low}..{high}, {exponent:g})"
    exact = min(count, EXACT)
    pieces = [(low + rank - 1, 1, rank**-exponent) for rank in range(1, exact + 1)]
    rank = exact + 1
    while rank <= count:
        following = min(count + 1, max(rank + 1, int(rank * 2 ** (1 / PIECES))))
        pieces.append((low + rank - 1, following - rank, _zipf_sum(rank, following, exponent)))
        rank = following
    return from_pieces(pieces, text)


def _zipf_sum(first: int, past: int, exponent: float) -> float:
    """The sum of k ** -exponent from first to past - 1: the integral over half a step more each way (error 1e-9)."""
    begin, end = first - 0.5, past - 0.5
    if abs(exponent - 1) < 1e-9:
        return math.log(end / begin)
    return float((end ** (1 - exponent) - begin ** (1 - exponent)) / (1 - exponent))


def uniform_range(low: int, high: int) -> Distribution:
    """All alike; for ranges of up to 2 ** 52 values."""
    return from_pieces([(low, high - low + 1, 1.0)], f"uniform({low}..{high})")


def hotspot(size: int, share: float, weight: float) -> Distribution:
    """Indexes below `size`, of which the first `share` get the share `weight` of all draws."""
    hot = max(1, min(size, round(size * share)))
    text = f"hotspot({share:.4g}, {weight:.4g})"
    if hot == size:
        return from_pieces([(0, size, 1.0)], text)
    return from_pieces([(0, hot, weight), (hot, size - hot, 1 - weight)], text)


def quantiles(drawn: Distribution, count: int = BLOCK) -> tuple[int, ...]:
    """`count` values that stand for the distribution: those in the middle of as many parts of equal probability."""
    return tuple([int(drawn.sample(((2 * part + 1) * ONE // (2 * count)) << 11)) for part in range(count)])


def product(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """The counts of two independent ones multiplied: BLOCK quantiles of all products."""
    if len(first) == 1 and len(second) == 1:
        return (first[0] * second[0],)
    weights: dict[int, int] = {}
    for one in _thinned(first):
        for other in _thinned(second):
            weights[one * other] = weights.get(one * other, 0) + 1
    values = sorted(weights)
    sums, passed = [], 0
    for value in values:
        passed += weights[value]
        sums.append(passed)
    return tuple([values[bisect_left(sums, (2 * part + 1) * passed / (2 * BLOCK))] for part in range(BLOCK)])


def _thinned(counts: tuple[int, ...]) -> tuple[int, ...]:
    ordered = sorted(counts)
    return tuple(ordered) if len(ordered) <= 512 else tuple(ordered[4::8])


def float_pieces(pieces: Sequence[tuple[float, float, float]]) -> Distribution:
    """Pieces (low, high, weight) of floating-point numbers, alike inside each."""
    total = math.fsum(weight for _, _, weight in pieces)
    cum: list[int] = []
    low: list[float] = []
    scale: list[float] = []
    passed = 0.0
    for first, last, weight in pieces:
        begin, end = round(passed / total * ONE), round((passed + weight) / total * ONE)
        passed += weight
        if end > begin:
            cum.append(begin)
            low.append(float(first))
            scale.append((last - first) / (end - begin))
    return Distribution("float", tuple(cum), tuple(low), tuple(scale), "histogram")

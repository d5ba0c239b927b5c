"""Distributions as cassandra-stress writes them: `uniform(1..10)`, `~exp(1..1M)`, `gaussian(1..9,5,2)`, `fixed(1)/10`.

Integers may end in k, m or b (10^3, 10^6, 10^9); bounds have two or more dots between them; names have no case. What
gaussian draws beyond a bound is put on the bound. Equal bounds make any of them but seq a fixed number.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_FORM = re.compile(r"(~?)([A-Za-z]+)\((.+)\)\Z", re.DOTALL)
_FACTORS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_ALIASES = {"extr": "extreme", "qextr": "qextreme", "gauss": "gaussian", "normal": "gaussian", "norm": "gaussian"}
#: name -> how many arguments it may have, and its form for people
_FORMS = {
    "fixed": ((1,), "fixed(VALUE)"),
    "uniform": ((1,), "uniform(MIN..MAX)"),
    "exp": ((1,), "exp(MIN..MAX)"),
    "seq": ((1,), "seq(MIN..MAX)"),
    "gaussian": ((1, 2, 3), "gaussian(MIN..MAX[,STDEV_RANGE]) or gaussian(MIN..MAX,MEAN,STDEV)"),
    "extreme": ((2,), "extreme(MIN..MAX,SHAPE)"),
    "qextreme": ((3,), "qextreme(MIN..MAX,SHAPE,QUANTAS)"),
}
LONG_MIN, LONG_MAX = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True)
class Distribution:
    """Whole numbers from `low` to `high`, both included.

    `name` is one of fixed, uniform, gaussian, exp, extreme, qextreme, seq. `mean` and `stdev` belong to gaussian,
    `shape` to the extremes, `quanta` to qextreme. `inverted` (`~`) mirrors the numbers between the bounds.
    """

    name: str
    low: int
    high: int
    mean: float = 0.0
    stdev: float = 0.0
    shape: float = 0.0
    quanta: int = 0
    inverted: bool = False

    @property
    def count(self) -> int:
        """How many numbers there are between the bounds."""
        return self.high - self.low + 1

    @property
    def is_fixed(self) -> bool:
        """Whether it always gives the same number."""
        return self.low == self.high

    def average(self) -> float:
        """The mean of what it gives, before what falls outside is put on the bounds."""
        if self.name == "gaussian":
            plain = self.mean
        elif self.name == "exp":
            plain = self.low + self.scale()
        elif self.name in {"extreme", "qextreme"}:
            plain = self.low + self.scale() * math.gamma(1 + 1 / self.shape)
        else:
            plain = (self.low + self.high) / 2
        return self.low + self.high - plain if self.inverted else plain

    def scale(self) -> float:
        """Of exp and the extremes: what the unit distribution is multiplied by, so that `high` is rarely passed."""
        width = self.high - self.low
        quantile = 0.5 if width <= 1 else 1 - math.sqrt(1 / width)
        unit = -math.log1p(-quantile)
        return width / (unit if self.name == "exp" else unit ** (1 / self.shape))


def fixed(value: int) -> Distribution:
    """Always the same number."""
    return Distribution("fixed", value, value)


def uniform(low: int, high: int) -> Distribution:
    """Each number as likely as another."""
    return Distribution("fixed" if low == high else "uniform", low, high)


def gaussian(low: int, high: int, mean: float | None = None, stdev: float | None = None) -> Distribution:
    """A bell between the bounds; they lie three standard deviations from the middle if not told otherwise."""
    if low == high:
        return fixed(low)
    middle, spread = (low + high) / 2, (high - low) / 2 / 3
    return Distribution("gaussian", low, high, middle if mean is None else mean, spread if stdev is None else stdev)


def parse_number(text: str) -> int:
    """`1000`, `10k`, `-5`, `100B`. Raises ValueError."""
    word = text.strip().lower()
    digits, factor = (word[:-1], _FACTORS[word[-1]]) if word[-1:] in _FACTORS else (word, 1)
    if not re.fullmatch(r"[+-]?[0-9]+", digits):
        raise ValueError(f"{text.strip()!r} is no whole number: write it as 1000, 10k, 5M or 100B")
    number = int(digits) * factor
    if not LONG_MIN <= number <= LONG_MAX:
        raise ValueError(f"{text.strip()} is no number of 64 bits")
    return number


def parse_distribution(text: str) -> Distribution:
    """A distribution. Raises ValueError with the form that was expected."""
    match = _FORM.match(text.strip())
    if match is None:
        raise ValueError(f"{text.strip()!r} is no distribution: write it as uniform(1..10), fixed(1), gaussian(1..10)")
    name = match[2].lower()
    name = _ALIASES.get(name, name)
    if name == "weibull":
        raise ValueError("'weibull' is advertised by cassandra-stress but refused by it: write extreme(MIN..MAX,SHAPE)")
    if name not in _FORMS:
        raise ValueError(f"{match[2]!r} is no distribution: there are {', '.join(_FORMS)}")
    arguments = [part for part in match[3].split(",") if part]
    counts, form = _FORMS[name]
    if len(arguments) not in counts:
        raise ValueError(f"{text.strip()!r} has {len(arguments)} arguments: write it as {form}")
    try:
        return _make(name, arguments, inverted=bool(match[1]))
    except ValueError as error:
        raise ValueError(f"{text.strip()!r}: {error}; write it as {form}") from None


def _make(name: str, arguments: list[str], inverted: bool) -> Distribution:
    if name == "fixed":
        return fixed(parse_number(arguments[0]))
    low, high = _bounds(arguments[0])
    if name == "seq":
        if low >= high:
            raise ValueError("a sequence begins below its end")
        return Distribution(name, low, high, inverted=inverted)
    if low > high:
        raise ValueError(f"{low} is more than {high}")
    numbers = [_real(argument) for argument in arguments[1:]]
    if low == high:
        return fixed(low)
    if name == "gaussian":
        plain = gaussian(low, high)
        mean, stdev = (numbers[0], numbers[1]) if len(numbers) == 2 else (plain.mean, plain.stdev)
        if len(numbers) == 1:
            stdev = (high - low) / 2 / _positive(numbers[0])
        return Distribution(name, low, high, mean, _positive(stdev), inverted=inverted)
    if name == "qextreme":
        quanta = int(parse_number(arguments[2]))
        if quanta < 1:
            raise ValueError("there must be 1 quanta or more")
        return Distribution(name, low, high, shape=_positive(numbers[0]), quanta=quanta, inverted=inverted)
    if name == "extreme":
        return Distribution(name, low, high, shape=_positive(numbers[0]), inverted=inverted)
    return Distribution(name, low, high, inverted=inverted)


def _bounds(text: str) -> tuple[int, int]:
    parts = re.split(r"\.\.+", text.strip())
    if len(parts) != 2:
        raise ValueError(f"{text.strip()!r} are no bounds")
    return parse_number(parts[0]), parse_number(parts[1])


def _real(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text.strip()!r} is no number") from None
    if not math.isfinite(number):
        raise ValueError(f"{text.strip()!r} is no finite number")
    return number


def _positive(number: float) -> float:
    if number <= 0:
        raise ValueError(f"{number:g} is not above 0")
    return number


@dataclass(frozen=True)
class Ratio:
    """A share from 0 to 1: what `distribution` gives, divided by `divisor`, cut at 0 and 1."""

    distribution: Distribution
    divisor: int

    @property
    def is_one(self) -> bool:
        """Whether it always gives all."""
        return min(self.distribution.low, self.distribution.high) >= self.divisor

    def average(self) -> float:
        """The mean share."""
        return min(1.0, max(0.0, self.distribution.average() / self.divisor))

    def share_below(self, bound: float) -> float:
        """The probability that the share is less than `bound`."""
        return share_below(self.distribution, bound * self.divisor)


def parse_ratio(text: str) -> Ratio:
    """`fixed(1)/10`, `uniform(1..5)/1k`. Raises ValueError."""
    distribution, slash, divisor = text.strip().rpartition("/")
    if not slash:
        raise ValueError(f"{text.strip()!r} is no ratio: write it as fixed(1)/10")
    number = parse_number(divisor)
    if number < 1:
        raise ValueError(f"{text.strip()!r}: what it is divided by must be 1 or more")
    return Ratio(parse_distribution(distribution), number)


def share_below(of: Distribution, bound: float) -> float:
    """The probability that the real number drawn, before it is cut to an integer, is less than `bound`."""
    if of.inverted:
        mirror = Distribution(of.name, of.low, of.high, of.mean, of.stdev, of.shape, of.quanta)
        return 1 - share_below(mirror, of.low + of.high - bound)
    if of.is_fixed:
        return float(of.low < bound)
    if bound <= of.low:
        return 0.0
    if bound > of.high:
        return 1.0
    if of.name in {"uniform", "seq"}:
        return (bound - of.low) / of.count
    if of.name == "gaussian":
        return 0.5 * (1 + math.erf((bound - of.mean) / of.stdev / math.sqrt(2)))
    unit = (bound - of.low) / of.scale()
    return -math.expm1(-(unit if of.name == "exp" else unit**of.shape))

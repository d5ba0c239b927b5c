"""Distributions as tables of numbers that are sampled with integer operations and IEEE arithmetic alone.

The parent computes the tables once; every interpreter and host samples them alike, bit for bit. A table is a list of
pieces; inside a piece values are uniform.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

#: cumulated probabilities are counted in units of 2 ** -53
ONE = 1 << 53


@dataclass(frozen=True)
class Distribution:
    """Piece i begins at the cumulated probability `cum[i]` (cum[0] is 0) and the value `low[i]`, rising by `scale[i]`.

    kind: `int` (the part above low[i] is cut) or `float`. text: how it was written, for people.
    """

    kind: str
    cum: tuple[int, ...]
    low: tuple[Any, ...]
    scale: tuple[float, ...]
    text: str = ""

    def sample(self, word: int) -> Any:
        """The value for an unsigned 64-bit word."""
        u = word >> 11
        piece = bisect_right(self.cum, u) - 1
        if self.kind == "int":
            return self.low[piece] + int((u - self.cum[piece]) * self.scale[piece])
        return self.low[piece] + (u - self.cum[piece]) * self.scale[piece]

    def to_json(self) -> dict[str, Any]:
        """JSON-able; floats keep all their bits."""
        return {
            "kind": self.kind,
            "cum": list(self.cum),
            "low": list(self.low),
            "scale": list(self.scale),
            "text": self.text,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Distribution:
        """The table that `to_json` gave."""
        return cls(data["kind"], tuple(data["cum"]), tuple(data["low"]), tuple(data["scale"]), data["text"])

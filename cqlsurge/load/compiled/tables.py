"""Lists of numbers that generated code looks things up in."""

from __future__ import annotations

from typing import Any

#: places of a guide at most
GUIDE_PLACES = 1 << 14


class Guide:
    """Where a search begins: at `places[value >> shift]`, which is the place looked for or a little before it."""

    def __init__(self, shift: int, places: list[int]) -> None:
        self.shift, self.places = shift, places


class Table:
    """A list of whole numbers or floats that never changes; `low` to `high` are its bounds where it is no floats."""

    def __init__(self, values: list[Any], floats: bool = False) -> None:
        self.values, self.floats = values, floats
        self.low: int = 0 if floats else min(values)
        self.high: int = 0 if floats else max(values)
        self._guides: dict[int, Guide] = {}
        #: the values from the second on, and one that no value reaches
        self.following = [] if floats else [*values[1:], 1 << 62]

    def guide(self, high: int) -> Guide:
        """The guide for values from the first of this rising table to `high`."""
        bits = max(1, high.bit_length())
        if bits not in self._guides:
            size = min(GUIDE_PLACES, 4 << (len(self.values) - 1).bit_length())
            shift = max(0, bits - (size.bit_length() - 1))
            places, at = [], 0
            for place in range(1 << bits - shift):
                while self.following[at] <= place << shift:
                    at += 1
                places.append(at)
            self._guides[bits] = Guide(shift, places)
        return self._guides[bits]

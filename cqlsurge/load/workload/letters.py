"""Letters and bytes that spell a number: another text for each number, as long as there is room.

A number is scrambled by a bijection on as many bits as its letters hold, so that neighbours look unlike, and written
in the alphabet's digits.
"""

from __future__ import annotations

_FACTORS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9)
_TEXT = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#: alphabet -> (bits a letter, most letters, the letters; None for any byte)
_ALPHABETS = {
    "bytes": (8, 8, None),
    "repeating": (8, 8, None),
    "text": (6, 10, _TEXT),
    "ascii": (6, 10, _TEXT),
    "hex": (4, 15, b"0123456789abcdef"),
}


def room(alphabet: str, size: int) -> int:
    """How many numbers have texts of their own in so many letters."""
    bits, most, _ = _ALPHABETS[alphabet]
    return 1 << (bits * max(0, min(size, most)))


def spelled(alphabet: str, number: int, size: int) -> bytes:
    """The letters of a number: as many as there are for it, `size` at the most. Negative numbers go round."""
    bits, most, letters = _ALPHABETS[alphabet]
    count = min(size, most)
    width = bits * count
    if width <= 0:
        return b""
    mask = (1 << width) - 1
    value = number & mask
    for factor in _FACTORS:
        value = (value * factor) & mask
        value ^= value >> (width // 2 + 1)
    if letters is None:
        return value.to_bytes(count, "little")
    digit = (1 << bits) - 1
    return bytes([letters[(value >> (bits * place)) & digit] for place in range(count)])
